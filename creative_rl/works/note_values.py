"""Time as note values: what a bar's sounds and silences are written with, on any grid.

Times are in grid steps from the bar's start. A quarter note has `2**a * m` steps, m odd. A beat
whose borders all lie on its binary grid is written plainly; another is a tuplet of the smallest
odd divisor of m that its borders lie on.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

VALUES = (
    "1024th", "512th", "256th", "128th", "64th", "32nd", "16th", "eighth",
    "quarter", "half", "whole", "breve", "long",
)  # fmt: skip
"""Names in MusicXML, each twice the one before."""
_QUARTER = VALUES.index("quarter")


class Stretch(NamedTuple):
    """A sound or a silence inside a bar, in the steps `start .. end - 1`."""

    start: int
    end: int
    is_rest: bool


class Piece(NamedTuple):
    """A part of a stretch that one note value writes."""

    start: int
    end: int
    is_rest: bool
    value: str
    """of `VALUES`"""
    dots: int
    """0 or 1"""
    tuplet: tuple[int, int] | None
    """this many in the time of that many; None outside of tuplets"""


def write_bar(
    stretches: Sequence[Stretch], steps_per_quarter: int, beats: int
) -> list[list[Piece]]:
    """The pieces of each stretch of one bar.

    A note is one piece where a reader can still see the beat: it may hide a boundary of the metre
    that is no stronger than its own value, so an eighth, a quarter, an eighth stand as such, and
    a quarter across the middle of a bar is tied. Rests hide none.

    Args:
      stretches: in order, without gap, over the whole bar.
      steps_per_quarter: of the grid.
      beats: quarter notes in the bar.
    """
    borders = {stretch.start for stretch in stretches}
    divisors = [_divisor(borders, beat, steps_per_quarter) for beat in range(beats)]
    edges = {
        step
        for beat, divisor in enumerate(divisors)
        if divisor > 1
        for step in (beat * steps_per_quarter, (beat + 1) * steps_per_quarter)
    }
    return [
        list(
            itertools.chain.from_iterable(
                _write(Stretch(start, end, stretch.is_rest), steps_per_quarter, divisors)
                for start, end in _cut(stretch, edges)
            )
        )
        for stretch in stretches
    ]


def beams(pieces: Sequence[Piece], steps_per_quarter: int) -> list[list[str]]:
    """For every piece of a bar its beams from the outermost, in MusicXML's words; none is a flag.

    Beams join notes inside a beat, up to the next rest.
    """
    marks: list[list[str]] = [[] for _ in pieces]
    keys = [
        (piece.start // steps_per_quarter, _flags(piece) > 0 and not piece.is_rest)
        for piece in pieces
    ]
    for (_, beamed), run in itertools.groupby(range(len(pieces)), key=keys.__getitem__):
        members = list(run)
        if not beamed or len(members) < 2:
            continue
        for level in range(1, max(_flags(pieces[i]) for i in members) + 1):
            for has, part in itertools.groupby(members, key=lambda i: _flags(pieces[i]) >= level):
                if has:
                    _mark(marks, list(part), members[0])
    return marks


def _mark(marks: list[list[str]], part: list[int], first: int) -> None:
    """One beam over the pieces `part`, of a group that begins with `first`."""
    if len(part) == 1:
        marks[part[0]].append("forward hook" if part[0] == first else "backward hook")
        return
    for place in part:
        marks[place].append("continue")
    marks[part[0]][-1], marks[part[-1]][-1] = "begin", "end"


def _flags(piece: Piece) -> int:
    return _QUARTER - VALUES.index(piece.value)


def _odd_part(number: int) -> int:
    return number // (number & -number)


def _divisor(borders: set[int], beat: int, steps: int) -> int:
    """The smallest odd division of the quarter note on which the borders in this beat lie."""
    odd = _odd_part(steps)
    inside = [border - beat * steps for border in borders if 0 < border - beat * steps < steps]
    return next(
        divisor
        for divisor in range(1, odd + 1, 2)
        if odd % divisor == 0 and all(border % (odd // divisor) == 0 for border in inside)
    )


def _cut(stretch: Stretch, edges: set[int]) -> list[tuple[int, int]]:
    inside = sorted(edge for edge in edges if stretch.start < edge < stretch.end)
    return list(itertools.pairwise([stretch.start, *inside, stretch.end]))


def _write(stretch: Stretch, steps: int, divisors: list[int]) -> list[Piece]:
    """The pieces of a stretch inside one tuplet, or outside of all."""
    odd, divisor = _odd_part(steps), divisors[stretch.start // steps]
    unit = odd // divisor
    start, end = stretch.start // unit, stretch.end // unit
    quarter = steps // odd  # in units, outside of tuplets
    tuplet = None
    if divisor > 1:
        normal = 1 << divisor.bit_length() - 1
        tuplet, quarter = (divisor, normal), quarter * normal
        parts = _greedy(start, end)
    else:
        cap = quarter if _odd_part(len(divisors)) > 1 else quarter * len(divisors)
        parts = _split(start, end, stretch.is_rest, cap)
    pieces = []
    for first, last in parts:
        base, dots = _value(last - first)
        name = VALUES[_QUARTER + base.bit_length() - quarter.bit_length()]
        pieces.append(Piece(first * unit, last * unit, stretch.is_rest, name, dots, tuplet))
    return pieces


def _value(count: int) -> tuple[int, int]:
    """The note value of so many units, as its undotted length and its dots; 0 if there is none."""
    base = 1 << count.bit_length() - 1
    if count in (base, base + base // 2):
        return base, int(count > base)
    return 0, 0


def _greedy(start: int, end: int) -> list[tuple[int, int]]:
    parts = []
    while start < end:
        length = next(count for count in range(end - start, 0, -1) if _value(count)[0])
        parts.append((start, start + length))
        start += length
    return parts


def _split(start: int, end: int, is_rest: bool, cap: int) -> list[tuple[int, int]]:
    """Cut at the strongest boundaries of the metre, as far as must be; see `write_bar`."""
    base, dots = _value(end - start)
    strongest = cap
    while strongest > 1 and (start // strongest + 1) * strongest >= end:
        strongest //= 2
    if base and is_rest:
        fits = start % (base << dots) == 0
    else:
        fits = base > 0 and start % max(base // 2, 1) == 0 and strongest <= base
    if fits or end - start == 1:
        return [(start, end)]
    middle = (start // strongest + 1) * strongest
    return _split(start, middle, is_rest, cap) + _split(middle, end, is_rest, cap)
