import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl import metrics
from creative_rl.metrics.pictures import vendi_score_of_kernel
from creative_rl.ops import variety


def samples(seed, num, width=6, spread=1.0):
    drawn = np.random.default_rng(seed).normal(0, spread, (num, width))
    return jnp.asarray(drawn, jnp.float32)


def test_recall_by_hand():
    # On a line, the nearest neighbours of 0, 1 and 5 are 1, 1 and 4 away.
    made = jnp.float32([[0.0], [1.0], [5.0]])
    real = jnp.float32([[-0.5], [-1.5], [1.9], [2.1], [9.5]])
    np.testing.assert_allclose(variety.neighbour_recall(real, made, 1), 3 / 5)
    np.testing.assert_allclose(variety.neighbour_recall(real[:2], made, 1), 1 / 2)
    np.testing.assert_allclose(variety.neighbour_recall(real[4:], made, 1), 0.0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.2, 2.0), st.sampled_from([1, 3, 5]))
def test_recall_is_the_exact_measure(seed, spread, k):
    real, made = samples(seed, 30), samples(seed + 1, 20, spread=spread)
    precision, recall = metrics.precision_recall(real, made, k)
    np.testing.assert_allclose(variety.neighbour_recall(real, made, k), recall, atol=1e-6)
    np.testing.assert_allclose(variety.neighbour_recall(made, real, k), precision, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.1, 20.0))
def test_vendi_is_the_score_of_order_two_by_eigenvalues(seed, scale):
    similar = variety.gaussian_similarities(samples(seed, 12), jnp.float32(scale))
    expected = vendi_score_of_kernel(similar, order=2.0)
    np.testing.assert_allclose(variety.vendi_score(similar), expected, rtol=1e-4)


@pytest.mark.parametrize("num_modes", [1, 2, 5, 10])
def test_vendi_counts_modes(num_modes):
    modes = 100.0 * np.eye(10, dtype=np.float32)[:num_modes]
    made = jnp.asarray(np.tile(modes, (20 // num_modes, 1)))
    typical = variety.squared_distances(made, made).mean()
    if num_modes > 1:
        # A typical pair counts as nearly different: exp(-4)^2 of a sample.
        assert num_modes * 0.97 < float(
            variety.vendi_score(variety.gaussian_similarities(made, typical))
        )
    found = variety.vendi_score(variety.gaussian_similarities(made, jnp.float32(1.0)))
    np.testing.assert_allclose(found, num_modes, rtol=1e-5)


def test_distances_are_those_of_all_pairs():
    first, second = samples(0, 4), samples(1, 3)
    expected = (np.asarray(first[:, None] - second[None]) ** 2).sum(-1)
    np.testing.assert_allclose(variety.squared_distances(first, second), expected, rtol=1e-4)
    assert float(variety.squared_distances(100 * first, 100 * first).min()) >= 0.0


def test_seeds_side_by_side_are_measured_each_alone():
    made = jnp.stack([samples(seed, 20) for seed in range(3)])
    real = jnp.asarray(samples(9, 30))
    found = jax.jit(jax.vmap(lambda made: variety.neighbour_recall(real, made, 5)))(made)
    for one, alone in zip(found, made, strict=True):
        np.testing.assert_allclose(one, metrics.precision_recall(real, alone, 5)[1], atol=1e-6)
