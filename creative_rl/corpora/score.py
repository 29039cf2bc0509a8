"""One voice of a score as its bars, and the bars as one line of notes."""

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple


class Unusable(ValueError):
    """A piece cannot become a tune; the message is the reason, without the piece's name."""


class ScoreNote(NamedTuple):
    """A written note; times are exact, in quarter notes."""

    start: Fraction
    end: Fraction
    pitch: int
    """MIDI"""
    is_tied: bool = False
    """whether a tie joins it to the next note"""


class Bar(NamedTuple):
    """What stands between two bar lines, with times from the first of them."""

    notes: Sequence[ScoreNote]
    length: Fraction
    """as written: an upbeat or a bar cut by a repeat sign is shorter than its metre"""
    metre: Fraction
    """length of a full bar"""
    ending: int = 0
    """1 or 2 in a first or second ending, else 0"""


class Line(NamedTuple):
    """A melody in order of time, in quarter notes."""

    notes: list[ScoreNote]
    full_bars: list[Fraction]
    """where bars that are neither upbeats nor cut begin"""
    length: Fraction
    """up to the last bar line; an incomplete last bar is filled up with silence"""


def join(bars: Iterable[Bar]) -> Line:
    """The bars one after the other, every repeat read once and with its last ending.

    Ties of equal pitches that touch are one note. First endings are left out where each has a
    second one. A bar that is a fraction of a sixteenth too long or too short (five of the corpora
    err so) takes the nearest whole number of them, so that the error ends at its bar line.
    """
    bars = _last_endings(list(bars))
    notes: list[ScoreNote] = []
    full_bars, now = [], Fraction(0)
    for bar in bars:
        if bar.length == bar.metre:
            full_bars.append(now)
        for note in bar.notes:
            moved = note._replace(start=note.start + now, end=note.end + now)
            last = notes[-1] if notes else None
            if last and last.is_tied and (last.end, last.pitch) == (moved.start, moved.pitch):
                notes[-1] = moved._replace(start=last.start)
            else:
                notes.append(moved)
        now += Fraction(round(bar.length * 4), 4)
    return Line(notes, full_bars, _filled_up(now, full_bars, bars))


def _last_endings(bars: list[Bar]) -> list[Bar]:
    endings = [ending for ending, _ in itertools.groupby(bar.ending for bar in bars)]
    if endings.count(1) != endings.count(2):
        return bars
    return [bar for bar in bars if bar.ending != 1]


def _filled_up(end: Fraction, full_bars: list[Fraction], bars: list[Bar]) -> Fraction:
    """The end of the last bar, were it full: the upbeat is what it lacks."""
    if not full_bars:
        return end
    metre = bars[-1].metre
    return full_bars[-1] + metre * math.ceil((end - full_bars[-1]) / metre)
