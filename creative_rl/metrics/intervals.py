"""Melodies as what is left of them in any key: the intervals between their notes, and n-grams.

Holds and rests are passed over: an interval leads from a note to the next one that is struck,
however long the first sounds and whatever silence lies between. A note struck again is an interval
of 0 semitones. Durations and bar lines do not count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from creative_rl.ops.events import LOWEST_CODE, LOWEST_PITCH
from creative_rl.typing import Array
from creative_rl.works.melody import Melody
from creative_rl.works.spans import HIGHEST_PITCH

Pieces = Sequence[npt.ArrayLike] | np.ndarray | Array
"""Melodies of any lengths, integer[L] each, or of one length, integer[P, L]."""
UNISON = 80
"""Code of 0 semitones. A melody spans 79 at most, so that codes are in 1..159 and 0 is none."""
MOST = 8
"""Longest n-gram that is one number: eight bytes."""

_HIGHEST_CODE = HIGHEST_PITCH - LOWEST_PITCH + LOWEST_CODE


class Intervals(NamedTuple):
    """The notes of many melodies, end to end, each with the interval that follows it.

    A melody without a note has no place here.
    """

    codes: np.ndarray
    """uint8[K]: semitones to the next note, plus `UNISON`; 0 after a melody's last note"""
    owners: np.ndarray
    """int64[K]: the melody that the note is in, increasing"""
    steps: np.ndarray
    """int64[K]: the step of the melody where the note is struck"""

    def grams(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Every run of `n` intervals in one melody as a number, the first interval highest.

        Args:
          n: 1 to `MOST`; equal numbers are equal runs, of one n.

        Returns:
          uint64[G] numbers, and int64[G] the notes that they start from.
        """
        if len(self.codes) < n:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        runs = np.lib.stride_tricks.sliding_window_view(self.codes, n)
        starts = np.flatnonzero(runs.all(axis=1))
        numbers = np.zeros(len(starts), np.uint64)
        for place in range(n):
            numbers = (numbers << np.uint64(8)) | self.codes[starts + place]
        return numbers, starts


def of_works(melodies: Melody, name: str) -> tuple[Intervals, int]:
    """The intervals of a batch, events [N, T] and lengths [N], and N.

    Raises:
      ValueError: no batch, or events that are no codes; the line begins with `name`.
    """
    events, _ = batch_of(melodies, name)
    return of_events(events, name), len(events)


def batch_of(melodies: Melody, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The events [N, T] of a batch, 0 from each work's length on, and the lengths [N].

    Raises:
      ValueError: no batch of melodies; the line begins with `name`.
    """
    events, lengths = np.asarray(melodies.events), np.asarray(melodies.length)
    if events.ndim != 2 or events.shape[0] < 1 or lengths.shape != events.shape[:1]:
        raise ValueError(
            f"{name}: melodies must be a batch with events [N, T] and lengths [N], N at least 1, "
            f"such as a rollout's works, got {list(events.shape)} and {list(lengths.shape)}"
        )
    return np.where(np.arange(events.shape[1]) < lengths[:, None], events, 0), lengths


def of_events(melodies: Pieces, name: str) -> Intervals:
    """The intervals of melodies as events: 0 note-off, 1 hold, 2.. pitches.

    Raises:
      ValueError: another shape, or events that are no codes; the line begins with `name`.
    """
    # At once where they are one array: taking apart one on a device is slow.
    is_one = isinstance(melodies, np.ndarray | Array)
    rows = [np.asarray(row) for row in (np.asarray(melodies) if is_one else melodies)]
    for row in rows:
        if row.ndim != 1 or (row.size and not np.issubdtype(row.dtype, np.integer)):
            raise ValueError(
                f"{name}: every melody must be integer events [L], got {row.dtype} and the shape "
                f"{list(row.shape)}"
            )
    lengths = np.array([len(row) for row in rows], np.int64)
    events = np.concatenate([np.zeros(0, np.int64), *(row.astype(np.int64) for row in rows)])
    if events.size and not 0 <= events.min() <= events.max() <= _HIGHEST_CODE:
        raise ValueError(
            f"{name}: events must be codes in 0..{_HIGHEST_CODE}, got "
            f"{events.min()}..{events.max()}"
        )
    struck = np.flatnonzero(events >= LOWEST_CODE)
    owners = np.repeat(np.arange(len(rows)), lengths)[struck]
    steps = (np.arange(len(events)) - np.repeat(np.cumsum(lengths) - lengths, lengths))[struck]
    codes = np.zeros(len(struck), np.uint8)
    goes_on = owners[1:] == owners[:-1]
    codes[:-1] = np.where(goes_on, np.diff(events[struck]) + UNISON, 0)
    return Intervals(codes, owners, steps)
