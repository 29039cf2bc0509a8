"""The ring against a list of everything that ever came."""

import collections
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.stores import replay
from creative_rl.typing import Array


class Step(NamedTuple):
    number: Array  # counts time from 1: zero was never added
    env: Array
    nothing: None


STEP = Step(jnp.int32(0), jnp.uint8(0), None)
ADD = jax.jit(replay.add)
TAKE = jax.jit(replay.take, static_argnames="length")
SAMPLE = jax.jit(replay.sample, static_argnames=("num", "length"))


def block(start, num_steps, num_envs):
    """The steps of times start .. start + num_steps - 1, where environments end out of phase."""
    time = jnp.arange(start, start + num_steps, dtype=jnp.int32)[:, None]
    env = jnp.arange(num_envs, dtype=jnp.int32)[None]
    time, env = jnp.broadcast_arrays(time, env)
    return Step(time + 1, env.astype(jnp.uint8), None), has_ended(time + 1, env)


def has_ended(number, env):
    return (number + 2 * env) % 5 == 0


def filled(capacity, num_envs, num_steps, num_adds):
    store = replay.init(STEP, capacity, num_envs, num_steps)
    for index in range(num_adds):
        store = ADD(store, *block(index * num_steps, num_steps, num_envs))
    total = num_adds * num_steps * num_envs
    held = [(i // num_envs + 1, i % num_envs) for i in range(max(0, total - capacity), total)]
    return store, held


SIZES = [(1, 1, 1), (7, 3, 1), (12, 3, 2), (13, 2, 3), (20, 5, 4), (37, 5, 4), (40, 1, 4)]
"""capacity, num_envs, num_steps: compiled once each, whatever is drawn beside them"""


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(SIZES), st.integers(0, 9))
def test_holds_exactly_the_newest_steps_in_order(size, num_adds):
    store, held = filled(*size, num_adds)
    capacity, num_envs, num_steps = size
    oldest = num_adds * num_envs * num_steps - len(held)
    slots = (oldest + jnp.arange(capacity, dtype=jnp.int32)) % capacity  # also around the border
    windows = TAKE(store, slots)
    steps = list(zip(windows.items.number[0].tolist(), windows.items.env[0].tolist(), strict=True))
    assert int(store.size) == len(held)
    assert steps[: len(held)] == held
    assert windows.mask[0].tolist() == [index < len(held) for index in range(capacity)]


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(SIZES), st.integers(0, 9), st.sampled_from([1, 2, 5]), st.integers(0, 100))
def test_windows_are_consecutive_steps_of_one_episode(size, num_adds, length, seed):
    store, held = filled(*size, num_adds)
    capacity, num_envs = size[:2]
    if num_envs * (length - 1) >= capacity:
        with pytest.raises(ValueError, match=rf"windows of {length} steps of {num_envs} env"):
            replay.sample(store, jax.random.key(seed), 1, length)
        return
    windows = SAMPLE(store, jax.random.key(seed), num=64, length=length)
    number, env = np.asarray(windows.items.number), np.asarray(windows.items.env)
    assert number.shape == env.shape == windows.mask.shape == (length, 64)
    again = TAKE(store, windows.slots, length=length)
    chex.assert_trees_all_equal(windows, again)
    if not held:
        assert not np.any(windows.mask) and not number.any()
        return
    is_complete = len(held) > num_envs * (length - 1)
    for column in range(64):
        steps = [(int(number[0, column]) + later, int(env[0, column])) for later in range(length)]
        assert steps[0] in held
        episode = next((i + 1 for i, step in enumerate(steps) if has_ended(*step)), length)
        present = sum(step in held for step in steps)
        assert present == length or not is_complete
        assert windows.mask[:, column].tolist() == [
            later < min(episode, present) for later in range(length)
        ]
        for later in range(present):
            assert (number[later, column], env[later, column]) == steps[later]


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize(("capacity", "num_adds"), [(50, 4), (37, 11)])
def test_starts_are_uniform_over_the_complete_windows(key, length, capacity, num_adds):
    store, held = filled(capacity, 3, 2, num_adds)
    starts = held[: len(held) - 3 * (length - 1)]
    items = SAMPLE(store, key, num=30_000, length=length).items
    number, env = np.asarray(items.number[0]), np.asarray(items.env[0])
    counts = {step: 0 for step in starts}
    for step in zip(number.tolist(), env.tolist(), strict=True):
        counts[step] += 1  # KeyError: a start that is none
    expected = 30_000 / len(starts)
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    freedom = len(starts) - 1
    assert chi_squared < freedom + 5 * (2 * freedom) ** 0.5
    assert chi_squared > freedom - 5 * (2 * freedom) ** 0.5  # not more even than chance


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 99), st.integers(1, 1 << 30))
def test_the_random_slot_is_the_high_word_of_a_product(seed, bound):
    key = jax.random.key(seed)
    words = np.asarray(jax.random.bits(key, (32,), jnp.uint32)).astype(object)
    expected = [int(word) * bound >> 32 for word in words]
    assert replay._below(key, 32, jnp.int32(bound)).tolist() == expected


def test_a_window_across_the_newest_step_is_masked_from_there():
    store, _ = filled(10, 1, 1, 13)  # slots 3..9, 0..2, the newest (13) in slot 2
    windows = replay.take(store, jnp.asarray([2, 1, 7, -5, 99], jnp.int32), length=4)
    assert windows.slots.tolist() == [2, 1, 7, 0, 9]
    assert windows.items.number[0].tolist() == [13, 12, 8, 11, 10]
    assert windows.mask.T.tolist() == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],  # 8, 9, 10 ends
        [True, True, True, False],
        [True, False, False, False],
    ]


def test_an_empty_replay_gives_masked_zeros(key):
    windows = replay.sample(replay.init(STEP, 9, 2, 1), key, 5, 2)
    assert not windows.mask.any() and not windows.items.number.any()


def test_every_dtype_comes_back_bit_for_bit(key):
    rng = np.random.default_rng(0)
    pick = {
        "picture": rng.integers(0, 256, (3, 6, 7, 3)).astype(np.uint8),
        "small": rng.integers(-128, 128, (3, 5)).astype(np.int8),
        "flag": np.asarray([True, False, True]),
        "word": rng.integers(-(2**31), 2**31, (3, 2), np.int64).astype(np.int32),
        "float": np.asarray([[np.nan, -0.0], [np.inf, 1e-42], [1.5, -3.25]], np.float32),
        "half": jnp.asarray(rng.normal(size=(3, 3)), jnp.bfloat16),
        "none": None,
        "empty": np.zeros((3, 0), np.float32),
    }
    for names in (list(pick), ["picture"], ["flag"], ["word", "flag", "small"], ["float"]):
        items = {name: None if pick[name] is None else jnp.asarray(pick[name]) for name in names}
        store = replay.init(jax.tree.map(lambda leaf: leaf[0], items), 4, 1, 3)
        added = jax.tree.map(lambda leaf: leaf[:, None], items)
        store = jax.jit(replay.add)(store, added, jnp.zeros((3, 1), jnp.bool_))
        got = replay.take(store, jnp.arange(3, dtype=jnp.int32)).items
        jax.tree.map(
            lambda new, old: (
                np.testing.assert_array_equal(
                    np.asarray(new)[0].view(np.uint8), np.asarray(old).view(np.uint8)
                )
                if old.size and old.ndim > 1
                else np.testing.assert_array_equal(new[0], old)
            ),
            got,
            items,
        )
        chex.assert_trees_all_equal_dtypes(got, items)


def test_rows_start_at_cache_lines():
    store = replay.init({"x": jnp.zeros(67), "picture": jnp.zeros(100, jnp.uint8)}, 10, 1, 1)
    assert {name: matrix.shape for name, matrix in store.items.items()} == {
        "words": (10, 80),
        "bytes": (10, 128),
    }
    store = replay.init({"x": jnp.zeros(4), "done": jnp.bool_(False)}, 10, 1, 1)
    assert store.items["words"].shape == (10, 8)


@pytest.mark.parametrize("capacity", [1000, 1007])
def test_adding_to_a_donated_replay_copies_nothing(capacity):
    store = replay.init(jnp.zeros(8), capacity, 5, 2)
    add = jax.jit(replay.add, donate_argnums=0)
    before = store.items["words"].unsafe_buffer_pointer()
    store = add(store, jnp.ones((2, 5, 8)), jnp.zeros((2, 5), jnp.bool_))
    assert store.items["words"].unsafe_buffer_pointer() == before


@pytest.mark.parametrize("capacity", [1_000_000, 1_000_003])
def test_a_million_steps_are_not_copied_in_a_scan(capacity):
    make = jax.eval_shape(lambda: replay.init(jnp.zeros(8), capacity, 4, 2))

    def step(store, key):
        store = replay.add(store, jnp.ones((2, 4, 8)), jnp.zeros((2, 4), jnp.bool_))
        return store, replay.sample(store, key, 32, 2).items.sum()

    run = jax.jit(lambda store, keys: jax.lax.scan(step, store, keys), donate_argnums=0)
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 10))
    memory = run.lower(make, keys).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 1e6 < 32e6 < memory.alias_size_in_bytes


def test_adding_compiles_once():
    add = jax.jit(chex.assert_max_traces(replay.add, n=1))
    store = replay.init(jnp.zeros(2), 7, 3, 1)
    for _ in range(4):
        store = add(store, jnp.ones((1, 3, 2)), jnp.zeros((1, 3), jnp.bool_))


def test_replays_of_several_seeds_are_those_of_each(key):
    keys = jax.random.split(key, 3)

    def run(key):
        store = replay.init(STEP, 11, 2, 2)
        for index in range(4):
            items, ended = block(4 * index, 2, 2)
            number = items.number + jax.random.randint(key, (), 0, 1000)
            store = replay.add(store, items._replace(number=number), ended)
        return store, replay.sample(store, key, 6, 2)

    together = jax.jit(jax.vmap(run))(keys)
    alone_run = jax.jit(run)
    for index in range(3):
        alone = alone_run(keys[index])
        chex.assert_trees_all_equal(jax.tree.map(lambda leaf: leaf[index], together), alone)  # noqa: B023


def test_what_cannot_be_is_refused(key):
    with pytest.raises(ValueError, match=r"adds 5 x 1 steps.*capacity, 4"):
        replay.init(jnp.zeros(1), 4, 5, 1)
    with pytest.raises(ValueError, match=r"adds 0 x 1 steps"):
        replay.init(jnp.zeros(1), 4, 0, 1)
    with pytest.raises(ValueError, match=r"at most 2\*\*30"):
        jax.eval_shape(lambda: replay.init(jnp.zeros(1), 1 << 31, 1, 1))
    with pytest.raises(ValueError, match=r"got a leaf of complex64"):
        replay.init(jnp.zeros(1, jnp.complex64), 4, 1, 1)
    with pytest.raises(ValueError, match=r"got a leaf of key<fry>"):
        replay.init(key, 4, 1, 1)
    store = replay.init({"x": jnp.zeros(1)}, 4, 2, 1)
    ended = jnp.zeros((1, 2), jnp.bool_)
    with pytest.raises(ValueError, match=r"items\['x'\] must be float32\[1, 2, 1\], got .*3, 1\]"):
        replay.add(store, {"x": jnp.zeros((1, 3, 1))}, ended)
    with pytest.raises(ValueError, match=r"got int32"):
        replay.add(store, {"x": jnp.zeros((1, 2, 1), jnp.int32)}, ended)
    with pytest.raises(ValueError, match=r"must have the structure"):
        replay.add(store, {"y": jnp.zeros((1, 2, 1))}, ended)
    with pytest.raises(ValueError, match=r"ended must be bool\[1, 2\], got bool\[2\]"):
        replay.add(store, {"x": jnp.zeros((1, 2, 1))}, ended[0])
    with pytest.raises(ValueError, match=r"windows of 0 steps"):
        replay.sample(store, key, 1, 0)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 7), st.integers(1, 9)
)
def test_changes_add_up_to_the_complete_windows(num_envs, num_steps, length, extra, num_adds):
    """What every add wrote and completed, kept in a set, is what a ring of that size can start."""
    capacity = max(num_envs * num_steps, num_envs * (length - 1) + 1) + extra
    store = replay.init({"time": jnp.int32(0)}, capacity, num_envs, num_steps)
    starts = set()
    times = collections.deque(maxlen=capacity)  # (time, environment), oldest first
    for number in range(num_adds):
        new = np.arange(num_steps, dtype=np.int32)[:, None] + number * num_steps
        items = {"time": jnp.asarray(np.broadcast_to(new, (num_steps, num_envs)))}
        store = replay.add(store, items, jnp.zeros((num_steps, num_envs), jnp.bool_))
        times.extend((int(time), env) for (time,) in new for env in range(num_envs))
        written, complete = (np.asarray(slots).tolist() for slots in replay.changed(store, length))
        starts = (starts - set(written)) | {slot for slot in complete if slot < capacity}
        held = set(times)
        first = (int(store.position) - int(store.size)) % capacity
        expected = {
            (first + place) % capacity
            for place, (time, env) in enumerate(times)
            if (time + length - 1, env) in held
        }
        assert starts == expected
