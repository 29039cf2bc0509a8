"""A walk over a grid on a plain list: `creative_rl.envs.grid_path`."""

import numpy as np
from reference.plain import Plain


class PlainGridPath(Plain):
    """A walk to the far corner, with its places kept; sizes from a `GridPath`."""

    num_actions = 4
    moves = ((-1, 0), (0, 1), (1, 0), (0, -1))

    def __init__(self, env):
        self.last, self.num_steps = env.size - 1, env.num_steps

    def reset(self):
        self.row = self.column = 0
        self.walk = [(0, 0)]
        return self.observation()

    def observation(self):
        return np.array(self.walk[-1], np.int32)

    def step(self, action):
        down, right = self.moves[action]
        self.row = min(max(self.row + down, 0), self.last)
        self.column = min(max(self.column + right, 0), self.last)
        self.walk.append((self.row, self.column))
        arrived = self.row == self.column == self.last
        is_over = arrived or len(self.walk) > self.num_steps
        return self.observation(), -0.1 + arrived, is_over
