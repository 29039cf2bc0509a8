import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.ops.latents import attribute_vector, interpolate, slerp

VECTORS = st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3)
path = jax.jit(interpolate, static_argnums=2)


def test_a_quarter_turn_by_hand():
    found = path(jnp.float32([1, 0]), jnp.float32([0, 1]), 4)
    angles = np.radians([0, 30, 60, 90])
    np.testing.assert_allclose(found, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-6)


def test_lengths_that_differ_are_mixed_as_the_directions_are():
    # 60 degrees apart: at the middle both weigh sin 30 / sin 60.
    start, end = jnp.float32([2, 0]), jnp.float32([0.5, np.sqrt(3) / 2])
    weight = 0.5 / (np.sqrt(3) / 2)
    np.testing.assert_allclose(slerp(start, end, 0.5), weight * (start + end), rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(VECTORS, VECTORS)
def test_the_ends_are_the_ends_and_all_is_finite(start, end):
    found = np.asarray(path(jnp.float32(start), jnp.float32(end), 5))
    np.testing.assert_array_equal(found[[0, -1]], np.float32([start, end]))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("start", "end"), [([1, 2], [2, 4]), ([1, 2], [-1, -2]), ([0, 0], [3, 1])])
def test_where_there_is_no_great_circle_the_line_is_straight(start, end):
    found = path(jnp.float32(start), jnp.float32(end), 3)
    np.testing.assert_allclose(found[1], np.mean([start, end], axis=0), atol=1e-6)


def test_too_few_places_are_refused():
    with pytest.raises(ValueError, match=r"interpolate: num must be at least 2, .*, got 1"):
        interpolate(jnp.zeros(2, jnp.float32), jnp.ones(2, jnp.float32), 1)


def test_an_attribute_is_the_difference_of_means():
    latents = jnp.float32([[1, 0], [5, 2], [0, 4], [2, 0]])
    has = jnp.array([True, True, False, False])
    np.testing.assert_allclose(attribute_vector(latents, has), [3 - 1, 1 - 2])
    np.testing.assert_allclose(attribute_vector(latents, ~has), [1 - 3, 2 - 1])
    for nobody in (jnp.zeros(4, jnp.bool_), jnp.ones(4, jnp.bool_)):
        np.testing.assert_array_equal(attribute_vector(latents, nobody), [0.0, 0.0])
