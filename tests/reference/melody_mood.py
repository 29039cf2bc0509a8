"""Melodies to a mood on plain lists: `creative_rl.envs.melody_mood`."""

import numpy as np
from reference.affect import felt
from reference.music_theory import TheoryTwin
from reference.plain import Plain


class PlainMoodMelody(Plain):
    """`MoodMelody` with its default params; `reset` draws a target."""

    def __init__(self, env):
        params = env.default_params
        self.length, self.num_actions = env.length, env.action_space.num
        self.targets = np.asarray(params.targets)
        self.weights = {name: float(weight) for name, weight in params.weights.items()}
        self.twin, self.rng = TheoryTwin(env.length), np.random.default_rng(0)

    def reset(self):
        self.target = self.targets[self.rng.integers(len(self.targets))]
        self.twin.reset()
        return self.observation()

    def start(self, state):
        self.target = np.asarray(state.target)
        self.twin.reset(int(state.event))
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
