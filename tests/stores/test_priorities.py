"""Priorities against a plain array of float64, and drawn proportions."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.stores import priorities

capacities = st.sampled_from([1, 2, 15, 16, 17, 100, 256, 257, 5000])


ASSIGN = jax.jit(priorities.assign)
SAMPLE = jax.jit(priorities.sample, static_argnames="num")


def of(values):
    """Priorities with these values."""
    values = jnp.asarray(values, jnp.float32)
    slots = jnp.arange(len(values), dtype=jnp.int32)
    return ASSIGN(priorities.init(len(values)), slots, values)


def assert_consistent(tree):
    """Every sum is that of its children, within their own rounding."""
    for below, level in zip(tree.levels, tree.levels[1:], strict=False):
        sums = np.asarray(below, np.float64).reshape(-1, priorities.FAN_OUT).sum(axis=1)
        np.testing.assert_allclose(level[: len(sums)], sums, rtol=1e-6)
        assert not np.any(level[len(sums) :])


@settings(deadline=None, max_examples=30)
@given(capacities, st.integers(0, 1000))
def test_assigning_is_that_of_a_plain_array(capacity, seed):
    rng = np.random.default_rng(seed)
    tree, twin = priorities.init(capacity), np.zeros(capacity)
    for _ in range(4):
        slots = rng.integers(-3, capacity + 3, 40)
        values = rng.choice([0.0, 1.0, 7.5, 1e-6, 1e6], capacity + 6)[slots + 3]
        tree = ASSIGN(tree, jnp.asarray(slots, jnp.int32), jnp.asarray(values, jnp.float32))
        is_slot = (slots >= 0) & (slots < capacity)
        twin[slots[is_slot]] = values[is_slot]
        np.testing.assert_allclose(tree.levels[0][:capacity], twin, rtol=1e-6)
        assert_consistent(tree)
    np.testing.assert_allclose(tree.total, twin.sum(), rtol=1e-6)
    shares = priorities.probability(tree, jnp.arange(-1, capacity + 1, dtype=jnp.int32))
    np.testing.assert_allclose(shares[1:-1], twin / max(twin.sum(), 1e-9), rtol=1e-5)
    assert shares[0] == shares[-1] == 0


def test_a_slot_given_twice_has_one_of_its_values():
    tree = priorities.assign(
        priorities.init(300), jnp.asarray([7, 7, 7, 8], jnp.int32), jnp.asarray([1.0, 2, 3, 10])
    )
    assert float(tree.levels[0][7]) in (1.0, 2.0, 3.0)
    assert float(tree.total) == 10 + float(tree.levels[0][7])
    assert_consistent(tree)


def test_the_total_of_a_million_does_not_drift():
    capacity = 1_000_000
    rng = np.random.default_rng(0)
    start = rng.exponential(size=capacity).astype(np.float32)
    slots = rng.integers(0, capacity, (400, 256)).astype(np.int32)
    values = (10.0 ** rng.uniform(-6, 4, capacity)).astype(np.float32)  # by slot: order is free

    @jax.jit
    def run(tree, slots, values):
        return jax.lax.scan(lambda t, x: (priorities.assign(t, *x), None), tree, (slots, values))[0]

    tree = run(of(start), slots, values[slots])
    twin = start.astype(np.float64)
    twin[slots] = values[slots]
    np.testing.assert_allclose(float(tree.total), twin.sum(), rtol=1e-5)
    tree = run(tree, slots, np.zeros_like(values[slots]))  # no residue of what was there
    twin[slots] = 0
    np.testing.assert_allclose(float(tree.total), twin.sum(), rtol=1e-5)


@pytest.mark.parametrize("capacity", [5, 16, 300])
def test_slots_are_drawn_in_proportion(key, capacity):
    values = np.random.default_rng(0).integers(0, 6, capacity).astype(np.float64)
    tree = of(values)
    drawn = jax.vmap(lambda key: SAMPLE(tree, key, num=100))(jax.random.split(key, 600))
    counts = np.bincount(np.asarray(drawn).ravel(), minlength=capacity)
    assert not counts[values == 0].any()
    expected = 60_000 * values / values.sum()
    positive = values > 0
    chi_squared = ((counts - expected)[positive] ** 2 / expected[positive]).sum()
    freedom = positive.sum() - 1
    assert chi_squared < freedom + 5 * (2 * freedom) ** 0.5


def test_a_million_slots_are_told_apart(key):
    # 24 random bits in all would reach a slot of a millionth in steps of a sixteenth of its share.
    values = jnp.ones(1_000_000).at[::2].set(3.0)
    drawn = np.asarray(SAMPLE(of(values), key, num=200_000))
    even = (drawn % 2 == 0).mean()
    assert abs(even - 0.75) < 5 * (0.75 * 0.25 / 200_000) ** 0.5
    assert len(np.unique(drawn)) > 160_000
    quarters = np.bincount(drawn // 250_000, minlength=4)
    assert np.all(np.abs(quarters - 50_000) < 5 * 200_000**0.5)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.sampled_from([0.0, 0.0, 0.0, 1e-30, 1e-8, 1.0, 1e8, 1e30, 3e38, np.inf, 1e-40]),
        min_size=300,
        max_size=300,
    ),
    st.sampled_from([1, 3, 16, 18, 300]),
    st.integers(0, 1000),
)
def test_zero_is_never_drawn(values, num, seed):
    values = np.asarray(values[:num], np.float32)
    tree = of(values)
    drawn = np.asarray(SAMPLE(tree, jax.random.key(seed), num=256))
    assert np.isfinite(float(tree.total))
    if (values >= 1e-30).any():
        assert (values[drawn] >= np.float32(1e-30)).all()
        assert (priorities.probability(tree, jnp.asarray(drawn)) >= 0).all()
    else:
        assert not drawn.any()


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0 - 2.0**-24, 1.0, 2.0])
def test_however_the_draw_is_rounded_the_choice_has_a_weight(draw):
    rng = np.random.default_rng(1)
    weights = rng.choice([0.0, 0.0, 1e-30, 1e-3, 1.0, 1e30], (2000, 16)).astype(np.float32)
    weights = weights[(weights > 0).any(axis=1)]
    chosen = priorities._choose(jnp.asarray(weights), jnp.full(len(weights), draw, jnp.float32))
    assert (weights[np.arange(len(weights)), np.asarray(chosen)] > 0).all()


def test_nothing_to_draw_from_is_slot_zero(key):
    tree = priorities.init(40)
    assert priorities.sample(tree, key, 3).tolist() == [0, 0, 0]
    assert priorities.probability(tree, jnp.arange(3, dtype=jnp.int32)).tolist() == [0, 0, 0]


def test_bad_values_count_as_zero_and_the_largest_is_remembered():
    tree = priorities.init(20)
    assert float(tree.largest) == 1.0
    slots = jnp.arange(4, dtype=jnp.int32)
    tree = priorities.assign(tree, slots, jnp.asarray([jnp.nan, -1.0, 2.0, 5.0]))
    assert tree.levels[0][:4].tolist() == [0, 0, 2, 5]
    tree = priorities.assign(tree, slots + 18, jnp.asarray([1.0, 1.0, 99.0, 99.0]))
    tree = priorities.assign(tree, slots, jnp.zeros(4))
    assert (float(tree.largest), float(tree.total)) == (5.0, 2.0)


def test_priorities_of_several_seeds_are_those_of_each(key):
    values = jax.random.uniform(key, (3, 50))
    slots = jnp.arange(50, dtype=jnp.int32)
    keys = jax.random.split(key, 3)

    def run(key, values):
        tree = priorities.assign(priorities.init(50), slots, values)
        return tree, priorities.sample(tree, key, 20)

    together = jax.jit(jax.vmap(run))(keys, values)
    alone_run = jax.jit(run)
    for index in range(3):
        alone = alone_run(keys[index], values[index])
        chex.assert_trees_all_equal(jax.tree.map(lambda leaf: leaf[index], together), alone)  # noqa: B023


def test_a_scan_copies_no_priorities():
    tree = jax.eval_shape(lambda: priorities.init(1_000_000))

    def step(tree, key):
        slots = priorities.sample(tree, key, 32)
        shares = priorities.probability(tree, slots)
        slots = jnp.where(shares >= 0, slots, -1)
        return priorities.assign(tree, slots, jnp.ones(32)), shares.sum()

    run = jax.jit(lambda tree, keys: jax.lax.scan(step, tree, keys), donate_argnums=0)
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 10))
    memory = run.lower(tree, keys).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 1e6 < 4e6 < memory.alias_size_in_bytes


def test_impossible_capacities_are_refused():
    for capacity in (0, 1 << 31):
        with pytest.raises(ValueError, match=rf"capacity must be in 1..2\*\*30, got {capacity}"):
            priorities.init(capacity)
