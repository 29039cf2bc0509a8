"""Clickbait and satisfaction, one user at a time."""

import math
import random

import numpy as np
from reference.plain import Plain


class PlainSatisfactionRecommendation(Plain):
    """RecSim's long-term satisfaction; sizes from a `SatisfactionRecommendation`."""

    def __init__(self, env):
        self.num_actions, self.num_steps = env.num_candidates, env.num_steps
        self.random = random.Random(0)

    def reset(self):
        self.exposure = (self.random.random() - 0.5) / (1 - 0.7)
        self.engagement, self.num_shown, self.after = 0.0, 0, None
        self.draw()
        return self.observation()

    def draw(self):
        self.clickbait = [self.random.random() for _ in range(self.num_actions)]

    def start(self, state):
        self.exposure = float(state.exposure)
        self.clickbait = np.asarray(state.clickbait).tolist()
        return self.observation()

    def foresee(self, after):
        self.after = after

    def observation(self):
        return {
            "candidates": np.array(self.clickbait, np.float32),
            "engagement": np.float32(min(self.engagement, 100.0)),
        }

    def step(self, action):
        clickbait = self.clickbait[action]
        satisfaction = 1 / (1 + math.exp(-0.01 * self.exposure))
        mean = (5 * clickbait + 4 * (1 - clickbait)) * satisfaction
        expected = 0.7 * self.exposure - 2 * (clickbait - 0.5)
        if self.after is None:
            self.engagement = math.exp(self.random.gauss(mean, 1))
            self.exposure = expected + self.random.gauss(0, 0.05)
            self.draw()
        else:  # what was drawn, if it can have been
            self.engagement = float(self.after.engagement)
            self.exposure = float(self.after.exposure)
            self.clickbait = np.asarray(self.after.clickbait).tolist()
            assert abs(math.log(self.engagement) - mean) < 6
            assert abs(self.exposure - expected) < 6 * 0.05
        self.num_shown += 1
        return self.observation(), self.engagement, self.num_shown == self.num_steps
