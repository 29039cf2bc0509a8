"""A ring of experience that lives on the device."""

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key, PyTree


class Replay(flax.struct.PyTreeNode):
    """The newest `capacity` items; donate it (or keep it in a scan) and adding copies nothing."""

    items: PyTree
    """leaves [capacity, ...]"""
    position: Array
    """int32: where the next item goes"""
    size: Array
    """int32: items held"""
    add_size: int = flax.struct.field(pytree_node=False)
    """items in one call of `add`"""

    @property
    def capacity(self) -> int:
        return jax.tree.leaves(self.items)[0].shape[0]


def init(item: PyTree, capacity: int, add_size: int) -> Replay:
    """An empty replay for items like `item` (no batch axis), which come `add_size` at once.

    Raises:
      ValueError: `add_size` is not in 1..capacity.
    """
    if not 1 <= add_size <= capacity:
        raise ValueError(
            f"replay: one call adds {add_size} items, which must be at least 1 and at most the "
            f"capacity, {capacity}"
        )
    items = jax.tree.map(lambda leaf: jnp.zeros((capacity, *leaf.shape), leaf.dtype), item)
    return Replay(items, jnp.int32(0), jnp.int32(0), add_size)


def add(replay: Replay, items: PyTree) -> Replay:
    """Add a batch (leaves [add_size, ...]); where the ring is full the oldest go."""
    capacity, num = replay.capacity, replay.add_size
    given = {leaf.shape[0] for leaf in jax.tree.leaves(items)}
    if given != {num}:
        raise ValueError(f"replay: one call adds {num} items, got leading sizes {sorted(given)}")
    if capacity % num == 0:  # blocks never straddle the border: one contiguous write

        def write(kept: Array, new: Array) -> Array:
            return jax.lax.dynamic_update_slice_in_dim(kept, new, replay.position, 0)
    else:
        places = (replay.position + jnp.arange(num, dtype=jnp.int32)) % capacity

        def write(kept: Array, new: Array) -> Array:
            return kept.at[places].set(new, unique_indices=True)

    return replay.replace(
        items=jax.tree.map(write, replay.items, items),
        position=(replay.position + num) % capacity,
        size=jnp.minimum(replay.size + num, capacity),
    )


def sample(replay: Replay, key: Key, num: int) -> PyTree:
    """Items drawn uniformly with replacement, leaves [num, ...].

    From an empty replay these are the zeros that it was made with: ask `size` first.
    """
    places = jax.random.randint(key, (num,), 0, jnp.maximum(replay.size, 1))
    return jax.tree.map(lambda leaf: leaf[places], replay.items)
