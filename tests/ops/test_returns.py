import jax
import jax.numpy as jnp
import numpy as np
import rlax
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.ops.returns import generalized_advantages

NO = jnp.zeros(3, bool)


def test_hand_computed():
    # gamma .5, lambda .5: deltas are 1 + .5 * 2 - 1 = 1, 2 + .5 * 4 - 2 = 2, 3 + .5 * 6 - 4 = 2.
    advantages = generalized_advantages(
        jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 2.0, 4.0]), jnp.array([2.0, 4.0, 6.0]),
        NO, NO, 0.5, 0.5,
    )  # fmt: skip
    np.testing.assert_allclose(advantages, [1 + 0.25 * (2 + 0.25 * 2), 2 + 0.25 * 2, 2])


def test_termination_cuts_the_bootstrap_and_truncation_only_the_trace():
    rewards, values = jnp.ones(3), jnp.zeros(3)
    next_values = jnp.full(3, 10.0)
    middle = jnp.array([False, True, False])
    terminated = generalized_advantages(rewards, values, next_values, middle, middle, 0.5, 1.0)
    np.testing.assert_allclose(terminated, [6 + 0.5 * 1, 1, 6])
    truncated = generalized_advantages(rewards, values, next_values, NO, middle, 0.5, 1.0)
    np.testing.assert_allclose(truncated, [6 + 0.5 * 6, 6, 6])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31 - 1), st.floats(0, 1), st.floats(0, 1))
def test_equals_rlax_on_one_stream(seed, gamma, gae_lambda):
    key_reward, key_value, key_end = jax.random.split(jax.random.key(seed), 3)
    rewards = jax.random.normal(key_reward, (7,))
    values = jax.random.normal(key_value, (8,))
    terminated = jax.random.bernoulli(key_end, 0.3, (7,))
    expected = rlax.truncated_generalized_advantage_estimation(
        rewards, gamma * (1.0 - terminated), gae_lambda, values
    )
    actual = generalized_advantages(
        rewards, values[:-1], values[1:], terminated, terminated, gamma, gae_lambda
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_batches_are_elementwise(key):
    rewards = jax.random.normal(key, (5, 3))
    ended = jnp.zeros((5, 3), bool).at[2, 1].set(True)
    batched = generalized_advantages(rewards, rewards, rewards, ended, ended, 0.9, 0.8)
    for column in range(3):
        alone = generalized_advantages(
            *[array[:, column] for array in (rewards, rewards, rewards, ended, ended)], 0.9, 0.8
        )
        np.testing.assert_allclose(batched[:, column], alone, rtol=1e-6)
