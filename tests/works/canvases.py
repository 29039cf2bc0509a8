"""Canvases to test with."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np

from creative_rl.works import Canvas


def stroke(*points, radius=0.05, opacity=1.0, colour=(1.0,)):
    """A stroke through start, control point and end; radius and opacity may be pairs."""
    ends = [np.broadcast_to(value, 2) for value in (radius, opacity)]
    return np.concatenate([np.ravel(points), *ends, colour]).astype(np.float32)


def canvas(strokes, size=(32, 32), padding=0, **fields):
    """A canvas of these strokes, on pixels that nobody painted."""
    strokes = np.stack(strokes)
    shape = (*size, strokes.shape[1] - 10)
    return Canvas(
        pixels=np.zeros(shape, np.uint8),
        strokes=np.pad(strokes, ((0, padding), (0, 0))),
        length=np.array(len(strokes), np.int32),
        **fields,
    )


def picture(pixels):
    """A canvas that was not made of strokes."""
    return Canvas(
        pixels=pixels,
        strokes=np.zeros((0, 10 + pixels.shape[2]), np.float32),
        length=np.array(0, np.int32),
    )


def random_strokes(seed, num, num_channels=3, most=0.1):
    """Strokes anywhere, whose control point lies in the box around the ends."""
    strokes = np.random.default_rng(seed).random((num, 10 + num_channels), np.float32)
    start, end = strokes[:, :2], strokes[:, 4:6]
    strokes[:, 2:4] = start + (end - start) * strokes[:, 2:4]
    strokes[:, 6:8] = 0.01 + most * strokes[:, 6:8]
    return strokes


@st.composite
def canvases(draw):
    """Any canvas that there can be, small."""
    channels = draw(st.sampled_from([1, 3]))
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 5)), channels)
    num = draw(st.integers(0, 3))
    unit = st.floats(0, 1, width=32)
    return Canvas(
        pixels=draw(hnp.arrays(np.uint8, shape)),
        strokes=draw(hnp.arrays(np.float32, (num, 10 + channels), elements=unit)),
        length=np.array(draw(st.integers(0, num)), np.int32),
        background=draw(st.floats(0, 1)),
    )


def assert_same(left, right):
    assert left.background == right.background
    for name in ("pixels", "strokes", "length"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype
