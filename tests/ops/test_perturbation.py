"""Projected gradient, against corners and middles that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.ops.perturbation import projected_gradient

POINT = jnp.array([[1.0, -2.0], [0.5, 3.0]])
SLOPE = jnp.array([[3.0, -0.01], [-7.0, 0.0]])


def linear(seen):
    return (SLOPE * seen).sum()


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_a_linear_loss_is_largest_in_a_corner(num_steps, key):
    """However small its slope; where it has none the entry stays where it started."""
    worst = projected_gradient(key, linear, POINT, 0.25, num_steps)
    moved = np.asarray(worst - POINT)
    np.testing.assert_allclose(moved.flat[:3], [0.25, -0.25, -0.25], rtol=1e-6)
    assert 0 < abs(moved[1, 1]) < 0.25


@pytest.mark.parametrize("num_steps", [0, -1])
def test_without_a_step_it_is_refused(num_steps, key):
    with pytest.raises(ValueError, match=f"num_steps must be at least 1, got {num_steps}"):
        projected_gradient(key, linear, POINT, 0.25, num_steps)


def test_steps_by_hand(key):
    """Two steps of 0.1 from the start, along the sign and within the box."""
    radius, start = 0.5, projected_gradient(key, linear, POINT, 0.5, 1, 0.0) - POINT
    moved = projected_gradient(key, linear, POINT, radius, 2, 0.1) - POINT
    expected = np.clip(np.asarray(start) + 0.2 * np.sign(SLOPE), -radius, radius)
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    assert np.abs(start).max() <= radius and np.unique(start).size == 4


def test_a_distance_is_left_although_it_has_no_gradient_at_the_point(key):
    worst = projected_gradient(key, lambda seen: jnp.square(seen - POINT).sum(), POINT, 0.1, 3)
    np.testing.assert_allclose(jnp.abs(worst - POINT), 0.1, rtol=1e-5)


def test_a_top_inside_the_box_is_found(key):
    """Within a step of it, where the signs turn."""
    top = POINT + jnp.array([[0.2, -0.3], [0.0, 0.4]])
    worst = projected_gradient(key, lambda seen: -jnp.square(seen - top).sum(), POINT, 0.5, 100)
    np.testing.assert_allclose(worst, top, atol=2.5 * 0.5 / 100 + 1e-6)


@settings(deadline=None, max_examples=20)
@given(radius=st.floats(0, 10, width=32), step_size=st.floats(0, 100, width=32))
def test_the_box_is_never_left_and_a_radius_of_zero_gives_the_point(radius, step_size):
    worst = compiled(jnp.float32(radius), jnp.float32(step_size))
    moved = np.abs(np.asarray(worst - POINT))
    assert moved.max() <= radius + 1e-5
    if radius == 0:
        np.testing.assert_array_equal(worst, POINT)


@jax.jit
def compiled(radius, step_size):
    return projected_gradient(
        jax.random.key(1), lambda x: jnp.sin(9 * x).sum(), POINT, radius, 4, step_size
    )


def test_a_batch_as_one_point_is_attacked_row_by_row(key):
    """A sum over rows: each is led by its own gradient, whatever the others are."""

    def loss(seen):
        return (jnp.tanh(seen[..., 0]) * seen[..., 1]).sum()

    together = projected_gradient(key, loss, POINT, 0.3, 20)
    for row, moved in zip(POINT, together, strict=True):
        alone = projected_gradient(key, loss, row, 0.3, 20)
        np.testing.assert_allclose(moved, alone, atol=1e-5)


def test_nothing_is_differentiated_through_the_steps(key):
    def found(point):
        return projected_gradient(key, lambda seen: (seen**2).sum(), point, 0.1, 2).sum()

    np.testing.assert_array_equal(jax.grad(found)(POINT), 0.0)
