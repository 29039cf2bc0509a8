"""A melody's event codes as spans of sound, and back.

Codes are instructions to one voice: a pitch starts a note, a note-off (0) ends the one that
sounds, and a hold (1) goes on with whatever is, be it sound or silence.
"""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

from creative_rl.works.melody import Melody

NOTE_OFF = 0
HOLD = 1
LOWEST_CODE = 2
LOWEST_PITCH = 48
HIGHEST_PITCH = 127
MAX_STEPS_PER_QUARTER = 480
"""The finest grid: the ticks of a quarter note in the MIDI files that we write."""


class Span(NamedTuple):
    """One note: sounding in the steps `start .. end - 1`, at a MIDI pitch."""

    start: int
    end: int
    pitch: int


def on_host(melody: Melody) -> Melody:
    """One melody with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, or a code, the length, the tempo or the grid is out of range.
    """
    events, length = (np.asarray(leaf) for leaf in jax.device_get((melody.events, melody.length)))
    if events.ndim != 1 or length.ndim != 0:
        raise ValueError(
            f"Melody: this is a batch (events of shape {events.shape}, length of shape "
            f"{length.shape}); split it with works.unbatch first"
        )
    _check_events(events, length)
    if not 0 < melody.tempo < float("inf"):
        raise ValueError(f"Melody: tempo must be positive and finite, got {melody.tempo!r}")
    steps = melody.steps_per_quarter
    if not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS_PER_QUARTER:
        raise ValueError(
            "Melody: steps_per_quarter must be a whole number in "
            f"1..{MAX_STEPS_PER_QUARTER}, got {steps!r}"
        )
    return melody.replace(events=events, length=length)


def spans_of(melody: Melody) -> list[Span]:
    """The notes of one melody, in order of time; they never overlap."""
    melody = on_host(melody)
    spans, pitch, start = [], None, 0
    length = int(melody.length)
    for step, code in enumerate([*melody.events[:length].tolist(), NOTE_OFF]):
        if code == HOLD:
            continue
        if pitch is not None:
            spans.append(Span(start, step, pitch))
        pitch = code - LOWEST_CODE + LOWEST_PITCH if code >= LOWEST_CODE else None
        start = step
    return spans


def events_of(spans: Iterable[Span], length: int) -> np.ndarray:
    """int32[length]: the codes whose sound the spans are, with one note-off a silence.

    What follows a note-off, and what comes before the first note, are holds: the fewest events.
    The inverse of `spans_of` on spans in order that do not overlap.

    Raises:
      ValueError: a pitch below MIDI 48, which no code stands for.
    """
    events = np.full(length, HOLD, np.int32)
    for start, end, pitch in spans:
        if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
            raise ValueError(
                f"a melody's pitches are MIDI {LOWEST_PITCH}..{HIGHEST_PITCH}, got {pitch}; "
                "transpose it by octaves first"
            )
        events[start] = pitch - LOWEST_PITCH + LOWEST_CODE
        if end < length:
            events[end] = NOTE_OFF  # overwritten where the next note follows at once
    return events


def _check_events(events: np.ndarray, length: np.ndarray) -> None:
    if not (np.issubdtype(events.dtype, np.integer) and np.issubdtype(length.dtype, np.integer)):
        raise ValueError(
            f"Melody: events and length must be integers, got {events.dtype} and {length.dtype}"
        )
    if not 0 <= length <= events.size:
        raise ValueError(f"Melody: length must be in 0..{events.size}, got {length}")
    highest = HIGHEST_PITCH - LOWEST_PITCH + LOWEST_CODE
    if events.size and not 0 <= events.min() <= events.max() <= highest:
        wrong = events[(events < 0) | (events > highest)][0]
        raise ValueError(f"Melody: events must be in 0..{highest}, got {wrong}")
