"""Recommenders' users one at a time: `creative_rl.envs.recommendation`."""

import random

import numpy as np
from reference.plain import Plain


def unflatten(action, num, places):
    """The entries of an action that is numbered as `wrappers.FlattenActions` does."""
    entries = []
    for _ in range(places):
        action, entry = divmod(action, num)
        entries.append(entry)
    return entries[::-1]


class PlainInterestRecommendation(Plain):
    """RecSim's interest evolution; sizes from an `InterestRecommendation`.

    The budget is in single precision, or the last video would not last as long.
    """

    def __init__(self, env):
        self.num_topics, self.num_candidates = env.num_topics, env.num_candidates
        self.places, self.num_steps = env.slate_size, env.num_steps
        self.num_actions = self.num_candidates**self.places
        low = self.num_topics * 7 // 10
        high = self.num_topics - low
        self.means = [-3 + 3 * i / (low - 1) for i in range(low)]
        self.means += [3 * i / (high - 1) for i in range(high)]
        self.random = random.Random(0)

    def reset(self):
        self.interest = [self.random.uniform(-1, 1) for _ in range(self.num_topics)]
        self.budget, self.num_shown = np.float32(200), 0
        self.session, self.foreseen = [], None
        self.choice, self.quality, self.watched = 0, [0.0] * self.places, 0.0
        self.draw_candidates()
        return self.observation()

    def draw_candidates(self):
        self.topics = [self.random.randrange(self.num_topics) for _ in range(self.num_candidates)]

    def start(self, state):
        self.interest, self.topics = np.asarray(state.interest).tolist(), state.topics.tolist()
        return self.observation()

    def foresee(self, after):
        self.foreseen = after

    def observation(self):
        return {
            "interest": np.array(self.interest, np.float32),
            "candidates": np.array(self.topics, np.int32),
            "choice": np.int32(self.choice),
            "quality": np.array(self.quality, np.float32),
            "watched": np.float32(self.watched),
        }

    def choose(self, scores):
        """By the user's scores, or as is foreseen."""
        if self.foreseen is not None:
            return int(self.foreseen.choice)
        left = self.random.random() * (sum(scores) + 2.0)
        for place, score in enumerate(scores):
            if left < score:
                return 1 + place
            left -= score
        return 0

    def step(self, action):
        slate = unflatten(action, self.num_candidates, self.places)
        is_shown = [item not in slate[:place] for place, item in enumerate(slate)]
        shown = [self.topics[item] for item in slate]
        if self.foreseen is None:
            self.quality = [self.random.gauss(self.means[topic], 0.1) for topic in shown]
            self.quality = [q if s else 0.0 for q, s in zip(self.quality, is_shown, strict=True)]
        else:
            self.quality = np.asarray(self.foreseen.qualities).tolist()
        scores = [
            self.interest[topic] + 1 if s else 0.0 for topic, s in zip(shown, is_shown, strict=True)
        ]
        self.choice, self.watched = self.choose(scores), 0.0
        if self.choice:
            self.watch(shown[self.choice - 1], self.quality[self.choice - 1])
        else:
            self.budget -= np.float32(0.5)
        self.session.append((shown, self.choice, self.watched))
        self.num_shown += 1
        self.draw_candidates()
        if self.foreseen is not None:
            self.topics = self.foreseen.topics.tolist()
        is_over = self.budget <= 0 or self.num_shown >= self.num_steps
        return self.observation(), self.watched, is_over

    def watch(self, topic, quality):
        self.watched = min(self.budget, np.float32(4))
        x = self.interest[topic]
        alpha = 0.3 - 0.3 * abs(x)
        if self.foreseen is None:
            rises = self.random.random() < (x + 1) / 2
        else:
            rises = float(self.foreseen.interest[topic]) > x
        x += alpha * (1 - x) if rises else -alpha * (1 - x)
        self.interest[topic] = min(max(x, -1.0), 1.0)
        self.budget += self.watched * (np.float32(0.9 / 3.4) * np.float32(quality) - np.float32(1))
