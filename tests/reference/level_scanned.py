"""Levels that are gone over a few times, on lists of tiles: `creative_rl.envs.level_scanned`."""

from reference.level import PlainLevelDesign, places, regions, steps_from


def way(tiles, start, kinds, passable):
    """Steps to the nearest tile of some kinds, over those and the passable ones; 0 for none."""
    steps = steps_from(tiles, start, (*passable, *kinds))
    return min((steps[place] for place in places(tiles, kinds) if place in steps), default=0)


class PlainScannedLevel(PlainLevelDesign):
    """What both share."""

    probabilities: tuple

    def shares(self):
        return self.probabilities

    def is_success(self):
        return False

    def reset(self):
        self.time = -1
        return super().reset()

    def draw_place(self):
        if self.kind == "narrow":
            return divmod((self.time + 1) % (self.height * self.width), self.width)
        return super().draw_place()


class PlainMazeLevel(PlainScannedLevel):
    """`MazeLevel` with its default params."""

    probabilities = 0.48, 0.48, 0.02, 0.02

    def measure(self):
        players, doors = places(self.tiles, (2,)), places(self.tiles, (3,))
        num = len(regions(self.tiles, (0, 2, 3)))
        is_one = len(players) == len(doors) == num == 1
        path = way(self.tiles, players[0], (3,), (0, 2)) if is_one else 0
        return {"player": len(players), "door": len(doors), "regions": num, "path_length": path}


class PlainDungeonLevel(PlainScannedLevel):
    """`DungeonLevel` with its default params."""

    probabilities = 0.58, 0.3, *[0.02] * 6

    def measure(self):
        tiles, enemies, floor = self.tiles, (5, 6, 7), (0, 3)
        found = {name: places(tiles, (kind,)) for name, kind in (("player", 2), ("key", 3))}
        found |= {"door": places(tiles, (4,)), "enemies": places(tiles, enemies)}
        measures = {name: len(where) for name, where in found.items()}
        measures |= {"regions": len(regions(tiles, floor)), "nearest_enemy": 0, "path_length": 0}
        is_one = all(measures[name] == 1 for name in ("player", "key", "door", "regions"))
        if is_one and 2 <= measures["enemies"] <= 5:
            (player,), (key,) = found["player"], found["key"]
            measures["nearest_enemy"] = way(tiles, player, enemies, floor)
            path = way(tiles, player, (3,), floor) + way(tiles, key, (4,), floor)
            measures["path_length"] = path
        return measures
