"""Style and resemblance by hand, and of random melodies against plain lists."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import adaptation as plain

from creative_rl.ops import melody_style

C, D, E, G = 14, 16, 18, 21
style_of = jax.jit(melody_style.style_of, static_argnums=1)
resemblance = jax.jit(melody_style.resemblance, static_argnums=2)


@pytest.mark.parametrize(
    ("events", "density", "steps", "range_", "syncopation"),
    [
        ([C, D, E, G, 1, 1, 0, 1], 4 / 8, 2 / 3, 7 / 24, 1 / 4),  # G from "and" over the beat
        ([C, C, 1, 1, 2, 37, 1, 1], 4 / 8, 0, 1, 2 / 4),  # unisons are no steps; 35 semitones
        ([C, 1, 1, D, 0, 1, 1, E], 3 / 8, 1, 4 / 24, 0),  # D ends at the beat, E at the end
        ([0, 1, 1, 1, 1, 1, 1, 1], 0, 0, 0, 0),
        ([1, 1, 1, 1, C, 1, 1, 1], 1 / 8, 0, 0, 0),
    ],
)
def test_style_by_hand(events, density, steps, range_, syncopation):
    found = style_of(jnp.array(events, jnp.int32), 2)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, [density, steps, range_, syncopation], rtol=1e-6)


@pytest.mark.parametrize(
    ("events", "original", "pitch", "contour", "rhythm"),
    [
        ([C, 1, D, 1], [C, 1, D, 1], 1, 1, 1),
        ([26, 1, D, 1], [C, 1, D, 1], 1, 0, 1),  # an octave higher, so it goes down
        ([C, C, D, 1], [C, 1, D, 1], 1, 1, 2 / 3),  # split
        ([C, 1, 1, D], [C, 1, D, 1], 3 / 4, 1 / 2, 1 / 3),  # later
        ([C, 1, 0, 1], [C, 1, D, 1], 1 / 2, 0, 1 / 2),
        ([0, 1, 1, 1], [1, 1, 1, 1], 1, 1, 1),  # silence
        ([0, 1, 1, 1], [C, 1, 1, 1], 0, 0, 0),
    ],
)
def test_resemblance_by_hand(events, original, pitch, contour, rhythm):
    melodies = [jnp.array(codes, jnp.int32) for codes in (events, original)]
    for pair in (melodies, melodies[::-1]):
        found = resemblance(*pair, 2)
        assert found.dtype == jnp.float32
        assert float(found) == pytest.approx((pitch + contour + rhythm) / 3, rel=1e-6)


def test_random_melodies_against_plain_lists():
    rng = np.random.default_rng(0)
    events = rng.integers(0, 38, (60, 12))
    events[rng.random(events.shape) < 0.5] = 1
    others = np.where(rng.random(events.shape) < 0.7, events, events[::-1])
    batch, other_batch = (jnp.asarray(codes, jnp.int32) for codes in (events, others))
    styles = jax.jit(jax.vmap(lambda e: melody_style.style_of(e, 4)))(batch)
    alike = jax.jit(jax.vmap(lambda e, o: melody_style.resemblance(e, o, 4)))(batch, other_batch)
    pairs = list(zip(events.tolist(), others.tolist(), strict=True))
    np.testing.assert_allclose(styles, [plain.style(e, 4) for e, _ in pairs], rtol=1e-6)
    np.testing.assert_allclose(alike, [plain.resemblance(e, o, 4) for e, o in pairs], rtol=1e-6)
    assert len({round(float(value), 3) for value in alike}) > 20
