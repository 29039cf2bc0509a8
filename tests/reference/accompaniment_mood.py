"""Chords to a mood, slowly: `creative_rl.envs.accompaniment_mood`, from its specs table."""

import numpy as np
from reference.plain import Plain


class PlainMoodAccompaniment(Plain):
    """`MoodAccompaniment` with its default params; `reset` draws a curve."""

    def __init__(self, env):
        params = env.default_params
        self.num_frames, self.num_actions = env.num_frames, env.action_space.num
        self.valences = np.asarray(params.valence).tolist()
        self.arousals = np.asarray(params.arousal).tolist()
        self.rng = np.random.default_rng(0)

    def reset(self):
        self.curve = int(self.rng.integers(len(self.valences)))
        self.struck, self.chord, self.register = [0] * 8, 0, 0
        return self.observation()

    def start(self, state):
        self.curve = int(state.curve)
        return self.observation()

    def observation(self):
        step = len(self.struck) - 8
        frame = min(step, self.num_frames - 1)
        return {
            "valence": np.float32(self.valences[self.curve][frame]),
            "arousal": np.float32(self.arousals[self.curve][frame]),
            "chord": np.int32(self.chord),
            "register": np.float32(self.register / 2),
            "strikes": np.array(self.struck[-8:]),
            "beat": np.int32(step % 8),
            "time": np.float32(step / self.num_frames),
        }

    def step(self, action):
        frame = len(self.struck) - 8
        if action > 0:
            self.register, chord = divmod(action - 1, 60)
            self.chord = 1 + chord
        self.struck.append(int(action > 0))
        valence = (1.0, -0.5, -1.0, 0.5, -0.25)[(self.chord - 1) // 12] if self.chord else 0.0
        arousal = sum(self.struck[-8:]) / 8 + self.register / 2 - 1
        self.terms = {
            "valence_match": 1 - abs(valence - self.valences[self.curve][frame]) / 2,
            "arousal_match": 1 - abs(arousal - self.arousals[self.curve][frame]) / 2,
        }
        return self.observation(), sum(self.terms.values()), frame + 1 == self.num_frames
