"""Distributions over actions, against distrax and SciPy."""

import math

import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from creative_rl.ops.action_heads import action_head
from creative_rl.ops.distributions import mask_logits
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete

NUM_DRAWS = 20_000
NUMS = (2, 3, 4)
SPACES = (Discrete(5), MultiDiscrete(NUMS), Box(-1.0, 1.0, (3,)))


def draws(head, outputs, key, num=NUM_DRAWS):
    outputs = jnp.broadcast_to(jnp.asarray(outputs, jnp.float32), (num, head.num_outputs))
    return head.choose(outputs, head.noise(key, (num,)))


def squashed(outputs):
    """What a squashed normal's actions are before they are stretched, by distrax."""
    mean, log_std = jnp.split(outputs, 2, axis=-1)
    normal = distrax.MultivariateNormalDiag(mean, jnp.exp(jnp.clip(log_std, -5.0, 2.0)))
    return distrax.Transformed(normal, distrax.Block(distrax.Tanh(), 1))


def entropy_by_quadrature(mean, std):
    """Of one squashed normal, by adaptive quadrature in 64 bits."""

    def integrand(u):
        return stats.norm.pdf(u, mean, std) * 2 * (math.log(2) - u - np.logaddexp(0.0, -2 * u))

    low, high = mean - 12 * std, mean + 12 * std
    points = [0.0] if low < 0.0 < high else None
    slope, _ = integrate.quad(integrand, low, high, points=points, limit=500)
    return stats.norm.entropy(mean, std) + slope


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_shapes_and_dtypes(space, key):
    head = action_head(space)
    outputs = jax.random.normal(key, (4, 2, head.num_outputs))
    choice = head.choose(outputs, head.noise(key, (4, 2)))
    assert head.best(outputs).shape == choice.shape
    assert head.log_prob(outputs, choice).shape == head.entropy(outputs).shape == (4, 2)
    action = head.action(choice)
    assert (action.shape, action.dtype) == ((4, 2, *space.shape), space.dtype)
    alone = head.choose(outputs[0, 0], head.noise(key, ()))
    assert head.action(alone).shape == space.shape


# Categoricals.


def test_discrete_equals_distrax(key):
    head = action_head(Discrete(5))
    logits = 3 * jax.random.normal(key, (6, 5))
    choice = jnp.arange(6, dtype=jnp.int32) % 5
    oracle = distrax.Categorical(logits=logits)
    np.testing.assert_allclose(head.log_prob(logits, choice), oracle.log_prob(choice), rtol=1e-5)
    np.testing.assert_allclose(head.entropy(logits), oracle.entropy(), rtol=1e-5)
    np.testing.assert_array_equal(head.best(logits), oracle.mode())


def test_multi_discrete_equals_the_joint_of_independent_categoricals(key):
    head = action_head(MultiDiscrete(NUMS))
    assert head.num_outputs == 9
    logits = 3 * jax.random.normal(key, (7, 9))
    parts = [distrax.Categorical(logits=part) for part in jnp.split(logits, [2, 5], axis=-1)]
    choice = jnp.stack([part.sample(seed=jax.random.key(n)) for n, part in enumerate(parts)], -1)
    expected = sum(part.log_prob(choice[:, n]) for n, part in enumerate(parts))
    np.testing.assert_allclose(head.log_prob(logits, choice), expected, rtol=1e-5)
    entropy = sum(part.entropy() for part in parts)
    np.testing.assert_allclose(head.entropy(logits), entropy, rtol=1e-5)
    modes = jnp.stack([part.mode() for part in parts], axis=-1)
    np.testing.assert_array_equal(head.best(logits), modes)


@pytest.mark.parametrize("seed", range(2))
def test_multi_discrete_draws_are_those_of_the_joint_distribution(seed):
    """Chi-squared over all combinations: independence is part of the claim."""
    head = action_head(MultiDiscrete(NUMS))
    logits = jax.random.normal(jax.random.key(seed), (9,))
    chosen = np.ravel_multi_index(np.asarray(draws(head, logits, jax.random.key(9))).T, NUMS)
    first, second, third = (np.asarray(jax.nn.softmax(p)) for p in jnp.split(logits, [2, 5]))
    expected = np.einsum("i,j,k->ijk", first, second, third).astype(np.float64).ravel()
    counts = np.bincount(chosen, minlength=24)
    assert stats.chisquare(counts, NUM_DRAWS * expected / expected.sum()).pvalue > 1e-3


def test_discrete_draws_are_those_of_the_softmax(key):
    head = action_head(Discrete(4))
    logits = jnp.array([2.0, -1.0, 0.5, 0.0])
    counts = np.bincount(np.asarray(draws(head, logits, key)), minlength=4)
    expected = np.exp(np.array([2.0, -1.0, 0.5, 0.0]))
    assert stats.chisquare(counts, NUM_DRAWS * expected / expected.sum()).pvalue > 1e-3


# Squashed normals.


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (-2.0, 6.0)])
def test_box_log_prob_equals_distrax_before_the_stretching(bounds, key):
    head = action_head(Box(*bounds, (3,)))
    outputs = jax.random.normal(key, (8, 6))
    choice = head.choose(outputs, head.noise(key, (8,)))
    expected = squashed(outputs).log_prob(jnp.tanh(choice))
    # distrax goes back through atanh in 32 bits.
    np.testing.assert_allclose(head.log_prob(outputs, choice), expected, rtol=1e-3, atol=1e-3)


def test_box_log_prob_integrates_to_one_over_the_box():
    head = action_head(Box(-1.0, 1.0))
    outputs = jnp.array([0.7, -0.4])
    places = (np.arange(4000) + 0.5) / 2000 - 1
    choice = jnp.arctanh(jnp.asarray(places, jnp.float32))[:, None]
    log_prob = head.log_prob(jnp.broadcast_to(outputs, (4000, 2)), choice)
    np.testing.assert_allclose(np.exp(log_prob).sum() / 2000, 1.0, atol=1e-3)


@pytest.mark.parametrize(
    ("log_std", "tolerance"),
    [(-9.0, 1e-4), (-2.0, 1e-4), (0.0, 1e-3), (0.5, 1e-3), (1.0, 0.02), (2.0, 0.25), (7.0, 0.25)],
)
@pytest.mark.parametrize("mean", [0.0, 0.5, -2.0, 5.0])
def test_box_entropy_equals_adaptive_quadrature(mean, log_std, tolerance):
    """Within what its docstring says; beyond the range of deviations as at its ends."""
    entropy = action_head(Box(-1.0, 1.0)).entropy(jnp.array([mean, log_std]))
    expected = entropy_by_quadrature(mean, math.exp(min(max(log_std, -5.0), 2.0)))
    np.testing.assert_allclose(entropy, expected, atol=tolerance)


def test_box_entropy_is_minus_the_mean_of_distraxs_log_prob(key):
    head = action_head(Box(-1.0, 1.0, (2,)))
    outputs = jnp.array([0.3, -0.8, -1.0, 0.0])
    with jax.numpy_rank_promotion("allow"):  # distrax needs it
        many = squashed(jnp.broadcast_to(outputs, (NUM_DRAWS, 4)))
        _, log_probs = many.sample_and_log_prob(seed=key)
    error = float(log_probs.std()) / math.sqrt(NUM_DRAWS)
    np.testing.assert_allclose(head.entropy(outputs), -log_probs.mean(), atol=4 * error)
    assert 4 * error < 0.04


def test_box_draws_are_those_of_the_squashed_normal(key):
    """Kolmogorov-Smirnov, against the distribution function by hand, for both dimensions."""
    head = action_head(Box(-2.0, 6.0, (2,)))
    outputs = jnp.array([0.5, -1.0, -1.0, 0.5])
    actions = np.asarray(head.action(draws(head, outputs, key)), np.float64)
    for column, (mean, std) in enumerate([(0.5, math.exp(-1.0)), (-1.0, math.exp(0.5))]):

        def below(action, mean=mean, std=std):
            inner = np.clip((action - 2.0) / 4.0, -1 + 1e-12, 1 - 1e-12)
            return stats.norm.cdf(np.arctanh(inner), mean, std)

        assert stats.kstest(actions[:, column], below).pvalue > 1e-3
    assert abs(np.corrcoef(actions.T)[0, 1]) < 4 / math.sqrt(NUM_DRAWS)


def test_the_best_choice_of_a_box_is_the_middle():
    head = action_head(Box(-2.0, 6.0, (2,)))
    best = head.best(jnp.array([0.0, 0.5, 1.0, 1.0]))
    np.testing.assert_allclose(head.action(best), [2.0, 2.0 + 4.0 * math.tanh(0.5)], rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize("bounds", [(-2.0, 2.0), (0.0, 1.0), (0.1, 0.7), (-1000.0, 1e-3)])
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**31 - 1), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_actions_are_always_inside_the_box(shape, bounds, seed, scale):
    space = Box(*bounds, shape)
    head = action_head(space)
    key_outputs, key_noise = jax.random.split(jax.random.key(seed))
    outputs = scale * jax.random.normal(key_outputs, (50, head.num_outputs))
    action = head.action(head.choose(outputs, head.noise(key_noise, (50,))))
    assert action.shape == (50, *shape)
    assert jax.vmap(space.contains)(action).all()
    corners = head.action(jnp.full((2, head.num_outputs // 2), 99.0) * jnp.array([[1.0], [-1.0]]))
    rounding = 1e-7 * (bounds[1] - bounds[0])
    np.testing.assert_allclose(corners[0], bounds[1], atol=rounding)
    np.testing.assert_allclose(corners[1], bounds[0], atol=rounding)


def test_actions_of_a_matrix_keep_their_places():
    head = action_head(Box(-1.0, 1.0, (2, 3)))
    action = head.action(jnp.arange(6, dtype=jnp.float32) / 10)
    np.testing.assert_allclose(action, np.tanh(np.arange(6).reshape(2, 3) / 10), rtol=1e-6)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_divergence_is_the_mean_log_ratio_of_draws(space, key):
    head = action_head(space)
    outputs, other = jax.random.normal(jax.random.key(3), (2, head.num_outputs)) / 2
    choices = draws(head, outputs, key)
    many = (jnp.broadcast_to(row, (NUM_DRAWS, head.num_outputs)) for row in (outputs, other))
    log_ratios = np.subtract(*(np.asarray(head.log_prob(row, choices)) for row in many))
    error = 4 * log_ratios.std() / math.sqrt(NUM_DRAWS)
    assert head.divergence(outputs, other) > 2 * error
    np.testing.assert_allclose(head.divergence(outputs, other), log_ratios.mean(), atol=error)
    np.testing.assert_allclose(head.divergence(outputs, outputs), 0.0, atol=1e-6)


# Gradients.


def assert_finite_gradients(head, outputs, choice):
    for fn in (lambda outputs: head.log_prob(outputs, choice), head.entropy):
        value, gradient = jax.value_and_grad(lambda outputs: fn(outputs).sum())(outputs)  # noqa: B023
        assert np.isfinite(value) and np.isfinite(gradient).all()


@pytest.mark.parametrize("choice", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize("log_std", [-80.0, -5.0, 2.0, 80.0])
@pytest.mark.parametrize("mean", [-30.0, 0.0, 30.0])
def test_extreme_numbers_have_finite_gradients(mean, log_std, choice):
    outputs = jnp.array([mean, log_std])
    assert_finite_gradients(action_head(Box(-2.0, 2.0)), outputs, jnp.array([choice]))


def test_the_log_prob_of_extreme_choices_is_exact():
    """log(1 - tanh^2) is about 2 log(2) - 2 |u| where tanh rounds to one."""
    head = action_head(Box(-1.0, 1.0))
    for choice in (-30.0, 30.0):
        expected = stats.norm.logpdf(choice, 29.0, 1.0) - (2 * math.log(2) - 60.0)
        log_prob = head.log_prob(jnp.array([29.0, 0.0]), jnp.array([choice]))
        np.testing.assert_allclose(log_prob, expected, rtol=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    mask=st.lists(st.booleans(), min_size=5, max_size=5),
    logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=5, max_size=5),
    action=st.integers(0, 4),
)
def test_logits_have_finite_gradients_under_any_mask(mask, logits, action):
    mask, head = jnp.array(mask), action_head(Discrete(5))
    logits = jnp.array(logits, jnp.float32)
    for fn in (head.entropy, lambda logits: head.log_prob(logits, jnp.int32(action))):
        value, gradient = jax.value_and_grad(lambda x: fn(mask_logits(x, mask)))(logits)  # noqa: B023
        assert np.isfinite(value) and np.isfinite(gradient).all()
        np.testing.assert_array_equal(np.asarray(gradient)[~np.asarray(mask)], 0.0)


# Refusals.


@pytest.mark.parametrize(
    "space",
    [
        Dict({"a": Discrete(2)}),
        Box(-math.inf, math.inf, (2,)),
        Box(0.0, math.inf),
        Box(-math.inf, 0.0),
        Box(0, 255, (2,), jnp.uint8),
        Box(0, 3, (), jnp.int32),
        Box(1.0, 1.0),
    ],
    ids=str,
)
def test_spaces_without_a_distribution_are_refused_in_one_line(space):
    with pytest.raises(ValueError, match="actions must be Discrete, MultiDiscrete or a") as refused:
        action_head(space)
    assert "\n" not in str(refused.value) and str(space) in str(refused.value)


@pytest.mark.parametrize("space", SPACES)
def test_one_action_is_drawn_as_many_are(space, key):
    head = action_head(space)
    outputs = jnp.linspace(-1.0, 1.0, head.num_outputs)
    drawn = head.draw(key, outputs)
    np.testing.assert_array_equal(drawn, head.action(head.choose(outputs, head.noise(key, ()))))
    np.testing.assert_array_equal(drawn, head.draw(jax.random.key_data(key), outputs))  # a raw key
    assert drawn.shape == space.zeros().shape and drawn.dtype == space.zeros().dtype
