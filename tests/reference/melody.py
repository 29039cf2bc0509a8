"""Melodies on plain lists: `creative_rl.envs.melody`."""

from collections import deque

import numpy as np
from reference.music_theory import TheoryTwin
from reference.plain import Plain


class PlainVarietyMelody(Plain):
    """The variety of a sliding window, by a `set`; sizes from a `VarietyMelody`."""

    def __init__(self, env):
        self.length, self.window, self.num_actions = env.length, env.window, env.num_pitches

    def reset(self):
        self.time = 0
        self.notes = deque([0] * self.window, maxlen=self.window)
        return self.observation()

    def observation(self):
        return np.asarray(self.notes, np.int32)

    def step(self, action):
        self.notes.append(action)
        self.time += 1
        reward = len(set(self.notes)) / self.window
        return self.observation(), reward, self.time >= self.length


class PlainTargetMelody(Plain):
    """A target melody, note by note; sizes and target from a `TargetMelody`."""

    def __init__(self, env):
        self.length, self.num_actions = env.length, env.num_pitches
        self.num_phases = env.num_phases or env.length
        self.target = np.asarray(env.default_params.target).tolist()

    def reset(self):
        self.time = 0
        return self.observation()

    def observation(self):
        return np.int32(self.time % self.num_phases)

    def step(self, action):
        reward = float(action == self.target[self.time])
        self.time += 1
        return self.observation(), reward, self.time >= self.length


class PlainTheoryMelody(Plain):
    """RL Tuner's rules on plain lists; sizes from a `TheoryMelody`."""

    def __init__(self, env):
        self.length, self.num_actions = env.length, env.action_space.num
        self.twin = TheoryTwin(env.length)

    def reset(self):
        self.twin.reset()
        return self.observation()

    def start(self, state):
        self.twin.reset(int(state.event))
        return self.observation()

    def observation(self):
        return np.int32(self.twin.event)

    def step(self, action):
        terms = self.twin.step(action)
        is_over = len(self.twin.events) >= self.length
        return self.observation(), sum(terms.values()), is_over
