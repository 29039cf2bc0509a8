import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_kl_equals_distrax_and_is_finite_under_a_mask(logits):
    other = logits[::-1] - 1.0
    oracle = distrax.Categorical(logits=logits).kl_divergence(distrax.Categorical(logits=other))
    np.testing.assert_allclose(d.categorical_kl(logits, other), oracle, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(d.categorical_kl(logits, logits + 5.0), 0.0, atol=1e-6)
    mask = jnp.broadcast_to(jnp.arange(7) < 2, logits.shape)
    masked = d.mask_logits(logits, mask), d.mask_logits(other, mask)
    expected = d.categorical_kl(logits[:, :2], other[:, :2])
    np.testing.assert_allclose(d.categorical_kl(*masked), expected, rtol=1e-5)
    gradients = jax.grad(lambda pair: d.categorical_kl(*pair).sum())(masked)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


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


masks = st.lists(st.booleans(), min_size=1, max_size=9).filter(any)


@settings(deadline=None, max_examples=40)
@given(masks)
def test_a_uniform_action_shares_the_interval_evenly_over_the_allowed(mask):
    """An even grid of numbers, k for each allowed action, gives each of them exactly k."""
    num_allowed, k = sum(mask), 16
    uniform = (jnp.arange(num_allowed * k, dtype=jnp.float32) + 0.5) / (num_allowed * k)
    masks = jnp.broadcast_to(jnp.array(mask), (len(uniform), len(mask)))
    actions = d.uniform_action(uniform, len(mask), masks)
    assert actions.dtype == jnp.int32
    np.testing.assert_array_equal(np.bincount(actions, minlength=len(mask)), k * np.array(mask))
    assert (np.diff(actions) >= 0).all()


@settings(deadline=None, max_examples=60)
@given(masks, st.floats(0, 1, width=32))
def test_a_uniform_action_is_always_allowed(mask, uniform):
    action = d.uniform_action(jnp.float32(uniform), len(mask), jnp.array(mask))
    assert mask[int(action)]


@pytest.mark.parametrize("num_actions", [1, 3, 38])
def test_a_uniform_action_without_a_mask(num_actions):
    uniform = (jnp.arange(num_actions * 7, dtype=jnp.float32) + 0.5) / (num_actions * 7)
    actions = d.uniform_action(uniform, num_actions, None)
    np.testing.assert_array_equal(np.bincount(actions, minlength=num_actions), 7)
    assert int(d.uniform_action(jnp.float32(1.0), num_actions, None)) == num_actions - 1


def test_with_no_action_allowed_the_uniform_action_is_the_first():
    assert int(d.uniform_action(jnp.float32(0.9), 3, jnp.zeros(3, bool))) == 0


def test_the_entry_that_an_action_names_and_its_gradient(logits):
    action = jnp.array([6, 0, 3, 3, 1], jnp.int32)
    chosen = d.select_action(logits, action)
    np.testing.assert_array_equal(chosen, np.asarray(logits)[np.arange(5), action])
    gradient = jax.grad(lambda values: d.select_action(values, action).sum())(logits)
    np.testing.assert_array_equal(gradient, np.eye(7)[np.asarray(action)])


@pytest.mark.parametrize("num", [1, 7, 12, 5000])
def test_a_draw_by_inversion_is_where_the_sum_passes_the_number(num):
    random = np.random.default_rng(0)
    logits = random.normal(size=(num,)).astype(np.float32)
    uniform = np.linspace(0, 1, 64, endpoint=False, dtype=np.float32)
    many = jnp.broadcast_to(logits, (64, num))
    found = np.asarray(d.categorical_from_uniform(many, jnp.asarray(uniform)))
    probs = np.exp(logits.astype(np.float64))
    sums = np.cumsum(probs / probs.sum())
    # Rounding may lead to a neighbour where the number is the sum, to seven digits.
    below = np.where(found > 0, sums[found - 1], 0.0)
    assert (below - 1e-6 <= uniform).all() and (uniform <= sums[found] + 1e-6).all()


def test_a_draw_by_inversion_never_gives_what_has_no_probability():
    logits = jnp.array([[-1e9, 0.0, -1e9, 0.0, -1e9, -1e9, -1e9]] * 3, jnp.float32)
    uniform = jnp.array([0.0, 0.5, 1.0], jnp.float32)  # 1 is never drawn, but rounds to it
    assert d.categorical_from_uniform(logits, uniform).tolist() == [1, 3, 3]
