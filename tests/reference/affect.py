"""Valence and arousal of a melody on plain lists, and the environment that asks for them."""

import itertools

import numpy as np

MAJOR, MINOR = (4, 9, 11), (3, 8, 10)
CONSONANT = (0, 3, 4, 5, 7, 8, 9)


def felt(events):
    """(valence, arousal) of event codes."""
    heights = [event - 2 for event in events if event >= 2]
    classes = [height % 12 for height in heights]
    major, minor = (sum(c in mode for c in classes) for mode in (MAJOR, MINOR))
    mode = (major - minor) / (major + minor) if major + minor else 0.0
    intervals = [abs(b - a) % 12 for a, b in itertools.pairwise(heights)]
    consonance = 0.0
    if intervals:
        consonance = 2 * sum(i in CONSONANT for i in intervals) / len(intervals) - 1
    density = 2 * len(heights) / max(len(events), 1) - 1
    register = 2 * sum(heights) / (35 * max(len(heights), 1)) - 1
    return 0.75 * mode + 0.25 * consonance, 0.75 * density + 0.25 * register


class PlainMoodMelody:
    """`MoodMelody` with its default params; `reset` draws a target, which may be replaced.

    `twin` judges the rules of music theory: a `reference.music_theory.TheoryTwin`.
    """

    def __init__(self, env, twin):
        params = env.default_params
        self.length, self.num_actions = env.length, env.action_space.num
        self.targets = np.asarray(params.targets)
        self.weights = {name: float(weight) for name, weight in params.weights.items()}
        self.twin, self.rng = twin, np.random.default_rng(0)

    def reset(self):
        self.target = self.targets[self.rng.integers(len(self.targets))]
        self.twin.reset()
        return self.observation()

    def observation(self):
        return {
            "event": np.int32(self.twin.event),
            "wanted": np.asarray(self.target, np.float32),
            "reached": np.array(felt(self.twin.events), np.float32),
            "time": np.float32(len(self.twin.events) / self.length),
        }

    def matches(self):
        if not self.twin.events:
            return np.zeros(2)
        return 1 - np.abs(np.array(felt(self.twin.events)) - self.target) / 2

    def step(self, action):
        before = self.matches()
        terms = self.twin.step(action)
        gains = dict(zip(("valence_match", "arousal_match"), self.matches() - before, strict=True))
        self.terms = {name: (terms | gains)[name] for name in self.weights}
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, len(self.twin.events) >= self.length
