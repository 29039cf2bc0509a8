"""A ring of the newest steps of several environments, on the device."""

from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.axes import PER_ENVIRONMENT, num_shares, spread
from creative_rl.stores.rows import Layout
from creative_rl.typing import Array, Key, PyTree


class Replay(flax.struct.PyTreeNode):
    """The newest steps; donate it (or keep it in a scan) and adding copies nothing.

    That holds where a compiled step adds first and samples then: a sample of the ring before
    `add` may be read after it, and XLA copies the whole ring for that.

    The steps lie in the order in which they came, those of one time side by side: slot `i +
    num_envs` (modulo the capacity) is the next step of slot `i`'s environment.
    """

    items: dict[str, Array] = flax.struct.field(metadata=PER_ENVIRONMENT)
    """one row a step, leaves side by side, see `stores.rows`"""
    ended: Array = flax.struct.field(metadata=PER_ENVIRONMENT)
    """bool[capacity]: the episode ended with this step"""
    position: Array
    """int32: where the next step goes"""
    size: Array
    """int32: steps held"""
    num_envs: int = flax.struct.field(pytree_node=False)
    num_steps: int = flax.struct.field(pytree_node=False)
    """steps of every environment in one call of `add`"""
    layout: Layout = flax.struct.field(pytree_node=False)
    """where the leaves of a step lie in its row"""

    @property
    def capacity(self) -> int:
        return self.ended.shape[0]


class Windows(NamedTuple):
    """Consecutive steps of one environment each; time comes first."""

    items: PyTree
    """leaves [length, num, ...]"""
    mask: Array
    """bool[length, num]: True up to and including the first step that ended an episode, and only
    for steps that are held"""
    slots: Array
    """int32[num]: of the first step"""


def init(item: PyTree, capacity: int, num_envs: int, num_steps: int) -> Replay:
    """An empty replay.

    Args:
      item: one step, without a batch axis; leaves of any dtype of 8 to 64 bits.
      capacity: steps held when full, of all environments together.
      num_envs: environments whose steps come side by side.
      num_steps: steps of every environment in one call of `add`.

    Raises:
      ValueError: what one call adds is not in 1..capacity, the capacity is above 2**30, or `item`
        has a leaf that is not of numbers.
    """
    num = num_envs * num_steps
    if min(num_envs, num_steps) < 1 or num > capacity:
        raise ValueError(
            f"replay: one call adds {num_envs} x {num_steps} steps, which must be at least 1 and "
            f"at most the capacity, {capacity}"
        )
    if capacity > 1 << 30:  # slots, and twice as many, are int32
        raise ValueError(f"replay: the capacity must be at most 2**30, got {capacity}")
    layout = Layout.of(item)
    return Replay(
        items=layout.zeros(capacity),
        ended=jnp.zeros(capacity, jnp.bool_),
        position=jnp.int32(0),
        size=jnp.int32(0),
        num_envs=num_envs,
        num_steps=num_steps,
        layout=layout,
    )


def add(replay: Replay, items: PyTree, ended: Array) -> Replay:
    """Add the next steps; where the ring is full the oldest go.

    Args:
      replay: where to.
      items: leaves [num_steps, num_envs, ...].
      ended: bool[num_steps, num_envs], the episode ended with this step, for whichever reason.

    Raises:
      ValueError: shapes, dtypes or structure differ from those that the replay was made for.
    """
    lead = (replay.num_steps, replay.num_envs)
    if ended.shape != lead or ended.dtype != bool:
        raise ValueError(f"ended must be bool{list(lead)}, got {ended.dtype}{list(ended.shape)}")
    num, capacity, position = replay.num_envs * replay.num_steps, replay.capacity, replay.position
    # One contiguous write where blocks never straddle the border; but devices that share the ring
    # would each fetch all of it for that, and only the new steps for a scatter.
    if capacity % num == 0 and num_shares() == 1:

        def write(kept: Array, new: Array) -> Array:
            return jax.lax.dynamic_update_slice_in_dim(kept, new, position, 0)
    else:
        slots = _wrapped(position + jnp.arange(num, dtype=jnp.int32), capacity)

        def write(kept: Array, new: Array) -> Array:
            return kept.at[slots].set(new, unique_indices=True, mode="promise_in_bounds")

    return replay.replace(
        items=jax.tree.map(write, replay.items, replay.layout.pack(items, lead)),
        ended=write(replay.ended, ended.reshape(num)),
        position=_wrapped(position + num, capacity),
        size=jnp.minimum(replay.size + num, capacity),
    )


def sample(replay: Replay, key: Key, num: int, length: int = 1) -> Windows:
    """Windows whose starts are uniform, with replacement, over all complete ones held.

    A start is complete with `length - 1` later steps of its environment in the ring, so no window
    straddles the place of the next write. Where none is complete the windows begin at the oldest
    step and the mask says what is held: from an empty replay they are zeros and masked.

    A start is one random word scaled down, so with n starts to choose from their probabilities
    differ by at most n in 2**32, a fortieth of a percent for a million.

    Raises:
      ValueError: the ring is too small to hold a window.
    """
    span = _span(replay, length)
    num_starts = jnp.maximum(replay.size - span, 1)
    start = _below(key, num, num_starts)
    slots = _wrapped(_oldest(replay) + start, replay.capacity)
    return _gather(replay, slots, start, length)


def take(replay: Replay, slots: Array, length: int = 1) -> Windows:
    """The windows that start at these slots, int32[num].

    Steps that are not held, because the window runs past the newest step or nothing was written
    there yet, are masked. A slot out of range counts as the nearest in range.

    Raises:
      ValueError: the ring is too small to hold a window.
    """
    _span(replay, length)
    slots = jnp.clip(slots, 0, replay.capacity - 1)
    ages = slots - _oldest(replay)
    return _gather(replay, slots, jnp.where(ages < 0, ages + replay.capacity, ages), length)


def last_steps(windows: Windows) -> PyTree:
    """Of each window the last step that counts (else the first), leaves [1, num, ...]."""
    last = jnp.maximum(windows.mask.sum(0) - 1, 0)
    columns = jnp.arange(last.shape[0])
    return jax.tree.map(lambda leaf: leaf[last, columns][None], windows.items)


def changed(replay: Replay, length: int) -> tuple[Array, Array]:
    """What the last `add` did to windows of this length, for priorities over the slots.

    Returns:
      int32[num_envs * num_steps] each: the slots that it wrote, and the first slots of the windows
      that it completed, in which the capacity stands for none.
    """
    num = replay.num_envs * replay.num_steps
    newest = replay.size - num + jnp.arange(num, dtype=jnp.int32)  # counted from the oldest
    first = newest - _span(replay, length)
    oldest = _oldest(replay)
    complete = jnp.where(
        first >= 0, _wrapped(oldest + jnp.maximum(first, 0), replay.capacity), replay.capacity
    )
    return _wrapped(oldest + newest, replay.capacity), complete


def _gather(replay: Replay, slots: Array, places: Array, length: int) -> Windows:
    """Windows from their first slots, which are in range, and their places counted from the oldest
    step held."""
    steps = replay.num_envs * jnp.arange(length, dtype=jnp.int32)[:, None]
    mask = places[None] + steps < replay.size
    all_slots = _wrapped(slots[None] + steps, replay.capacity)
    rows = {
        name: spread(matrix.at[all_slots].get(mode="promise_in_bounds"), axis=1)
        for name, matrix in replay.items.items()
    }
    if length > 1:
        ended = replay.ended.at[all_slots[:-1]].get(mode="promise_in_bounds")
        has_ended = jnp.cumsum(ended, axis=0, dtype=jnp.int32) > 0
        mask = mask.at[1:].set(mask[1:] & ~has_ended)
    return Windows(replay.layout.unpack(rows), mask, slots)


def _span(replay: Replay, length: int) -> int:
    """Slots from the first step of a window to its last."""
    span = replay.num_envs * (length - 1)
    if not 0 <= span < replay.capacity:
        raise ValueError(
            f"replay: windows of {length} steps of {replay.num_envs} environments need length >= 1 "
            f"and a capacity above {span}, got {replay.capacity}"
        )
    return span


def _oldest(replay: Replay) -> Array:
    """The slot of the oldest step held."""
    first = replay.position - replay.size
    return jnp.where(first < 0, first + replay.capacity, first)


def _wrapped(slots: Array, capacity: int) -> Array:
    """Modulo the capacity, of slots below twice that: a division costs more than a comparison."""
    return jnp.where(slots >= capacity, slots - capacity, slots)


def _below(key: Key, num: int, bound: Array) -> Array:
    """int32[num], uniform in 0 .. bound - 1: the high word of a random word times the bound.

    The product has 64 bits, so it is made of halves; half the random words of `randint`, and no
    division.
    """
    words = jax.random.bits(key, (num,), jnp.uint32)
    bound = bound.astype(jnp.uint32)
    low, high = words & 0xFFFF, words >> 16
    bound_low, bound_high = bound & 0xFFFF, bound >> 16
    middle = high * bound_low + (low * bound_low >> 16)
    carry = low * bound_high + (middle & 0xFFFF)
    return (high * bound_high + (middle >> 16) + (carry >> 16)).astype(jnp.int32)
