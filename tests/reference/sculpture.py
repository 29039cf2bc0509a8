"""A sculpture as a dict of cells: `creative_rl.envs.sculpture` and `creative_rl.ops.voxels`."""

import itertools
import math

import numpy as np
from reference.plain import Plain

STEPS = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))


def moved(cell, step):
    return tuple(a + b for a, b in zip(cell, step, strict=True))


def joined(cells):
    """Those that a walk from the ground reaches."""
    reached = [cell for cell in cells if cell[2] == 0]
    found = set(reached)
    while reached:
        cell = reached.pop()
        for step in STEPS:
            beside = moved(cell, step)
            if beside in cells and beside not in found:
                found.add(beside)
                reached.append(beside)
    return found


def hull(points):
    """Corners of the convex hull, anticlockwise (Andrew's monotone chain)."""
    points = sorted(set(points))

    def chain(points):
        out = []
        for p in points:
            while len(out) > 1 and turn(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return chain(points) + chain(points[::-1])


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def stability(cells):
    if not cells:
        return 0.0
    x, y, z = (sum(cell[axis] + 0.5 for cell in cells) / len(cells) for axis in range(3))
    ground = [cell for cell in cells if cell[2] == 0]
    if not ground:
        return 0.0
    corners = hull([(a + i, b + j) for a, b, _ in ground for i in (0, 1) for j in (0, 1)])
    edges = zip(corners, corners[1:] + corners[:1], strict=True)
    margin = min(turn(a, b, (x, y)) / math.dist(a, b) for a, b in edges)
    return min(max(margin / z, 0.0), 1.0)


def support(cells):
    if not cells:
        return 0.0
    below = [(0, 0, -1), (-1, 0, -1), (1, 0, -1), (0, -1, -1), (0, 1, -1)]
    held = [cell[2] == 0 or any(moved(cell, step) in cells for step in below) for cell in cells]
    return sum(held) / len(cells)


def symmetry(cells, size):
    if not cells:
        return 0.0
    across = sum((size - 1 - x, y, z) in cells for x, y, z in cells)
    back = sum((x, size - 1 - y, z) in cells for x, y, z in cells)
    return max(across, back) / len(cells)


def surface(cells):
    if not cells:
        return 0.0
    outside = sum(moved(cell, step) not in cells for cell in cells for step in STEPS)
    return outside / (6 * len(cells))


def silhouette(cells):
    if not cells:
        return 0.0
    total = 0.0
    for axis in range(3):
        shape = {cell[:axis] + cell[axis + 1 :] for cell in cells}
        steps = ((-1, 0), (1, 0), (0, -1), (0, 1))
        edges = sum(moved(cell, step) not in shape for cell in shape for step in steps)
        total += 1 - 16 * len(shape) / edges**2
    return total / 3


def evenness(counts):
    shares = [count / sum(counts) for count in counts if count]
    return sum(-share * math.log(share) for share in shares) / math.log(max(len(counts), 2))


def nearness(value, wanted):
    return min(value / wanted, (1 - value) / (1 - wanted))


def depth_maps(cells, size):
    maps = np.zeros((3, size, size), np.float32)
    for x, y, z in cells:
        for at, near in (((0, y, z), x + 1), ((1, x, z), size - y), ((2, x, y), z + 1)):
            maps[at] = max(maps[at], near / size)
    return maps


class PlainVoxelSculpture(Plain):
    """Sizes and goal from a `VoxelSculpture`; a dict from cells to materials."""

    def __init__(self, env):
        self.size, self.num_steps, self.materials = env.size, env.num_steps, env.num_materials
        self.tools = env.num_materials + 2
        self.num_actions = 6 * self.tools
        self.copies = env.goal == "copy"
        params = env.default_params
        self.budget = int(params.budget)
        self.wanted_mass = float(params.wanted_mass)
        self.wanted_surface = float(params.wanted_surface)
        self.targets = [set(map(tuple, np.argwhere(t).tolist())) for t in self._targets(params)]
        self.views = [depth_maps(target, self.size) for target in self.targets]
        self.target, self.rng = 0, np.random.default_rng(0)

    def _targets(self, params):
        return np.asarray(params.targets) if self.copies else []

    def reset(self):
        self.cells = {}
        self.cursor = (self.size // 2, self.size // 2, 0)
        self.num_made = 0
        if self.copies:
            self.target = int(self.rng.integers(len(self.targets)))
        self.worth = self.value()
        return self.observation()

    def start(self, state):
        self.target = int(state.target)
        return self.observation()

    def observation(self):
        voxels = np.zeros((self.size,) * 3, np.float32)
        for cell, material in self.cells.items():
            voxels[cell] = material / self.materials
        near = itertools.product((-1, 0, 1), repeat=3)
        around = [self.cells.get(moved(self.cursor, step), 0) / self.materials for step in near]
        seen = {
            "voxels": voxels,
            "cursor": np.array(self.cursor, np.int32),
            "around": np.array(around, np.float32),
            "left": np.float32(1 - len(self.cells) / self.budget),
            "time": np.float32(self.num_made / self.num_steps),
        }
        if self.copies:
            seen["views"] = self.views[self.target]
        return seen

    def value(self):
        cells = self.cells
        if self.copies:
            target = self.targets[self.target]
            return len(target & cells.keys()) / max(len(target | cells.keys()), 1)
        if not cells:
            return 0.0
        counts = [sum(m == k for m in cells.values()) for k in range(1, self.materials + 1)]
        return (
            stability(cells)
            + support(cells)
            + symmetry(cells, self.size)
            + nearness(surface(cells), self.wanted_surface)
            + nearness(len(cells) / self.budget, self.wanted_mass)
            + silhouette(cells)
            + evenness(counts)
        ) / 7

    def step(self, action):
        direction, tool = divmod(action, self.tools)
        cell = moved(self.cursor, STEPS[direction])
        if all(0 <= at < self.size for at in cell):
            self.cursor = cell
            self.use(tool, cell)
        self.num_made += 1
        before, self.worth = self.worth, self.value()
        return self.observation(), self.worth - before, self.num_made == self.num_steps

    def use(self, tool, cell):
        if tool == self.tools - 1:
            self.cells.pop(cell, None)
            stays = joined(self.cells)
            self.cells = {cell: m for cell, m in self.cells.items() if cell in stays}
        elif tool > 0 and (cell in self.cells or self.can_add(cell)):
            self.cells[cell] = tool

    def can_add(self, cell):
        is_beside = cell[2] == 0 or any(moved(cell, step) in self.cells for step in STEPS)
        return is_beside and len(self.cells) < self.budget
