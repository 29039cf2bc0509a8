"""Tunes: melodies as events on a grid of sixteenth notes, before any transposition.

The coding is RL Tuner's and Magenta's: 0 ends the note that sounds, 1 goes on with whatever is
(sound or silence), anything else starts a note. So a note followed by silence is its pitch, 1s
while it lasts, one 0 on the step after it, and 1s again until the next note.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from creative_rl.corpora.score import Line, ScoreNote, Unusable
from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF
from creative_rl.works.midi_file import MAX_STEPS
from creative_rl.works.spans import Span

STEPS_PER_QUARTER = 4
MAX_LOST = 0.1
"""Share of notes that may fall together on the grid; ornaments do, a finer grid loses half."""
MAX_MEAN_SHIFT = 0.2
"""Mean distance from the grid, in steps; times at random have .25, eighth triplets alone .22."""


class Tune(NamedTuple):
    """One melody on the grid, at its own pitch."""

    name: str
    events: np.ndarray
    """uint8[L]: 0 note-off, 1 hold, `2 + p` the MIDI pitch p; the last is past the last bar line"""
    starts: np.ndarray
    """int32[S]: steps where a full bar begins with a note, increasing"""
    shift: int
    """semitones up, 0 to 11, to C major or A minor"""


def spans_on_grid(notes: Sequence[ScoreNote]) -> list[Span]:
    """One voice on the grid: starts and ends at the nearest step, the earlier of two as near.

    Every note lasts at least a step and ends where the next one starts. Of notes that fall on
    one step the first stays: of a turn of three sixteenths in the time of two, two are left.

    Raises:
      Unusable: there is no note, or the grid does not fit the notes (`MAX_LOST`,
        `MAX_MEAN_SHIFT`).
    """
    check_fit([float(note.start) for note in notes])
    spans: list[Span] = []
    for note in notes:
        start = nearest_step(note.start)
        if spans and start <= spans[-1].start:
            continue
        if spans:
            spans[-1] = spans[-1]._replace(end=min(spans[-1].end, start))
        spans.append(Span(start, max(start + 1, nearest_step(note.end)), note.pitch))
    lost = 1 - len(spans) / len(notes)
    if lost > MAX_LOST:
        raise Unusable(f"{lost:.0%} of its notes are too short for a grid of sixteenths")
    return spans


def check_fit(times: Sequence[float], *, fits_grid: bool = True) -> None:
    """Refuse what has no notes, lasts too long or keeps no time with the grid.

    Args:
      times: of the notes, in quarter notes.
      fits_grid: whether they are to lie near the grid, as starts are; ends need not.

    Raises:
      Unusable: the reason.
    """
    if not times:
        raise Unusable("it has no notes")
    steps = np.asarray(times) * STEPS_PER_QUARTER
    if steps.max() >= MAX_STEPS:
        raise Unusable(f"it lasts {steps.max():.0f} steps, at most {MAX_STEPS} are read")
    distance = np.abs(steps - np.round(steps)).mean()
    if fits_grid and distance > MAX_MEAN_SHIFT:
        raise Unusable(f"its notes lie {distance:.2f} steps off a grid of sixteenths on average")


def nearest_step(time: Fraction | float) -> int:
    """The step nearest to a time in quarter notes; the earlier of two as near.

    So a dotted sixteenth and a thirty-second are read as two even sixteenths, and the short one
    does not collide with what follows.

    >>> nearest_step(Fraction(3, 8)), nearest_step(Fraction(5, 12))
    (1, 2)
    """
    return math.ceil(time * STEPS_PER_QUARTER - Fraction(1, 2))


def tune_from_line(name: str, line: Line, shift: int) -> Tune:
    """The melody of a score; bars that begin between two steps are no starts.

    Raises:
      Unusable: see `spans_on_grid`.
    """
    spans = spans_on_grid(line.notes)
    bars = [bar * STEPS_PER_QUARTER for bar in line.full_bars]
    length = math.ceil(line.length * STEPS_PER_QUARTER)
    return tune_from_spans(
        name, spans, [int(bar) for bar in bars if bar == int(bar)], length, shift
    )


def tune_from_spans(
    name: str, spans: Sequence[Span], bars: Iterable[int], length: int, shift: int
) -> Tune:
    """Events of notes in order of time that do not overlap.

    Args:
      name: of the piece.
      spans: the notes, in steps.
      bars: steps where full bars begin.
      length: steps up to the last bar line; one more event follows, which ends the last note.
      shift: semitones up, 0 to 11, to C major or A minor.
    """
    length = max(length, spans[-1].end)
    events = np.full(length + 1, HOLD, np.uint8)
    for start, end, pitch in spans:
        events[start] = LOWEST_CODE + pitch
        events[end] = NOTE_OFF  # overwritten where the next note follows at once
    starts = [bar for bar in bars if events[bar] >= LOWEST_CODE]
    return Tune(name, events, np.array(starts, np.int32), shift)
