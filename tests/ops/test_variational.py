import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from creative_rl.ops import variational


def test_divergence_by_hand():
    log4 = np.log(4.0)
    found = variational.standard_normal_kl(jnp.float32([0, 2, 0]), jnp.float32([0, 0, log4]))
    np.testing.assert_allclose(found, [0.0, 2.0, 0.5 * (3 - log4)], rtol=1e-6)


def test_a_free_amount_costs_nothing_and_has_no_slope():
    found = variational.beyond_free(jnp.float32([0.0, 1.5, 4.0]), 2.0)
    np.testing.assert_allclose(found, [0.0, 0.0, 2.0])
    slopes = jax.vmap(jax.grad(lambda kl: variational.beyond_free(kl, 2.0)))
    np.testing.assert_allclose(slopes(jnp.float32([1.5, 4.0])), [0.0, 1.0])


@settings(deadline=None, max_examples=15)
@given(st.floats(-2, 2), st.floats(-2, 1))
def test_divergence_is_the_integral(mean, log_variance):
    own = stats.norm(mean, np.exp(0.5 * log_variance))

    def integrand(x):
        return own.pdf(x) * (own.logpdf(x) - stats.norm.logpdf(x))

    expected, _ = integrate.quad(integrand, mean - 20, mean + 20, points=[mean], limit=200)
    found = variational.standard_normal_kl(jnp.float32(mean), jnp.float32(log_variance))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.floats(-80, 80), st.floats(0, 1))
def test_cross_entropy_is_numpys_in_double(logit, target):
    expected = target * np.logaddexp(0, -logit) + (1 - target) * np.logaddexp(0, logit)
    found = variational.bernoulli_nll(jnp.float32(logit), jnp.float32(target))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_cross_entropy_is_least_at_the_target():
    logits = jnp.float32(np.log([0.1 / 0.9, 0.3 / 0.7, 0.5 / 0.5]))
    losses = variational.bernoulli_nll(logits, jnp.full(3, 0.3, jnp.float32))
    assert int(losses.argmin()) == 1
    slope = jax.grad(variational.bernoulli_nll)(logits[1], jnp.float32(0.3))
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.05, 3))
def test_normal_likelihood_is_scipys(mean, target, scale):
    found = variational.gaussian_nll(jnp.float32(mean), jnp.float32(target), scale)
    np.testing.assert_allclose(found, -stats.norm.logpdf(target, mean, scale), rtol=1e-3, atol=1e-4)
