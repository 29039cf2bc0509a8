"""Schedules, against optax and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from creative_rl.ops.schedules import linear, linear_decay, moved_mean

COUNTS = jnp.arange(12, dtype=jnp.int32)


def test_linear_decay_equals_optax():
    rate = jax.vmap(linear_decay(0.3, 8))(COUNTS)
    expected = jax.vmap(optax.linear_schedule(0.3, 0.0, 8))(COUNTS)
    np.testing.assert_allclose(rate, expected, rtol=1e-6, atol=1e-8)


def test_the_steps_of_one_update_share_a_value():
    rate = jax.vmap(linear_decay(1.0, 2, steps_per_update=4))(COUNTS)
    np.testing.assert_array_equal(rate, [1.0] * 4 + [0.5] * 4 + [0.0] * 4)


def test_no_decay_keeps_the_first_value_also_when_traced():
    np.testing.assert_allclose(jax.vmap(linear_decay(0.25, 0))(COUNTS), 0.25)

    def rate(decay_updates):
        return linear_decay(1.0, decay_updates)(jnp.int32(3))

    rates = jax.jit(jax.vmap(rate))(jnp.array([0, 2, 4], jnp.int32))
    np.testing.assert_allclose(rates, [1.0, 0.0, 0.25])


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.2), (0.4, 1.0), (0.5, 0.5)])
def test_linear_equals_optax_and_stays_at_the_end(start, end):
    counts = COUNTS.astype(jnp.float32)
    values = jax.vmap(lambda count: linear(start, end, 6, count))(counts)
    expected = jax.vmap(optax.linear_schedule(start, end, 6))(counts)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    np.testing.assert_allclose(linear(start, end, 6, jnp.float32(1e12)), end, rtol=1e-6)


def test_linear_before_zero_is_the_start_and_without_length_the_end():
    assert float(linear(1.0, 0.0, 4, jnp.float32(-3))) == 1.0
    assert float(linear(1.0, 0.25, 0, jnp.float32(1))) == 0.25


def test_a_moving_mean_by_hand():
    old, new = {"w": jnp.float32([0.0, 10.0])}, {"w": jnp.float32([10.0, 0.0])}
    for decay, num_steps, kept in ((0.5, 0, 0.1), (0.5, 5, 0.4), (0.5, 8, 0.5), (0.5, 90, 0.5)):
        found = moved_mean(old, new, decay, jnp.int32(num_steps))["w"]
        np.testing.assert_allclose(found, [10 * (1 - kept), 10 * kept], rtol=1e-6)
    np.testing.assert_array_equal(moved_mean(old, new, 0.0, 0)["w"], new["w"])
