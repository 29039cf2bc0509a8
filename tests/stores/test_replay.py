import collections

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.stores import replay


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 12))
def test_holds_exactly_the_newest_items(capacity, add_size, num_adds):
    capacity = max(capacity, add_size)
    store = replay.init({"x": jnp.int32(0)}, capacity, add_size)
    twin = collections.deque(maxlen=capacity)
    for start in range(0, num_adds * add_size, add_size):
        new = np.arange(start, start + add_size, dtype=np.int32) + 1
        store = replay.add(store, {"x": jnp.asarray(new)})
        twin.extend(new.tolist())
    assert int(store.size) == len(twin)
    assert sorted(np.asarray(store.items["x"]).tolist())[-len(twin) or capacity :] == sorted(twin)


def test_samples_are_uniform_over_what_was_added(key):
    store = replay.init(jnp.int32(0), 100, 10)
    for block in range(3):
        store = replay.add(store, jnp.arange(10, dtype=jnp.int32) + 10 * block + 1)
    drawn = np.asarray(replay.sample(store, key, 30_000))
    assert set(drawn.tolist()) == set(range(1, 31))  # nothing before it was added
    counts = np.bincount(drawn, minlength=31)[1:]
    chi_squared = float(((counts - 1000) ** 2 / 1000).sum())
    assert chi_squared < 29 + 5 * (2 * 29) ** 0.5


def test_adding_to_a_donated_replay_copies_nothing():
    store = replay.init(jnp.zeros(8), 1000, 10)
    add = jax.jit(replay.add, donate_argnums=0)
    before = store.items.unsafe_buffer_pointer()
    store = add(store, jnp.ones((10, 8)))
    assert store.items.unsafe_buffer_pointer() == before


def test_adding_compiles_once():
    add = jax.jit(chex.assert_max_traces(replay.add, n=1))
    store = replay.init(jnp.zeros(2), 7, 3)
    for _ in range(4):
        store = add(store, jnp.ones((3, 2)))


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"adds 5 items.*capacity, 4"):
        replay.init(jnp.zeros(1), 4, 5)
    store = replay.init(jnp.zeros(1), 4, 2)
    with pytest.raises(ValueError, match=r"adds 2 items, got leading sizes \[3\]"):
        replay.add(store, jnp.zeros((3, 1)))
