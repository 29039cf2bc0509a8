"""Bars as note values: exact on every grid, and written as people write them."""

import itertools
from fractions import Fraction

import hypothesis
import hypothesis.strategies as st
import pytest

from creative_rl.works.note_values import VALUES, Stretch, beams, write_bar

SETTINGS = hypothesis.settings(deadline=None, max_examples=150)
GRIDS = st.one_of(st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24, 480]), st.integers(1, 480))


@st.composite
def bars(draw):
    steps, beats = draw(GRIDS), draw(st.integers(1, 6))
    inside = draw(st.sets(st.integers(0, steps * beats), max_size=8)) - {0, steps * beats}
    borders = [0, *sorted(inside), steps * beats]
    stretches = [Stretch(*pair, draw(st.booleans())) for pair in itertools.pairwise(borders)]
    return stretches, steps, beats


def quarters(piece):
    """How long a piece's note value lasts."""
    length = Fraction(2) ** (VALUES.index(piece.value) - VALUES.index("quarter"))
    length *= Fraction(3, 2) if piece.dots else 1
    return length * Fraction(*reversed(piece.tuplet)) if piece.tuplet else length


@SETTINGS
@hypothesis.given(bars())
def test_note_values_last_as_long_as_what_they_write(bar):
    stretches, steps, beats = bar
    written = write_bar(stretches, steps, beats)
    for stretch, pieces in zip(stretches, written, strict=True):
        borders = [pieces[0].start, *(piece.end for piece in pieces)]
        assert (borders[0], borders[-1]) == stretch[:2]
        for piece, (start, end) in zip(pieces, itertools.pairwise(borders), strict=True):
            assert (piece.start, piece.end, piece.is_rest) == (start, end, stretch.is_rest)
            assert quarters(piece) == Fraction(end - start, steps)


@SETTINGS
@hypothesis.given(bars())
def test_tuplets_fill_their_beats(bar):
    stretches, steps, beats = bar
    pieces = list(itertools.chain.from_iterable(write_bar(stretches, steps, beats)))
    for beat in range(beats):
        inside = [p for p in pieces if p.start < (beat + 1) * steps and p.end > beat * steps]
        if any(piece.tuplet for piece in inside):
            assert len({piece.tuplet for piece in inside}) == 1
            assert (inside[0].start, inside[-1].end) == (beat * steps, (beat + 1) * steps)


def written(*stretches, steps=4, beats=4):
    """`q` a quarter, `q.` dotted, `+` tied, `/` triplet, rests in capitals."""
    start, parts = 0, []
    for stretch in stretches:
        length = abs(stretch)
        parts.append(Stretch(start, start + length, stretch < 0))
        start += length
    words = []
    for pieces in write_bar(parts, steps, beats):
        names = [
            ("1" if p.value == "16th" else "8" if p.value == "eighth" else p.value[0])
            + "." * p.dots
            + ("/" if p.tuplet else "")
            for p in pieces
        ]
        word = "+".join(names)
        words.append(f"({word})" if pieces[0].is_rest else word)
    return " ".join(words)


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ((16,), "w"),
        ((4, 4, 8), "q q h"),
        ((12, 4), "h. q"),
        ((2, 4, 2, 8), "8 q 8 h"),  # syncopation inside a half bar
        ((4, 8, 4), "q h q"),
        ((2, 6, 8), "8 q. h"),
        ((6, 4, 6), "q. 8+8 q."),  # a quarter across the middle
        ((4, 6, 6), "q q+8 q."),
        ((1, 2, 1, 12), "1 8 1 h."),
        ((3, 2, 3, 8), "8. 1+1 8. h"),
        ((5, 11), "q+1 8.+h"),
        ((1, 15), "1 8.+q+h"),
        ((2, -4, 2, -8), "8 (8+8) 8 (h)"),  # rests hide no beat
        ((-6, 2, -8), "(q.) 8 (h)"),
        ((4, -12), "q (q+h)"),
    ],
)
def test_bars_by_hand(stretches, expected):
    assert written(*stretches) == expected


def test_other_metres_and_tuplets_by_hand():
    assert written(12, beats=3) == "h."
    assert written(4, 8, beats=3) == "q h"
    assert written(4, -8, beats=3) == "q (q+q)"
    assert written(1, 1, 1, 3, 6, steps=3) == "8/ 8/ 8/ q h"
    assert written(2, 1, 9, steps=3) == "q/ 8/ h."
    assert written(6, 6, 4, 4, 4, 24, steps=12) == "8 8 8/ 8/ 8/ h"
    assert written(1, 11, steps=3) == "8/ q/+h."


def test_beams_by_hand():
    def names(*stretches, steps=4):
        borders = list(itertools.accumulate(map(abs, stretches), initial=0))
        parts = [
            Stretch(a, b, s < 0)
            for (a, b), s in zip(itertools.pairwise(borders), stretches, strict=True)
        ]
        bar = write_bar(parts, steps, 4)
        return beams(list(itertools.chain.from_iterable(bar)), steps)

    assert names(2, 2, 4, 8) == [["begin"], ["end"], [], []]
    assert names(2, 1, 1, 12)[:3] == [["begin"], ["continue", "begin"], ["end", "end"]]
    assert names(3, 1, 12)[:2] == [["begin"], ["end", "backward hook"]]
    assert names(1, 3, 12)[:2] == [["begin", "forward hook"], ["end"]]
    assert names(1, 2, 1, 12)[:3] == [
        ["begin", "forward hook"],
        ["continue"],
        ["end", "backward hook"],
    ]
    assert names(1, -1, 1, 1, 12)[:4] == [[], [], ["begin", "begin"], ["end", "end"]]
    assert names(-2, 2, 2, 2, 8)[:4] == [[], [], ["begin"], ["end"]]
