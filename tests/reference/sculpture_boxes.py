"""Modelling with boxes on NumPy arrays: `creative_rl.envs.sculpture_boxes`."""

import itertools

import numpy as np
from reference.plain import Plain
from reference.sculpture import depth_maps

AMOUNTS = (1, 2, -2, -1)


class PlainBoxSculpture(Plain):
    """27 boxes as lists of six; sizes from a `BoxSculpture`."""

    num_actions = 27 * 7 * 4

    def __init__(self, env):
        self.num_steps, self.sees_target = env.num_steps, env.sees_target
        words = np.asarray(env.default_params.targets)
        bits = np.arange(16, dtype=np.uint32)[:, None, None]
        self.targets = [(one >> bits & 1).astype(bool) for one in words]
        self.views = [depth_maps(np.argwhere(one).tolist(), 16) for one in self.targets]
        self.rng = np.random.default_rng(0)

    def reset(self):
        corners = itertools.product((2, 6, 10), repeat=3)
        self.boxes = [[*corner, *(at + 4 for at in corner)] for corner in corners]
        self.num_made, self.worth = 0, 0.0
        self.target = int(self.rng.integers(len(self.targets)))
        return self.observation()

    def start(self, state):
        self.target = int(state.target)
        return self.observation()

    def observation(self):
        seen = {
            "views": self.views[self.target],
            "boxes": np.array(self.boxes, np.float32) / 16,
            "step": np.int32(self.num_made),
        }
        if self.sees_target:
            seen["target"] = self.targets[self.target].astype(np.float32)
        return seen

    def changed(self, action):
        """The boxes after an action, or None where it is not allowed."""
        number, operation, amount = np.unravel_index(action, (27, 7, 4))
        boxes = [list(box) for box in self.boxes]
        box = boxes[number]
        if number != self.num_made % 27:
            return None
        if operation == 6:
            if not self.has_volume(box):
                return None
            box[3:] = box[:3]
        else:
            box[operation] += AMOUNTS[amount]
            if not 0 <= box[operation] <= 16 or any(box[k] > box[k + 3] for k in range(3)):
                return None
        return boxes

    @staticmethod
    def has_volume(box):
        return all(box[k] < box[k + 3] for k in range(3))

    def value(self, boxes):
        target = self.targets[self.target]
        everything = np.zeros_like(target)
        singles = []
        for box in filter(self.has_volume, boxes):
            one = np.zeros_like(target)
            one[box[0] : box[3], box[1] : box[4], box[2] : box[5]] = True
            everything |= one
            singles.append((one & target).sum() / (one | target).sum())
        iou = (everything & target).sum() / (everything | target).sum()
        local = sum(singles) / len(singles) if singles else 0.0
        return iou + 0.1 * local + 0.01 * (27 - len(singles))

    def greedy_action(self):
        """What the expert does, who deletes in the second half only."""
        first = self.num_made % 27 * 28
        last = 28 if self.num_made > 0.5 * self.num_steps else 24
        tried = {action: self.changed(action) for action in range(first, first + last)}
        worth = {action: self.value(boxes) for action, boxes in tried.items() if boxes}
        return max(worth, key=worth.get)

    def step(self, action):
        self.boxes = self.changed(action) or self.boxes
        self.num_made += 1
        before, self.worth = self.worth, self.value(self.boxes)
        return self.observation(), self.worth - before, self.num_made == self.num_steps
