"""A melody's event codes as spans of sound, and back.

Codes are instructions to one voice: a pitch starts a note, a note-off (0) ends the one that
sounds, and a hold (1) goes on with whatever is, be it sound or silence.
"""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

from creative_rl.ops.events import HOLD, LOWEST_CODE, LOWEST_PITCH, NOTE_OFF
from creative_rl.works.batches import check_single
from creative_rl.works.melody import Melody

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
    check_single("Melody", "events", events, 1, length)
    check_length("Melody", length, events.size)
    check_range("Melody: events", events, 0, HIGHEST_PITCH - LOWEST_PITCH + LOWEST_CODE)
    check_times("Melody", melody.tempo, melody.steps_per_quarter)
    return melody.replace(events=events, length=length)


def spans_of(melody: Melody) -> list[Span]:
    """The notes of one melody, in order of time; they never overlap."""
    melody = on_host(melody)
    return sounding(np.asarray(melody.events)[: int(melody.length)], LOWEST_PITCH)


def events_of(spans: Iterable[Span], length: int) -> np.ndarray:
    """int32[length]: the codes whose sound the spans are, with one note-off a silence.

    What follows a note-off, and what comes before the first note, are holds: the fewest events.
    The inverse of `spans_of` on spans in order that do not overlap.

    Raises:
      ValueError: a pitch below MIDI 48, which no code stands for.
    """
    spans = list(spans)
    for span in spans:
        if not LOWEST_PITCH <= span.pitch <= HIGHEST_PITCH:
            raise ValueError(
                f"a melody's pitches are MIDI {LOWEST_PITCH}..{HIGHEST_PITCH}, got {span.pitch}; "
                "transpose it by octaves first"
            )
    return codes_of(spans, length, LOWEST_PITCH)


def carried(values: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """At every step of [..., T] the value of the last marked one up to it, 0 before the first.

    >>> carried(np.array([5, 1, 7, 1]), np.array([False, True, True, False])).tolist()
    [0, 1, 7, 7]
    """
    steps = np.where(marked, np.arange(values.shape[-1]), -1)
    last = np.maximum.accumulate(steps, axis=-1)
    return np.where(last >= 0, np.take_along_axis(values, np.maximum(last, 0), axis=-1), 0)


def sounding(codes: np.ndarray, lowest_pitch: int) -> list[Span]:
    """The notes that codes int32[T] say, where `LOWEST_CODE` stands for `lowest_pitch`."""
    spans, pitch, start = [], None, 0
    for step, code in enumerate([*codes.tolist(), NOTE_OFF]):
        if code == HOLD:
            continue
        if pitch is not None:
            spans.append(Span(start, step, pitch))
        pitch = code - LOWEST_CODE + lowest_pitch if code >= LOWEST_CODE else None
        start = step
    return spans


def codes_of(spans: Iterable[Span], length: int, lowest_pitch: int) -> np.ndarray:
    """int32[length]: codes that `sounding` reads as these spans, with the fewest events."""
    codes = np.full(length, HOLD, np.int32)
    for start, end, pitch in spans:
        codes[start] = pitch - lowest_pitch + LOWEST_CODE
        if end < length:
            codes[end] = NOTE_OFF  # overwritten where the next note follows at once
    return codes


def check_length(what: str, length: np.ndarray, most: int) -> None:
    """Raise ValueError unless `length` is a whole number in 0..most."""
    if not np.issubdtype(length.dtype, np.integer):
        raise ValueError(f"{what}: length must be an integer, got {length.dtype}")
    if not 0 <= length <= most:
        raise ValueError(f"{what}: length must be in 0..{most}, got {length}")


def check_range(what: str, values: np.ndarray, lowest: int, highest: int) -> None:
    """Raise ValueError unless `values` are integers in lowest..highest."""
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"{what} must be integers, got {values.dtype}")
    if values.size and not lowest <= values.min() <= values.max() <= highest:
        wrong = values[(values < lowest) | (values > highest)][0]
        raise ValueError(f"{what} must be in {lowest}..{highest}, got {wrong}")


def check_times(what: str, tempo: float, steps_per_quarter: int) -> None:
    """Raise ValueError unless the tempo is positive and the grid one that MIDI files hold."""
    if not 0 < tempo < float("inf"):
        raise ValueError(f"{what}: tempo must be positive and finite, got {tempo!r}")
    if not isinstance(steps_per_quarter, int) or not (
        1 <= steps_per_quarter <= MAX_STEPS_PER_QUARTER
    ):
        raise ValueError(
            f"{what}: steps_per_quarter must be a whole number in "
            f"1..{MAX_STEPS_PER_QUARTER}, got {steps_per_quarter!r}"
        )
