"""Levels of Sokoban on lists of tiles: `creative_rl.envs.level_sokoban`."""

from collections import deque

from reference.level import SOLID, PlainLevelDesign, places, regions

PLAYER, CRATE, TARGET = 2, 3, 4
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


def moved(tiles, player, crates, move):
    """Player and crates after a move; None where it cannot be made."""

    def is_free(place):
        inside = 0 <= place[0] < len(tiles) and 0 <= place[1] < len(tiles[0])
        return inside and tiles[place[0]][place[1]] != SOLID

    (down, right) = MOVES[move]
    place = player[0] + down, player[1] + right
    if not is_free(place):
        return None
    if place not in crates:
        return place, crates
    beyond = place[0] + down, place[1] + right
    if beyond in crates or not is_free(beyond):
        return None
    return place, crates - {place} | {beyond}


def solution_length(tiles):
    """Moves of a shortest solution, state by state; 0 where there is none."""
    (player,) = places(tiles, (PLAYER,))
    crates, targets = (frozenset(places(tiles, (kind,))) for kind in (CRATE, TARGET))
    start = (player, crates)
    steps, queue = {start: 0}, deque([start])
    while queue:
        state = queue.popleft()
        for move in range(4):
            after = moved(tiles, *state, move)
            if after is not None and after not in steps:
                steps[after] = steps[state] + 1
                if after[1] == targets:
                    return steps[after]
                queue.append(after)
    return 0


class PlainSokobanLevel(PlainLevelDesign):
    """`SokobanLevel` with its default params."""

    def shares(self):
        return 0.45, 0.4, 0.05, 0.05, 0.05

    def measure(self):
        tiles = self.tiles
        player, crate, target = (len(places(tiles, (kind,))) for kind in (PLAYER, CRATE, TARGET))
        measures = {
            "player": player,
            "crate": crate,
            "target": target,
            "regions": len(regions(tiles, (0, PLAYER, CRATE, TARGET))),
            "ratio": abs(crate - target),
            "solution_length": 0,
        }
        is_playable = player == measures["regions"] == 1 and crate == target
        if is_playable and 1 <= crate <= 3:
            measures["solution_length"] = solution_length(tiles)
        return measures

    def is_success(self):
        return self.measures["solution_length"] >= 18
