"""An archive of elites, against a dict that takes solutions one by one."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.archive import PlainArchive

from creative_rl.stores import archive as store

SHAPE, RANGES = (3, 4), ((0.0, 1.0), (-2.0, 2.0))
CENTRES = [(x, y) for x in (1 / 6, 0.5, 5 / 6) for y in (-1.5, -0.5, 0.5, 1.5)]


def empty(shape=SHAPE, ranges=RANGES):
    return store.init({"actions": jnp.full(5, -1, jnp.int32)}, shape, ranges)


def batch(solutions, fitness, descriptors):
    actions = np.repeat(np.asarray(solutions)[:, None], 5, axis=1)
    return (
        {"actions": jnp.asarray(actions, jnp.int32)},
        jnp.asarray(fitness, jnp.float32),
        jnp.asarray(descriptors, jnp.float32),
    )


def elites(archive):
    """As `PlainArchive.elites`."""
    found = {}
    for cell in np.flatnonzero(archive.is_filled):
        actions = set(np.asarray(archive.solutions["actions"][cell]).tolist())
        place = tuple(int(part) for part in np.unravel_index(cell, archive.shape))
        descriptors = tuple(np.asarray(archive.descriptors[cell]).tolist())
        (solution,) = actions  # a row is of one solution
        found[place] = (float(archive.fitness[cell]), descriptors, solution)
    return found


def test_insertions_are_those_of_one_after_the_other():
    rng = np.random.default_rng(0)
    add = jax.jit(chex.assert_max_traces(store.add, n=1), donate_argnums=0)
    odd = [math.nan, math.inf, -math.inf]
    for case in range(30):
        archive, twin = empty(), PlainArchive(SHAPE, RANGES)
        for number in range(4):
            solutions = list(range(100 * number, 100 * number + 40))
            # Few values, so that many are equal; sometimes all in one cell.
            fitness = rng.integers(-3, 4, 40).astype(float)
            descriptors = rng.uniform((-0.3, -3), (1.3, 3), (40, 2)).astype(np.float32)
            if case % 3 == 0:
                descriptors[:] = descriptors[0]
            if case % 3 == 1:
                fitness[rng.integers(0, 40, 5)] = rng.choice(odd, 5)
                descriptors[rng.integers(0, 40, 5), rng.integers(0, 2, 5)] = rng.choice(odd, 5)
            archive, num_added = add(archive, *batch(solutions, fitness, descriptors))
            told = [tuple(row) for row in descriptors.tolist()]
            expected = twin.add(zip(solutions, fitness.tolist(), told, strict=True))
            assert int(num_added) == expected
            assert elites(archive) == twin.elites
    assert (np.asarray(archive.solutions["actions"])[~archive.is_filled] == -1).all()


def test_the_first_of_equals_stays():
    archive, num_added = store.add(empty(), *batch([7, 8, 9], [1, 2, 2], [[0.5, 0.1]] * 3))
    assert (elites(archive), int(num_added)) == ({(1, 2): (2.0, pytest.approx((0.5, 0.1)), 8)}, 1)
    archive, num_added = store.add(archive, *batch([10], [2], [[0.4, 0.2]]))
    assert (elites(archive)[1, 2][2], int(num_added)) == (8, 0)
    archive, num_added = store.add(archive, *batch([11], [2.5], [[0.4, 0.2]]))
    assert (elites(archive)[1, 2][2], int(num_added)) == (11, 1)


def test_the_order_of_a_batch_counts_among_equals_alone():
    rng = np.random.default_rng(1)
    fitness = rng.permutation(60).astype(float)
    descriptors = rng.uniform((0, -2), (1, 2), (60, 2))
    order = rng.permutation(60)
    first, _ = store.add(empty(), *batch(np.arange(60), fitness, descriptors))
    other, _ = store.add(empty(), *batch(order, fitness[order], descriptors[order]))
    assert elites(first) == elites(other)


def test_cells_have_their_lower_ends_and_those_outside_are_at_the_edge():
    archive = empty((4,), ((0.0, 8.0),))
    places = jnp.array([-1e9, 0.0, 1.99, 2.0, 5.0, 7.99, 8.0, 1e30, jnp.inf, -jnp.inf])[:, None]
    assert store.cells(archive, places).tolist() == [0, 0, 0, 1, 2, 3, 3, 3, 3, 0]
    assert store.cells(empty(), jnp.asarray(CENTRES, jnp.float32)).tolist() == list(range(12))


def test_samples_are_uniform_over_the_filled_cells(key):
    archive, _ = store.add(empty(), *batch([1, 2, 3], [0, 5, -9], [CENTRES[i] for i in (0, 5, 11)]))
    drawn = np.asarray(store.sample(archive, key, (3000,)))
    counts = np.bincount(drawn, minlength=12)
    assert set(np.flatnonzero(counts)) == {0, 5, 11}
    np.testing.assert_allclose(counts[[0, 5, 11]], 1000, atol=120)
    assert store.sample(empty(), key, (4,)).tolist() == [0] * 4
    taken = store.take(archive, jnp.array([5, 11], jnp.int32))
    assert taken["actions"][:, 0].tolist() == [2, 3]


def test_measures_by_hand():
    found = store.measures(empty(), -4.0)
    assert {name: float(value) for name, value in found.items()} == {
        "qd_score": 0.0, "coverage": 0.0, "maximum": -4.0,
    }  # fmt: skip
    archive, _ = store.add(empty(), *batch([1, 2, 3], [-1, 5, 2], [CENTRES[i] for i in (0, 5, 11)]))
    found = store.measures(archive, -4.0)
    assert float(found["qd_score"]) == 3 + 9 + 6
    assert float(found["coverage"]) == 0.25
    assert float(found["maximum"]) == 5.0


@pytest.mark.parametrize(
    ("shape", "ranges", "message"),
    [
        ((), (), "a pair, for every descriptor, got"),
        ((3,), RANGES, "a pair, for every descriptor, got"),
        ((0, 4), RANGES, r"cells must be 1 to 1048576 in all, got \(0, 4\)"),
        ((2**11, 2**10), RANGES, "cells must be 1 to 1048576 in all"),
        ((3, 4), ((0.0, 0.0), (0.0, 1.0)), "finite low < high, got 0.0 and 0.0"),
        ((3, 4), ((0.0, math.inf), (0.0, 1.0)), "finite low < high, got 0.0 and inf"),
    ],
)
def test_bad_grids_are_refused(shape, ranges, message):
    with pytest.raises(ValueError, match=message):
        empty(shape, ranges)
