"""Chord progressions, slowly: names and sets, written from the specs table and textbooks."""

import itertools

import numpy as np
from reference.plain import Plain

QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
}
MAJOR = {  # semitones above the tonic, quality: function
    (0, ""): "T", (2, "m"): "S", (2, "m7"): "S", (4, "m"): "T", (4, "m7"): "T", (5, ""): "S",
    (7, ""): "D", (7, "7"): "D", (9, "m"): "T", (9, "m7"): "T", (11, "dim"): "D",
}  # fmt: skip
MINOR = {
    (0, "m"): "T", (0, "m7"): "T", (2, "dim"): "S", (3, ""): "T", (5, "m"): "S", (5, "m7"): "S",
    (7, "m"): "D", (7, "m7"): "D", (7, ""): "D", (7, "7"): "D", (8, ""): "T", (10, ""): "D",
    (10, "7"): "D", (11, "dim"): "D",
}  # fmt: skip
WORTH = {"TS": 1.0, "SD": 1.0, "DT": 1.0, "TD": 0.5, "ST": 0.5, "DS": -1.0}


def function(chord, key):
    """T, S or D; an empty string for no chord of the key."""
    if chord == 0:
        return ""
    quality, root = divmod(chord - 1, 12)
    named = ((root - key) % 12, list(QUALITIES)[quality])
    return (MINOR if key >= 12 else MAJOR).get(named, "")


def worth(before, after, key):
    """What a progression pays: to the sixth degree half, to the third nothing."""
    value = WORTH.get(function(before, key) + function(after, key), 0.0)
    above = (after - 1 - key) % 12
    degree = {4: "III", 9: "VI"} if key < 12 else {3: "III", 8: "VI"}
    return value * {"III": 0.0, "VI": 0.5}.get(degree.get(above), 1.0)


def tones(chord):
    quality, root = divmod(chord - 1, 12)
    return [(root + interval) % 12 for interval in list(QUALITIES.values())[quality]]


def movement(first, second):
    """Semitones: over all ways to give each of four or three voices a tone of both chords."""
    if 0 in (first, second):
        return 0
    few, many = sorted((tones(first), tones(second)), key=len)
    least = 99
    for voices in itertools.product(few, repeat=len(many)):
        if set(voices) == set(few):
            steps = (abs(a - b) for a, b in zip(voices, many, strict=True))
            least = min(least, sum(min(step, 12 - step) for step in steps))
    return least


class PlainChords(Plain):
    """`Chords` with its default params; `reset` draws a key."""

    def __init__(self, env):
        self.length, self.num_actions = env.length, env.action_space.num
        self.longest = int(env.default_params.longest)
        self.weights = {term.name: term.weight for term in env.terms}
        self.rng = np.random.default_rng(0)

    def reset(self):
        self.key = int(self.rng.integers(24))
        self.step_number = 0
        self.played = [0]  # the chords, without repeats
        self.lasted = 0
        return self.observation()

    def start(self, state):
        self.key = int(state.tonality)
        return self.observation()

    def observation(self):
        return {
            "key": np.int32(self.key),
            "chord": np.int32(self.played[-1]),
            "before": np.int32(self.played[-2] if len(self.played) > 1 else 0),
            "heard": np.array([int(code in self.played) for code in range(1, 61)]),
            "lasted": np.float32(self.lasted / self.length),
            "time": np.float32(self.step_number / self.length),
        }

    def step(self, action):
        self.step_number += 1
        changes = action not in (0, self.played[-1])
        is_new = changes and action not in self.played
        self.lasted = 1 if changes else self.lasted + 1
        if changes:
            self.played.append(action)
        self.terms = self.paid(changes, is_new)
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, self.step_number == self.length

    def paid(self, changes, is_new):
        before, chord = [0, *self.played][-2:]
        is_tonic = chord == 1 + self.key
        cadence = 0.0
        if is_tonic and self.step_number == self.length:
            cadence = {"D": 1.0}.get(function(before, self.key), 0.5 if before else 0.0)
        elif is_tonic and self.step_number == 1:
            cadence = 0.5
        return {
            "function": worth(before, chord, self.key) if changes else 0.0,
            "in_key": 0.0 if function(chord, self.key) else -1.0,
            "voice_leading": -movement(before, chord) / 7 if changes else 0.0,
            "cadence": cadence,
            "repetition": -1.0 if self.lasted > self.longest else 0.0,
            "variety": float(is_new),
        }
