import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import distributions as d


@pytest.fixture
def logits(key):
    return 3 * jax.random.normal(key, (5, 7))


def test_log_prob_and_entropy_equal_distrax(logits):
    oracle = distrax.Categorical(logits=logits)
    action = jnp.arange(5, dtype=jnp.int32)
    np.testing.assert_allclose(
        d.categorical_log_prob(logits, action), oracle.log_prob(action), rtol=1e-5
    )
    np.testing.assert_allclose(d.categorical_entropy(logits), oracle.entropy(), rtol=1e-5)


def test_samples_follow_the_probabilities(key):
    logits = jnp.log(jnp.array([0.1, 0.2, 0.7]))
    draws = d.categorical_sample(key, jnp.broadcast_to(logits, (20_000, 3)))
    shares = np.bincount(np.asarray(draws), minlength=3) / 20_000
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=0.015)


@pytest.mark.parametrize("mask", [[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]])
def test_entropy_and_gradients_are_finite_under_any_mask(mask):
    mask = jnp.array(mask, bool)
    logits = jnp.array([50.0, -30.0, 4.0])

    def total(logits):
        masked = d.mask_logits(logits, mask)
        return d.categorical_entropy(masked) + d.categorical_log_prob(masked, jnp.int32(1))

    value, gradient = jax.value_and_grad(total)(logits)
    assert np.isfinite(value) and np.isfinite(gradient).all()
    allowed = max(int(mask.sum()), 1)
    assert 0 <= d.categorical_entropy(d.mask_logits(logits, mask)) <= np.log(allowed) + 1e-6 or (
        not mask.any()
    )


def test_masked_actions_are_never_drawn(key):
    mask = jnp.array([False, True, False, True])
    logits = d.mask_logits(jnp.array([9.0, 0.0, 9.0, 0.0]), mask)
    draws = d.categorical_sample(key, jnp.broadcast_to(logits, (1000, 4)))
    assert set(draws.tolist()) == {1, 3}


def test_with_no_action_allowed_the_draw_is_uniform(key):
    logits = d.mask_logits(jnp.array([9.0, 0.0]), jnp.zeros(2, bool))
    np.testing.assert_allclose(jax.nn.softmax(logits), [0.5, 0.5])
