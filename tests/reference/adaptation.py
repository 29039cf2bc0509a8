"""Edits of melodies, slowly: lists, one note after the other, written from the specs table."""

import itertools

import numpy as np
from reference.plain import Plain

WHITE = [pitch for pitch in range(36) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11)]
OPERATIONS = ("raise", "lower", "split", "merge", "earlier", "later", "ornament")


def notes(events):
    """(start, end, code) of each note; another event, or the end, ends it."""
    found, start = [], None
    for step, code in enumerate([*events, 0]):
        if code == 1:
            continue
        if start is not None:
            found.append((start, step, events[start]))
        start = step if code >= 2 else None
    return found


def neighbour(code, direction):
    """Code of the next white key, None where there is none."""
    keys = [2 + key for key in WHITE if (key + 2 - code) * direction > 0]
    return (min if direction > 0 else max)(keys) if keys else None


def edit(events, operation, place):
    """The events after an edit, None where it is not possible."""
    found = {start: (end, code) for start, end, code in notes(events)}
    if place not in found:
        return None
    (end, code), name, events = found[place], OPERATIONS[operation], list(events)
    above = neighbour(code, 1)
    if name in ("raise", "lower"):
        other = above if name == "raise" else neighbour(code, -1)
        if other is None:
            return None
        events[place] = other
    elif name == "split":
        if end - place < 2:
            return None
        events[place + (end - place) // 2] = code
    elif name == "merge":
        if end not in found:
            return None
        events[end] = 1
    elif name == "earlier":
        if place == 0 or place - 1 in found:
            return None
        events[place - 1 : place + 1] = [code, 1]
    elif name == "later":
        if end - place < 2:
            return None
        events[place : place + 2] = [1, code]
    else:
        if end - place < 3 or above is None:
            return None
        events[place : place + 3] = [code, above, code]
    return events


def sounding(events):
    """Semitones above MIDI 48 at every step, None for silence."""
    now, found = None, []
    for code in events:
        now = now if code == 1 else code - 2 if code >= 2 else None
        found.append(now)
    return found


def style(events, beat):
    """Density, share of steps, range and syncopation."""
    all_ = notes(events)
    codes = [code for _, _, code in all_]
    intervals = [abs(b - a) for a, b in itertools.pairwise(codes)]
    late = 0
    for start, end, _ in all_:
        following = next(step for step in range(start + 1, start + beat + 1) if step % beat == 0)
        late += start % beat != 0 and following < len(events) and end > following
    return [
        len(all_) / len(events),
        sum(1 <= interval <= 2 for interval in intervals) / max(len(intervals), 1),
        min((max(codes) - min(codes)) / 24, 1.0) if codes else 0.0,
        late / max(len(all_), 1),
    ]


def resemblance(events, original, beat):
    """Pitch classes, directions from a beat before, and starts in common."""

    def directions(pitches):
        pairs = zip(pitches[beat:], pitches, strict=False)
        return [
            None if None in pair else (pair[0] > pair[1]) - (pair[0] < pair[1]) for pair in pairs
        ]

    def classes(pitches):
        return [None if pitch is None else pitch % 12 for pitch in pitches]

    def alike(first, second):
        return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)

    pitches, others = sounding(events), sounding(original)
    starts, other_starts = ({start for start, *_ in notes(e)} for e in (events, original))
    either = starts | other_starts
    rhythm = len(starts & other_starts) / len(either) if either else 1.0
    pitch, contour = (
        alike(classes(pitches), classes(others)),
        alike(*map(directions, (pitches, others))),
    )
    return (pitch + contour + rhythm) / 3


class PlainAdaptation(Plain):
    """`Adaptation` with its default params; `reset` draws a melody and a style."""

    def __init__(self, env):
        params = env.default_params
        self.length, self.num_edits, self.beat = env.length, env.num_edits, env.steps_per_quarter
        self.num_actions = env.action_space.num
        self.originals = np.asarray(params.originals).tolist()
        self.styles = np.asarray(params.styles).tolist()
        self.weights = {term.name: term.weight for term in env.terms}
        self.rng = np.random.default_rng(0)

    def reset(self):
        draw = self.rng.integers
        return self.begin(int(draw(len(self.originals))), int(draw(len(self.styles))))

    def start(self, state):
        return self.begin(int(state.original), int(state.style))

    def begin(self, original, style_number):
        self.original, self.style = self.originals[original], self.styles[style_number]
        self.events, self.made = list(self.original), 0
        return self.observation()

    def observation(self):
        return {
            "melody": np.array(self.events),
            "original": np.array(self.original),
            "features": np.array(style(self.events, self.beat), np.float32),
            "style": np.array(self.style, np.float32),
            "resemblance": np.float32(resemblance(self.events, self.original, self.beat)),
            "left": np.float32((self.num_edits - self.made) / self.num_edits),
        }

    def measured(self):
        features = style(self.events, self.beat)
        fit = sum(1 - abs(a - b) for a, b in zip(features, self.style, strict=True)) / 4
        return fit, resemblance(self.events, self.original, self.beat)

    def step(self, action):
        self.made += 1
        fit, like = self.measured()
        after = self.events if action == 0 else edit(self.events, *divmod(action - 1, self.length))
        self.events = self.events if after is None else after
        new_fit, new_like = self.measured()
        codes = [code - 2 for _, _, code in notes(self.events)]
        outside = sum(key not in WHITE for key in codes) / max(len(codes), 1)
        self.terms = {
            "style": new_fit - fit,
            "closeness": new_like - like,
            "validity": -1.0 if after is None else -outside,
        }
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, self.made == self.num_edits
