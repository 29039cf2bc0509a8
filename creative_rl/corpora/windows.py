"""Tunes brought into range and cut into windows."""

import numpy as np

from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import Tune
from creative_rl.ops.events import LOWEST_CODE, LOWEST_PITCH

HIGHEST_PITCH = 83
"""The range is MIDI 48 to 83, three octaves, codes 2 to 37."""


def fitted(tune: Tune, transpose: bool) -> np.ndarray:
    """The tune's events, uint8[L] in 0..37: in C major or A minor if asked, and in range.

    Of the octaves in which every note is in range, the one whose mean pitch is nearest to the
    middle of it: a tune in C then mostly has its tonic on middle C, as RL Tuner's rules ask.

    Raises:
      Unusable: no octave fits.
    """
    is_note = tune.events >= LOWEST_CODE
    pitches = tune.events[is_note].astype(int) - LOWEST_CODE + (tune.shift if transpose else 0)
    low, high, mean = pitches.min(), pitches.max(), pitches.mean()
    fits = range(-((low - LOWEST_PITCH) // 12), (HIGHEST_PITCH - high) // 12 + 1)
    if not fits:
        raise Unusable(
            f"its {high - low + 1} semitones fit MIDI {LOWEST_PITCH}..{HIGHEST_PITCH} in no octave"
        )
    middle = (LOWEST_PITCH + HIGHEST_PITCH) / 2
    octave = min(fits, key=lambda octaves: abs(mean + 12 * octaves - middle))
    events = tune.events.copy()
    events[is_note] = pitches + 12 * octave - LOWEST_PITCH + LOWEST_CODE
    return events


def cut(events: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Windows of `length + 1` events, uint8[N, length + 1], N possibly zero.

    A window starts on the downbeat of a full bar where a note begins, so its first event is a
    pitch, as what RL Tuner primes with, and no window begins inside a note. From one window the
    next starts at the first such bar at least `length // 2` events on: whole bars apart (for 32
    events one of 4/4 or two of 2/4, 6/8 and 3/4), the units that phrases are made of, and an
    event is seen about twice, early in one window and late in another.
    """
    places = places_of(starts, len(events), length)
    windows = [events[place : place + length + 1] for place in places]
    return np.array(windows, np.uint8).reshape(-1, length + 1)


def places_of(starts: np.ndarray, num_events: int, length: int) -> list[int]:
    """Where the windows of `cut` begin: of the starts the first, and from each the next that is
    `length // 2` events on and has `length` events after it."""
    places = []
    free = 0
    for start in starts.tolist():
        if start >= free and start + length < num_events:
            places.append(start)
            free = start + max(1, length // 2)
    return places
