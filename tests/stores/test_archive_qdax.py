"""The archive against QDax's: the same insertions leave the same elites in the same cells."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.stores import archive as store

containers = pytest.importorskip("qdax.core.containers.mapelites_repertoire")

SHAPE, RANGES = (6, 5), ((0.0, 30.0), (-1.0, 1.0))


@pytest.fixture(autouse=True)
def their_ranks():
    """Their arrays of different ranks broadcast by themselves."""
    with jax.numpy_rank_promotion("allow"):
        yield


def test_the_same_insertions_leave_the_same_archive():
    rng = np.random.default_rng(0)
    lows, highs = map(list, zip(*RANGES, strict=True))
    centroids = containers.compute_euclidean_centroids(SHAPE, lows, highs)
    ours = store.init(jnp.zeros(7, jnp.int32), SHAPE, RANGES)
    theirs = containers.MapElitesRepertoire.init_default(jnp.zeros(7, jnp.int32), centroids)
    add, add_theirs = jax.jit(store.add), jax.jit(lambda archive, *batch: archive.add(*batch))
    places = store.cells(ours, centroids)  # of their cells, in our order
    assert sorted(places.tolist()) == list(range(30))
    for _ in range(8):
        solutions = jnp.asarray(rng.integers(0, 9, (50, 7)), jnp.int32)
        # Among equals in a batch theirs takes any, so that here none are.
        fitness = jnp.asarray(rng.permutation(5000)[:50], jnp.float32)
        descriptors = jnp.asarray(rng.uniform((-3, -1.2), (33, 1.2), (50, 2)), jnp.float32)
        ours, _ = add(ours, solutions, fitness, descriptors)
        theirs = add_theirs(theirs, solutions, descriptors, fitness[:, None])
        np.testing.assert_array_equal(ours.fitness[places], theirs.fitnesses[:, 0])
        np.testing.assert_array_equal(ours.solutions[places], theirs.genotypes)
        np.testing.assert_array_equal(ours.descriptors[places], theirs.descriptors)
    assert 20 < ours.is_filled.sum() <= 30
