"""Designs of levels on lists of tiles: `creative_rl.envs.level`, after PCGRL's released code."""

from collections import deque

import numpy as np
from reference.plain import Plain

EMPTY, SOLID, PLAYER, KEY, DOOR = range(5)
ENDLESS = 1 << 20


def places(tiles, kinds):
    return [(y, x) for y, row in enumerate(tiles) for x, tile in enumerate(row) if tile in kinds]


def steps_from(tiles, start, passable):
    """Steps to every tile that can be reached, by its place, in the order of reaching it."""
    height, width = len(tiles), len(tiles[0])
    steps, queue = {start: 0}, deque([start])
    while queue:
        y, x = queue.popleft()
        for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            is_inside = 0 <= place[0] < height and 0 <= place[1] < width
            if is_inside and place not in steps and tiles[place[0]][place[1]] in passable:
                steps[place] = steps[y, x] + 1
                queue.append(place)
    return steps


def regions(tiles, passable):
    """One dict of places for every region, from its first tile on."""
    found, seen = [], set()
    for start in places(tiles, passable):
        if start not in seen:
            found.append(steps_from(tiles, start, passable))
            seen |= found[-1].keys()
    return found


def longest_path(tiles, passable, found=None):
    """By two searches in every region, to the first of the farthest tiles; `found` are regions."""
    longest = 0
    for steps in regions(tiles, passable) if found is None else found:
        most = max(steps.values())
        farthest = min(place for place, far in steps.items() if far == most)
        longest = max(longest, *steps_from(tiles, farthest, passable).values())
    return longest


def gain(new, old, low, high):
    far_new, far_old = max(low - new, new - high, 0), max(low - old, old - high, 0)
    crosses = (new < low and old > high) or (old < low and new > high)
    return -far_new - far_old if crosses else far_old - far_new


class PlainLevelDesign(Plain):
    """What all designs share; sizes from the environment, numbers from its default params."""

    def __init__(self, env):
        params = env.default_params
        self.height, self.width, self.kind = env.height, env.width, env.representation
        self.num_tiles, self.num_actions = len(env.names), env.action_space.num
        self.max_changes, self.num_steps = int(params.max_changes), env.num_steps
        self.weights = {name: float(weight) for name, weight in params.weights.items()}
        self.intervals = {name: tuple(pair.tolist()) for name, pair in params.intervals.items()}
        self.targets = {name: tuple(pair.tolist()) for name, pair in params.targets.items()}
        self.controls, self.bounds = env.controls, env.bounds
        self.generator, self.foreseen = np.random.default_rng(0), None

    def reset(self):
        draw = self.generator.choice
        tiles = draw(self.num_tiles, (self.height, self.width), p=self.shares())
        integers = self.generator.integers
        wanted = {name: int(integers(low, high + 1)) for name, (low, high) in self.targets.items()}
        self.begin(tiles.tolist(), *self.draw_place(), wanted)
        return self.observation()

    def start(self, state):
        wanted = {name: int(value) for name, value in state.wanted.items()}
        tiles = np.asarray(state.tiles).tolist()
        self.begin(tiles, int(state.row), int(state.column), wanted)
        return self.observation()

    def begin(self, tiles, row, column, wanted):
        self.tiles, self.row, self.column, self.wanted = tiles, row, column, wanted
        self.changes = self.time = 0
        self.measures = self.at_start = self.measure()

    def foresee(self, after):
        self.foreseen = int(after.row), int(after.column)

    def draw_place(self):
        if self.kind == "wide":
            return 0, 0
        return int(self.generator.integers(self.height)), int(self.generator.integers(self.width))

    def observation(self):
        if not self.controls:
            return self.picture()
        wanted = np.array([self.wanted[name] for name in self.controls], np.float32)
        now = np.array([self.measures[name] for name in self.controls], np.float32)
        most = np.array([self.bounds[name] for name in self.controls], np.float32)
        told = {"wanted": wanted / most, "direction": np.sign(wanted - now)}
        return {"map": self.picture(), **told}

    def picture(self):
        tiles = np.array(self.tiles, np.uint8)
        if self.kind != "wide":
            side = 2 * max(self.height, self.width)
            around = np.pad(tiles, side // 2, constant_values=SOLID)
            tiles = around[self.row : self.row + side, self.column : self.column + side]
        if self.num_tiles == 2:
            return tiles[..., None] * np.uint8(255)
        return np.eye(self.num_tiles, dtype=np.uint8)[tiles] * np.uint8(255)

    def step(self, action):
        row, column, tile = self.row, self.column, None
        if self.kind == "narrow":
            tile = action - 1 if action else None
            self.row, self.column = self.foreseen or self.draw_place()
        elif self.kind == "turtle" and action < 4:
            down, right = ((0, -1), (0, 1), (-1, 0), (1, 0))[action]
            self.row = min(max(row + down, 0), self.height - 1)
            self.column = min(max(column + right, 0), self.width - 1)
        elif self.kind == "turtle":
            tile = action - 4
        else:
            place, tile = divmod(action, self.num_tiles)
            row, column = divmod(place, self.width)
        self.time += 1
        before = self.measures
        if tile is not None and self.tiles[row][column] != tile:
            self.tiles[row][column] = tile
            self.changes += 1
            self.measures = self.measure()
        self.terms = {name: self.worth(name, before[name]) for name in self.weights}
        reward = sum(self.weights[name] * worth for name, worth in self.terms.items())
        is_spent = self.changes >= self.max_changes or self.time >= self.num_steps
        is_over = is_spent or (not self.controls and self.is_success())
        return self.observation(), reward, is_over

    def worth(self, name, old):
        new = self.measures[name]
        if name in self.controls:
            return abs(self.wanted[name] - old) - abs(self.wanted[name] - new)
        return gain(new, old, *self.intervals[name])


class PlainBinaryLevel(PlainLevelDesign):
    """`BinaryLevel` with its default params."""

    def shares(self):
        empty = self.generator.random()
        return empty, 1 - empty

    def measure(self):
        found = regions(self.tiles, (EMPTY,))
        return {
            "regions": len(found),
            "path_length": longest_path(self.tiles, (EMPTY,), found),
        }

    def is_success(self):
        path_gain = self.measures["path_length"] - self.at_start["path_length"]
        return self.measures["regions"] == 1 and path_gain >= 20


class PlainZeldaLevel(PlainLevelDesign):
    """`ZeldaLevel` with its default params."""

    def shares(self):
        return 0.58, 0.3, *[0.02] * 6

    def measure(self):
        tiles, enemies = self.tiles, (5, 6, 7)
        measures = {
            "player": len(places(tiles, (PLAYER,))),
            "key": len(places(tiles, (KEY,))),
            "door": len(places(tiles, (DOOR,))),
            "enemies": len(places(tiles, enemies)),
            "regions": len(regions(tiles, (EMPTY, PLAYER, KEY, *enemies))),
            "nearest_enemy": 0,
            "path_length": 0,
        }
        if measures["player"] == measures["regions"] == 1:
            (player,) = places(tiles, (PLAYER,))
            if measures["enemies"]:
                steps = steps_from(tiles, player, (EMPTY, PLAYER, *enemies))
                ways = [steps[place] for place in places(tiles, enemies) if place in steps]
                measures["nearest_enemy"] = min(ways, default=self.height * self.width)
            if measures["key"] == measures["door"] == 1:
                (key,), (door,) = places(tiles, (KEY,)), places(tiles, (DOOR,))
                steps = steps_from(tiles, player, (EMPTY, PLAYER, KEY, *enemies))
                measures["path_length"] += steps.get(key, -1)
                steps = steps_from(tiles, key, (EMPTY, PLAYER, KEY, DOOR, *enemies))
                measures["path_length"] += steps.get(door, -1)
        return measures

    def is_success(self):
        return self.measures["nearest_enemy"] >= 4 and self.measures["path_length"] >= 16
