"""Accompaniment, slowly: lists, one frame after the other, written from the specs table."""

import numpy as np
from reference.plain import Plain

INTERVALS = {0: (0, 4, 7), 1: (0, 3, 7), 2: (0, 3, 6), 3: (0, 4, 7, 10), 4: (0, 3, 7, 10)}
SILENT = None


def tones(chord):
    """Pitch classes of a chord's code, the root first; none for 0."""
    if chord == 0:
        return []
    return [((chord - 1) % 12 + interval) % 12 for interval in INTERVALS[(chord - 1) // 12]]


def after_event(event, pitch, lowest):
    """What sounds after an event of a voice whose code 2 is `lowest`."""
    return pitch if event == 1 else event - 2 + lowest if event >= 2 else SILENT


def observed_code(event):
    """An event of the melody in the 38 codes of an observation."""
    if event < 2:
        return event
    pitch = event - 2
    while pitch < 48:
        pitch += 12
    while pitch > 83:
        pitch -= 12
    return pitch - 48 + 2


class PlainAccompaniment(Plain):
    """`Accompaniment` with its default params; `reset` draws a melody."""

    def __init__(self, env):
        params = env.default_params
        self.is_chord = env.part == "chord"
        self.num_frames, self.window = env.num_frames, env.window
        self.num_actions = env.action_space.num
        self.melodies = np.asarray(params.melodies).tolist()
        self.bars, self.longest = np.asarray(params.bars).tolist(), int(params.longest)
        self.weights = {term.name: term.weight for term in env.terms}
        self.rng = np.random.default_rng(0)

    def reset(self):
        self.melody = int(self.rng.integers(len(self.melodies)))
        self.actions, self.note, self.chord, self.bass, self.lasted = [], SILENT, 0, SILENT, 0
        return self.observation()

    def start(self, state):
        self.melody = int(state.melody)
        return self.observation()

    def observation(self):
        step, window = len(self.actions), self.window
        heard = [observed_code(event) for event in self.melodies[self.melody][:step]]
        sounding = 0 if self.bass is SILENT else self.bass - 36 + 2
        return {
            "melody": np.array(([0] * window + heard)[-window:]),
            "actions": np.array(([0] * window + self.actions)[-window:]),
            "sounding": np.int32(self.chord if self.is_chord else sounding),
            "beat": np.int32(step % self.bars[self.melody]),
            "time": np.float32(step / self.num_frames),
        }

    def step(self, action):
        before = (self.note, self.chord, self.bass)
        event = self.melodies[self.melody][len(self.actions)]
        self.actions.append(action)
        self.note = after_event(event, self.note, 0)
        if not self.is_chord:
            self.bass = after_event(action, self.bass, 36)
        elif action > 0:
            self.chord, self.bass = action, 36 + tones(action)[0]
        self.lasted = self.lasted + 1 if before[1:] == (self.chord, self.bass) else 1
        self.terms = self.paid(before[0], before[2])
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, len(self.actions) == self.num_frames

    def paid(self, note, bass):
        """The terms of a step, from what sounded before it."""
        is_last = len(self.actions) == self.num_frames
        both = self.note is not SILENT and self.bass is not SILENT
        interval = (self.note - self.bass) % 12 if both else None
        terms = {"repetition": -float(self.lasted > self.longest)}
        if self.is_chord:
            terms["note_in_chord"] = float(
                self.note is not SILENT and self.note % 12 in tones(self.chord)
            )
            terms["cadence"] = float(is_last and self.chord in (1, 22))
        else:
            consonance = {0: 0.5, 7: 0.5, 3: 1.0, 4: 1.0, 8: 1.0, 9: 1.0}
            terms["consonance"] = consonance.get(interval, 0.0)
            terms["range"] = -float(both and self.bass > self.note)
            tonic = self.bass is not SILENT and self.bass % 12 in (0, 9)
            terms["cadence"] = float(is_last and tonic)
        leaps = parallel = False
        if bass is not SILENT and self.bass is not SILENT:
            leap = abs(self.bass - bass)
            leaps = leap == 6 or (not self.is_chord and leap > 7 and leap != 12)
        if both and note is not SILENT and bass is not SILENT:
            kept = interval == (note - bass) % 12 and interval in (0, 7)
            parallel = kept and note != self.note and bass != self.bass
        terms["voice_leading"] = -0.5 * leaps - 0.5 * parallel
        return terms
