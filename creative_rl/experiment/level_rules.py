"""The rules by which a level is walked: Sokoban's crates, and a dungeon's key, door and enemies.

Places are pairs of row and column. What a tile is, its name in the level tells.
"""

import dataclasses
from typing import Literal

import numpy as np

from creative_rl.works.level import Level, on_host

Place = tuple[int, int]
Outcome = Literal["open", "won", "lost"]

MOVES: tuple[Place, ...] = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""Up, right, down, left, as in the moves of a `Level`."""
ENEMIES = ("bat", "scorpion", "spider")


@dataclasses.dataclass(frozen=True)
class Walked:
    """Where everything that moves is."""

    player: Place
    crates: frozenset[Place]
    keys: frozenset[Place]
    """those that still lie there"""
    enemies: tuple[tuple[Place, str], ...]
    """with their names"""
    has_key: bool = False
    moves: int = 0
    outcome: Outcome = "open"


class Board:
    """What stands still of a level, and the rules.

    A level with crates is won when they stand on all targets, one with a door when the player gets
    there with a key. To meet an enemy is to lose. Every move enemies go a step, or stay, by chance.

    Attributes:
      level: the level.
      start: everything in its first place.

    Raises:
      ValueError: it is a batch or a field is out of range; it has not one player; it has neither
        crates, as many as targets, nor a key and a door.
    """

    def __init__(self, level: Level):
        self.level = on_host(level)
        self.height: int = self.level.tiles.shape[0]
        self.width: int = self.level.tiles.shape[1]
        self.walls, self.targets, self.doors = (
            frozenset(self._places(name)) for name in ("solid", "target", "door")
        )
        players = self._places("player")
        if len(players) != 1:
            raise ValueError(f"a level to play has one player, this one has {len(players)}")
        self.start = Walked(
            player=players[0],
            crates=frozenset(self._places("crate")),
            keys=frozenset(self._places("key")),
            enemies=tuple((place, name) for name in ENEMIES for place in self._places(name)),
        )
        num_crates, num_targets = len(self.start.crates), len(self.targets)
        if num_crates != num_targets:
            raise ValueError(
                f"a level to play has as many crates as targets, this one has {num_crates} and "
                f"{num_targets}"
            )
        if not num_crates and not (self.start.keys and self.doors):
            raise ValueError(
                "a level to play has crates and targets, or a key and a door; this one has "
                f"{len(self.start.keys)} keys and {len(self.doors)} doors"
            )

    def moved(self, now: Walked, move: int) -> Walked:
        """After a move of the player, 0 up, 1 right, 2 down, 3 left; `now` where it is blocked."""
        place, beyond = (self._beside(now.player, move, steps) for steps in (1, 2))
        if not self._is_floor(place) or (place in self.doors and not now.has_key):
            return now
        crates = now.crates
        if place in crates:
            if not self._is_floor(beyond) or beyond in crates:
                return now
            crates = crates - {place} | {beyond}
        after = dataclasses.replace(
            now,
            player=place,
            crates=crates,
            keys=now.keys - {place},
            has_key=now.has_key or place in now.keys,
            moves=now.moves + 1,
        )
        return dataclasses.replace(after, outcome=self._outcome(after))

    def wandered(self, now: Walked, generator: np.random.Generator) -> Walked:
        """After a step of every enemy: to a free place beside it, or none."""
        if now.outcome != "open" or not now.enemies:
            return now
        enemies = dict(now.enemies)
        for place, name in now.enemies:
            taken = enemies.keys() | self.doors | now.keys | now.crates
            beside = [self._beside(place, move, 1) for move in range(len(MOVES))]
            free = [place, *(one for one in beside if self._is_floor(one) and one not in taken)]
            del enemies[place]
            enemies[free[generator.integers(len(free))]] = name
        after = dataclasses.replace(now, enemies=tuple(enemies.items()))
        return dataclasses.replace(after, outcome=self._outcome(after))

    def rows(self, now: Walked) -> list[str]:
        """The level as it stands, in its characters; * is a crate on a target, + the player on
        one."""
        marks = dict(zip(self.level.names, self.level.characters, strict=True))
        still = marks | dict.fromkeys(("player", "crate", "key", *ENEMIES), marks.get("empty", " "))
        shown = np.array([still[name] for name in self.level.names])[self.level.tiles]
        layers = {"crate": now.crates, "key": now.keys}
        for name, places in layers.items():
            for place in places:
                shown[place] = "*" if name == "crate" and place in self.targets else marks[name]
        shown[now.player] = "+" if now.player in self.targets else marks["player"]
        for place, name in now.enemies:
            shown[place] = marks[name]
        return ["".join(row) for row in shown]

    def _outcome(self, now: Walked) -> Outcome:
        if now.player in dict(now.enemies):
            return "lost"
        if now.crates:
            return "won" if now.crates == self.targets else "open"
        return "won" if now.has_key and now.player in self.doors else "open"

    def _places(self, name: str) -> list[Place]:
        if name not in self.level.names:
            return []
        found = np.argwhere(self.level.tiles == self.level.names.index(name))
        return [(int(row), int(column)) for row, column in found]

    def _beside(self, place: Place, move: int, steps: int) -> Place:
        down, right = MOVES[move]
        return place[0] + steps * down, place[1] + steps * right

    def _is_floor(self, place: Place) -> bool:
        inside = 0 <= place[0] < self.height and 0 <= place[1] < self.width
        return inside and place not in self.walls
