"""Tastes that drift, one user at a time: `creative_rl.envs.recommendation_factors`."""

import random

import numpy as np
from reference.plain import Plain


class PlainFactorRecommendation(Plain):
    """One item after another; sizes and default factors from a `FactorRecommendation`."""

    def __init__(self, env):
        params = env.default_params
        self.users, self.items = (np.asarray(a).tolist() for a in (params.users, params.items))
        self.num_actions, self.num_steps = env.num_items, env.num_steps
        self.random = random.Random(0)

    def reset(self):
        self.taste = list(self.random.choice(self.users))
        self.seen, self.num_shown, self.liking, self.after = set(), 0, 0.0, None
        return self.observation()

    def start(self, state):
        self.taste = np.asarray(state.taste).tolist()
        return self.observation()

    def foresee(self, after):
        self.after = after

    def observation(self):
        return {
            "taste": np.array(self.taste, np.float32),
            "seen": np.array([item in self.seen for item in range(self.num_actions)], np.float32),
            "liking": np.float32(self.liking),
        }

    def step(self, action):
        factors = self.items[action]
        rating = 3 + sum(p * q for p, q in zip(self.taste, factors, strict=True))
        self.liking = (min(max(rating, 1), 5) - 1) / 4
        reward = self.liking - (action in self.seen)
        self.seen.add(action)
        pulled = [
            p + 0.05 * self.liking * (q - p) for p, q in zip(self.taste, factors, strict=True)
        ]
        if self.after is None:
            self.taste = [p + self.random.gauss(0, 0.05) for p in pulled]
        else:  # what was drawn, if it can have been
            self.taste = np.asarray(self.after.taste).tolist()
            assert np.abs(np.subtract(self.taste, pulled)).max() < 6 * 0.05
        self.num_shown += 1
        return self.observation(), reward, self.num_shown == self.num_steps
