import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import distributions, pooling

PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]], np.float32)
WEIGHTS = jnp.array([0.75, 0.25])


def logits(probabilities):
    """Of these probabilities, each member's shifted by a number of its own."""
    return jnp.log(jnp.asarray(probabilities)) + jnp.array([[3.0], [-1.0]])


def test_a_mixture_by_hand():
    pooled = jnp.exp(pooling.mixture_logits(logits(PROBABILITIES), WEIGHTS))
    np.testing.assert_allclose(pooled, [0.65, 0.125, 0.225], rtol=1e-5)


def test_a_product_by_hand():
    # 0.4 * 0.1 and 0.1 * 0.4, and 0.2 * 0.2: square roots 0.2 each, so all are as likely.
    members = [[0.4, 0.1, 0.5], [0.1, 0.4, 0.5]]
    pooled = jnp.exp(pooling.product_logits(logits(members), jnp.array([0.5, 0.5])))
    np.testing.assert_allclose(pooled, [0.2 / 0.9, 0.2 / 0.9, 0.5 / 0.9], rtol=1e-5)


@pytest.mark.parametrize("pool", [pooling.mixture_logits, pooling.product_logits])
def test_pools_of_one_opinion_are_that_opinion(pool):
    one = jax.nn.log_softmax(logits(PROBABILITIES))
    np.testing.assert_allclose(pool(one[:1].repeat(2, 0), WEIGHTS), one[0], rtol=1e-5)
    alone = pool(logits(PROBABILITIES), jnp.array([0.0, 1.0]))
    np.testing.assert_allclose(alone, one[1], rtol=1e-5)


@pytest.mark.parametrize("pool", [pooling.mixture_logits, pooling.product_logits])
def test_what_is_forbidden_stays_so_and_gradients_stay_finite(pool):
    mask = jnp.array([True, False, True])

    def first(raw):
        return pool(distributions.mask_logits(raw, jnp.stack([mask, mask])), jnp.array([1.0, 0.0]))

    pooled = first(logits(PROBABILITIES))
    assert jnp.isfinite(pooled).all() and jnp.exp(pooled)[1] == 0.0
    gradient = jax.grad(lambda raw: first(raw)[0])(logits(PROBABILITIES))
    assert jnp.isfinite(gradient).all()


def test_only_a_mixture_keeps_what_one_member_rules_out():
    mask = jnp.array([[True, False, True], [True, True, True]])
    members = distributions.mask_logits(logits(PROBABILITIES), mask)
    assert jnp.exp(pooling.mixture_logits(members, WEIGHTS))[1] == pytest.approx(0.05)
    assert jnp.exp(pooling.product_logits(members, WEIGHTS))[1] == 0.0


def test_the_best_action_of_a_product_is_that_of_the_mean_value():
    values = jax.random.normal(jax.random.key(0), (50, 2, 3))
    best = jax.vmap(pooling.product_logits, (0, None))(values, WEIGHTS).argmax(-1)
    np.testing.assert_array_equal(best, jnp.einsum("m,nma->na", WEIGHTS, values).argmax(-1))


def test_rewards_less_their_variance_by_hand():
    rewards = jnp.array([1.0, 5.0])  # mean 2, variance 0.75 * 1 + 0.25 * 9 = 3
    assert pooling.uncertainty_weighted(rewards, WEIGHTS, jnp.float32(0)) == pytest.approx(2.0)
    assert pooling.uncertainty_weighted(rewards, WEIGHTS, jnp.float32(0.5)) == pytest.approx(0.5)
