import jax
import jax.numpy as jnp
import numpy as np
import rlax
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.ops.returns import (
    discounted_returns,
    generalized_advantages,
    n_step_targets,
    normalized,
)

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


def random_stream(seed, num=9):
    """Rewards, next values, and ends of both kinds."""
    rng = np.random.default_rng(seed)
    rewards, next_values = rng.normal(size=(2, num)).astype(np.float32)
    kind = rng.choice(["on", "terminated", "truncated"], num, p=[0.6, 0.2, 0.2])
    return rewards, next_values, kind == "terminated", kind != "on"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31 - 1), st.floats(0, 1))
def test_discounted_returns_equal_a_slow_loop(seed, gamma):
    rewards, next_values, terminated, ended = stream = random_stream(seed)
    expected = []
    for start in range(len(rewards)):
        total, t = 0.0, start
        while True:
            total += gamma ** (t - start) * rewards[t]
            if ended[t] or t == len(rewards) - 1:
                break
            t += 1
        beyond = 0.0 if terminated[t] else next_values[t]
        expected.append(total + gamma ** (t - start + 1) * beyond)
    actual = discounted_returns(*map(jnp.asarray, stream), gamma)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31 - 1), st.floats(0, 1))
def test_discounted_returns_equal_rlax(seed, gamma):
    """Which knows no truncation by itself: lambda is zero where one cuts the trace."""
    rewards, next_values, terminated, ended = map(jnp.asarray, random_stream(seed))
    discounts = gamma * (1.0 - terminated)
    actual = discounted_returns(rewards, next_values, terminated, ended, gamma)
    traces = 1.0 - (ended & ~terminated)
    expected = rlax.lambda_returns(rewards, discounts, next_values, traces)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    actual = discounted_returns(rewards, next_values, terminated, terminated, gamma)
    expected = rlax.discounted_returns(rewards, discounts, next_values)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 2**31 - 1), st.floats(0, 1), st.integers(1, 12), st.integers(1, 9), st.booleans()
)
def test_n_step_targets_equal_a_slow_loop(seed, gamma, n, length, terminates):
    """An episode of `length` steps, which goes on beyond the window or ends in either way."""
    rewards, next_values, _, _ = random_stream(seed)
    mask = np.arange(9) < length
    terminated = (np.arange(9) == length - 1) & terminates
    expected = []
    for start in range(length):
        stop = min(start + n, length)
        total = sum(gamma ** (t - start) * rewards[t] for t in range(start, stop))
        beyond = 0.0 if terminated[stop - 1] else next_values[stop - 1]
        expected.append(total + gamma ** (stop - start) * beyond)
    arrays = map(jnp.asarray, (rewards, next_values, terminated, mask))
    actual = n_step_targets(*arrays, gamma, n)
    np.testing.assert_allclose(actual[:length], expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31 - 1), st.floats(0, 1), st.integers(1, 8))
def test_n_step_targets_equal_rlax(seed, gamma, n):
    rewards, next_values, _, _ = map(jnp.asarray, random_stream(seed))
    yes = jnp.ones(9, bool)
    for terminated in (~yes, ~yes.at[-1].set(False)):
        # Sums that would leave the window end with it: rlax pads them with the last value.
        expected = rlax.n_step_bootstrapped_returns(
            rewards, gamma * (1.0 - terminated), next_values, n
        )
        actual = n_step_targets(rewards, next_values, terminated, yes, gamma, n)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_returns_of_batches_are_elementwise(key):
    rewards = jax.random.normal(key, (5, 3))
    ended = jnp.zeros((5, 3), bool).at[2, 1].set(True)
    mask = jnp.asarray(np.arange(5)[:, None] < np.array([5, 3, 1]))
    together = discounted_returns(rewards, rewards, ended, ended, 0.9)
    targets = n_step_targets(rewards, rewards, ended, mask, 0.9, 2)
    for column in range(3):
        r, e = rewards[:, column], ended[:, column]
        alone = discounted_returns(r, r, e, e, 0.9)
        np.testing.assert_allclose(together[:, column], alone, rtol=1e-6)
        alone = n_step_targets(r, r, e, mask[:, column], 0.9, 2)
        np.testing.assert_allclose(targets[:, column], alone, rtol=1e-6)


def test_normalized_advantages_by_hand():
    # The mean is 3, the squared deviations are 4, 0, 4, and their mean is 8/3.
    expected = np.array([-2, 0, 2]) / np.sqrt(8 / 3)
    np.testing.assert_allclose(normalized(jnp.array([1.0, 3.0, 5.0])), expected, rtol=1e-6)
    np.testing.assert_array_equal(normalized(jnp.full(3, 7.0)), 0)


def test_normalized_advantages_count_what_the_mask_lets_through():
    # Of 1 and 5 the mean is 3 and the deviation 2; what does not count is moved and scaled alike.
    found = normalized(
        jnp.array([[1.0, 9.0], [5.0, 3.0]]), jnp.array([[True, False], [True, False]])
    )
    np.testing.assert_allclose(found, [[-1, 3], [1, 0]], rtol=1e-6)
    x = jax.random.normal(jax.random.key(0), (3, 4))
    np.testing.assert_allclose(normalized(x, jnp.ones((3, 4), bool)), normalized(x), rtol=1e-5)
