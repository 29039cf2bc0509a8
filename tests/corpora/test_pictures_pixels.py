"""Levels, channels and sizes of arrays of pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from creative_rl.corpora import pixels

SIDE = st.integers(1, 24)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_levels_by_hand():
    levels = np.array([0, 7, 255], np.uint8)
    assert pixels.as_levels(levels) is levels
    assert pixels.as_levels(np.array([True, False])).tolist() == [255, 0]
    for kind in (np.float16, np.float32, np.float64):
        assert pixels.as_levels(np.array([0, 0.25, 1], kind)).tolist() == [0, 64, 255]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (np.array([1, 2]), "uint8, bool or floats in 0..1, got int64"),
        (np.array([1j]), "got complex128"),
        (np.array([0, np.nan]), "got one that is not finite"),
        (np.array([0, 1.5]), r"lie in 0\.\.1, got 0\.\.1\.5"),
        (np.array([-0.1, 1]), r"got -0\.1\.\.1"),
    ],
)
def test_other_levels_are_refused(values, line):
    with pytest.raises(ValueError, match=line):
        pixels.as_levels(values)


def test_channels_by_hand_and_as_pillow_has_them():
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8)
    grey = pixels.as_channels(colours[None, None], 1)
    assert grey[0, 0, :, 0].tolist() == [76, 150, 29, 9]
    assert pixels.as_channels(grey, 3)[0, 0, 3].tolist() == [9, 9, 9]
    pictures = noise(0, 3, 9, 9, 3)
    pillows = np.stack([np.asarray(Image.fromarray(one).convert("L")) for one in pictures])
    found = pixels.as_channels(pictures, 1)[..., 0]
    np.testing.assert_allclose(found.astype(int), pillows, atol=1)
    assert pixels.as_channels(pictures, 3) is pictures


def test_enlarging_by_hand():
    """Corners stay, what is between is mixed: 0, 30 over four pixels is 0, 10, 20, 30."""
    row = np.array([0, 30], np.uint8).reshape(1, 1, 2, 1).repeat(2, axis=1)
    assert pixels.fit(row, 4, 4)[0, :, :, 0].tolist() == [[0, 10, 20, 30]] * 4


def test_shrinking_by_hand():
    """3 pixels in 2: (a + b / 2) / 1.5 and (b / 2 + c) / 1.5."""
    row = np.array([0, 60, 90], np.uint8).reshape(1, 1, 3, 1).repeat(3, axis=1)
    assert pixels.fit(row, 2, 2)[0, :, :, 0].tolist() == [[20, 80]] * 2


def test_the_middle_is_kept():
    row = np.array([200, 10, 20, 200], np.uint8).reshape(1, 1, 4, 1).repeat(2, axis=1)
    assert pixels.fit(row, 2, 2)[0, :, :, 0].tolist() == [[10, 20]] * 2
    # To fractions of a pixel: the middle 1.5 of 2.
    pair = np.array([[0, 120], [0, 120], [0, 120]], np.uint8).reshape(1, 3, 2, 1)
    assert pixels.fit(pair, 2, 1)[0, :, :, 0].tolist() == [[60]] * 2
    assert pixels.fit(pair.swapaxes(1, 2), 1, 2)[0, :, :, 0].tolist() == [[60, 60]]


@given(st.integers(0, 99), st.integers(1, 8), st.integers(1, 8), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks(seed, height, width, factor):
    pictures = noise(seed, 2, height * factor, width * factor, 3)
    blocks = pictures.reshape(2, height, factor, width, factor, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(pixels.fit(pictures, height, width), blocks, atol=0.501)


@given(st.integers(0, 99), SIDE, SIDE, SIDE, SIDE)
@settings(deadline=None, max_examples=60)
def test_any_size_to_any_other(seed, height, width, new_height, new_width):
    pictures = noise(seed, 2, height, width, 1)
    found = pixels.fit(pictures, new_height, new_width)
    assert found.shape == (2, new_height, new_width, 1) and found.dtype == np.uint8
    assert found.min() >= pictures.min() and found.max() <= pictures.max()
    # Flipping and turning commute with it.
    turned = pixels.fit(pictures[:, ::-1].swapaxes(1, 2), new_width, new_height)
    np.testing.assert_allclose(turned.swapaxes(1, 2)[:, ::-1].astype(int), found, atol=1)
    np.testing.assert_array_equal(
        pixels.fit(np.full_like(pictures, 77), new_height, new_width), np.full_like(found, 77)
    )


def test_chunks_change_nothing(monkeypatch):
    pictures = noise(0, 7, 9, 5, 3)
    whole = pixels.fit(pictures, 6, 6)
    monkeypatch.setattr(pixels, "_CHUNK", 300)
    np.testing.assert_array_equal(pixels.fit(pictures, 6, 6), whole)
