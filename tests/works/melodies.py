"""Melodies for the tests: all sorts, by hypothesis, and one by hand."""

import hypothesis.strategies as st
import numpy as np

from creative_rl.works.melody import Melody

# Holds and rests often, so that silences of every make occur.
CODES = st.one_of(st.sampled_from([0, 1]), st.integers(0, 81))


def melody(codes, length=None, tempo=100.0, steps_per_quarter=4):
    length = len(codes) if length is None else length
    return Melody(np.array(codes, np.int32), np.array(length, np.int32), tempo, steps_per_quarter)


@st.composite
def melodies(draw):
    codes = draw(st.lists(CODES, max_size=40))
    padding = draw(st.integers(0, 4))
    return melody(
        codes + [0] * padding,
        len(codes),
        draw(st.floats(4.0, 1000.0)),
        draw(st.sampled_from([1, 3, 4, 7, 480])),
    )


def assert_same(left, right):
    np.testing.assert_array_equal(left.events, right.events)
    np.testing.assert_array_equal(left.length, right.length)
    assert left.events.dtype == right.events.dtype and left.length.dtype == right.length.dtype
    assert (left.tempo, left.steps_per_quarter) == (right.tempo, right.steps_per_quarter)
