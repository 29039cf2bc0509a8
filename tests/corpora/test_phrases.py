"""Phrases stand by themselves and sound as the piece does."""

import numpy as np

from creative_rl.corpora.phrases import phrases
from creative_rl.works.voices import sounding_pitches


def test_phrases_sound_as_the_piece_does_and_begin_anew():
    rng = np.random.default_rng(0)
    parts = rng.integers(2 + 40, 2 + 80, (5, 4, 24)).astype(np.uint8)
    parts[rng.random(parts.shape) < 0.6] = 1
    parts[rng.random(parts.shape) < 0.1] = 0
    found = phrases(parts, 3)
    assert found.shape == (5, 3, 4, 8) and found.dtype == np.uint8
    assert (found[..., 0] != 1).all()
    together = np.concatenate([sounding_pitches(found[:, i]) for i in range(3)], axis=-1)
    np.testing.assert_array_equal(together, sounding_pitches(parts))
    struck = parts.reshape(5, 4, 3, 8).swapaxes(1, 2)
    np.testing.assert_array_equal(found[..., 1:], struck[..., 1:])
