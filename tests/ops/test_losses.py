import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rlax

from creative_rl.ops import losses


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [
        (1.1, 2.0, -2.2),  # inside the range: the ratio counts
        (1.5, 2.0, -2.4),  # above it the gain stops
        (0.5, 2.0, -1.0),  # below it the loss of a good action still counts
        (0.5, -2.0, 1.6),  # and the gain of avoiding a bad one stops
        (1.5, -2.0, 3.0),
    ],
)
def test_clipped_surrogate_by_hand(ratio, advantage, expected):
    loss = losses.clipped_surrogate_loss(
        jnp.log(jnp.float32(ratio)), jnp.float32(0), jnp.float32(advantage), 0.2
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_clipped_surrogate_equals_rlax(key):
    key_log, key_advantage = jax.random.split(key)
    log_prob, advantage = (
        jax.random.normal(key_log, (64,)),
        jax.random.normal(key_advantage, (64,)),
    )
    expected = rlax.clipped_surrogate_pg_loss(jnp.exp(log_prob), advantage, 0.3)
    actual = losses.clipped_surrogate_loss(log_prob, jnp.zeros(64), advantage, 0.3).mean()
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_clipped_value_takes_the_larger_error():
    # The value moved from 0 to 1 towards a target of 1: unclipped error 0, clipped (.2 - 1)^2 / 2.
    loss = losses.clipped_value_loss(jnp.float32(1), jnp.float32(0), jnp.float32(1), 0.2)
    np.testing.assert_allclose(loss, 0.32, rtol=1e-6)


def test_q_target_ends_with_the_task():
    rewards = jnp.array([1.0, 1.0])
    target = losses.q_learning_target(rewards, jnp.array([True, False]), jnp.array([5.0, 5.0]), 0.9)
    np.testing.assert_allclose(target, [1.0, 5.5])


def test_approximate_kl_by_hand():
    # Ratios 1, e and 1/e: (r - 1) - log r.
    kl = losses.approximate_kl(jnp.array([0.0, 1.0, -1.0]), jnp.zeros(3))
    np.testing.assert_allclose(kl, [0.0, np.e - 2, 1 / np.e], rtol=1e-6)
    # Small steps keep their size in 32 bits, and none is negative.
    small = losses.approximate_kl(jnp.array([1e-3, -1e-3]), jnp.zeros(2))
    assert (np.asarray(small) >= 0).all()
    np.testing.assert_allclose(small, 5e-7, rtol=0.2)


def test_the_mean_of_approximate_kl_is_the_kl_of_distrax(key):
    """Exactly: the mean over all draws, each with its old probability."""
    old, new = jax.random.normal(key, (2, 6))
    old, new = distrax.Categorical(logits=old), distrax.Categorical(logits=new)
    kl = losses.approximate_kl(jnp.log(new.probs), jnp.log(old.probs))
    np.testing.assert_allclose((old.probs * kl).sum(), old.kl_divergence(new), rtol=1e-5)


def test_importance_weights_by_hand():
    shares = jnp.array([0.5, 0.25, 0.125], jnp.float32)
    weights = losses.importance_weights(shares, jnp.int32(8), 0.5)
    np.testing.assert_allclose(weights, [0.5, 0.5**0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(losses.importance_weights(shares, jnp.int32(8), 0.0), 1.0)


def test_the_priority_of_a_sequence_by_hand():
    errors = jnp.array([[1.0, 0.0], [3.0, 2.0], [0.0, 0.0]])
    counts = jnp.array([[True, False], [True, True], [False, False]])
    found = losses.sequence_priority(errors, counts)
    np.testing.assert_allclose(found, [0.9 * 3 + 0.1 * 2, 2.0], rtol=1e-6)
