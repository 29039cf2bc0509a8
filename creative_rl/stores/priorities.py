"""Proportional priorities over the slots of a ring.

Source: Schaul et al., Prioritized Experience Replay (arXiv 1511.05952), section 3.3: slot i is
drawn with probability p_i / sum p. What is kept here is p itself; the exponents alpha and beta are
the learner's.

Deviations from the sum tree of appendix B.2.1: nodes have 16 children, a cache line, so a million
slots are five levels and not twenty; a sum is always recomputed from its children, where adding
differences would let rounding errors gather; and the way down draws a new random number at every
level instead of carrying the rest of one, whose 24 bits would not tell a million slots apart. Draws
are stratified only at the top level.
"""

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key

FAN_OUT = 16
"""Children of a node."""
SMALLEST, LARGEST = 1e-30, 1e30
"""A smaller priority counts as zero and a larger one as the largest, so that no sum of 2**24 slots
leaves the range of normal float32 numbers."""


class Priorities(flax.struct.PyTreeNode):
    """A tree of sums over `capacity` slots."""

    levels: tuple[Array, ...]
    """float32[n_k] each: the slots' priorities first, then sums of FAN_OUT neighbours below, down
    to at most FAN_OUT; every level but the last is filled up with zeros to whole nodes"""
    largest: Array
    """float32: the largest priority ever assigned, at least 1; what new steps get"""
    capacity: int = flax.struct.field(pytree_node=False)
    """slots"""

    @property
    def total(self) -> Array:
        """float32: the sum of all priorities."""
        return self.levels[-1].sum()


def init(capacity: int) -> Priorities:
    """All priorities zero.

    Raises:
      ValueError: the capacity is not in 1 .. 2**30.
    """
    if not 1 <= capacity <= 1 << 30:
        raise ValueError(f"priorities: the capacity must be in 1..2**30, got {capacity}")
    levels, width = [], capacity
    while width > FAN_OUT:
        width = -(-width // FAN_OUT)
        levels.append(jnp.zeros(width * FAN_OUT, jnp.float32))
    return Priorities((*levels, jnp.zeros(width, jnp.float32)), jnp.float32(1), capacity)


def assign(priorities: Priorities, slots: Array, values: Array) -> Priorities:
    """Set the priorities of slots, and all sums above them.

    Args:
      priorities: of before.
      slots: int32[N]; one out of range is dropped; of one given twice any one value counts.
      values: float32[N], at least 0; negative ones and NaN count as zero, see also SMALLEST.
    """
    values = jnp.where(values >= SMALLEST, jnp.minimum(values, LARGEST), 0.0).astype(jnp.float32)
    is_slot = (slots >= 0) & (slots < priorities.capacity)
    largest = jnp.maximum(priorities.largest, jnp.max(values, where=is_slot, initial=0.0))
    levels: list[Array] = []
    for level in priorities.levels:
        if levels:
            slots = slots // FAN_OUT
            nodes = levels[-1].reshape(-1, FAN_OUT)
            # A node above two of the slots is written twice, with the same sum.
            values = _sums(nodes.at[slots].get(mode="clip"))
        places = jnp.where(is_slot, slots, level.shape[0])  # -1 would count from the end
        levels.append(level.at[places].set(values, mode="drop"))
    return priorities.replace(levels=tuple(levels), largest=largest)


def sample(priorities: Priorities, key: Key, num: int) -> Array:
    """int32[num]: slots drawn in proportion, with replacement.

    A slot of priority zero is never drawn; only where all are zero the answer is slot 0.
    """
    levels = priorities.levels[::-1]
    draws = jax.random.uniform(key, (len(levels), num))
    strata = (jnp.arange(num, dtype=jnp.float32) + draws[0]) / num
    node = _choose(jnp.broadcast_to(levels[0], (num, levels[0].shape[0])), strata)
    for level, draw in zip(levels[1:], draws[1:], strict=True):
        children = level.reshape(-1, FAN_OUT).at[node].get(mode="promise_in_bounds")
        node = node * FAN_OUT + _choose(children, draw)
    return node


def probability(priorities: Priorities, slots: Array) -> Array:
    """float32[N]: the slots' shares of the total; zero out of range, and where all are zero.

    Where the same compiled step assigns new priorities, let these depend on the shares, for example
    as `assign(priorities, jnp.where(shares >= 0, slots, -1), values)`: otherwise XLA may move this
    read behind that write, and copies all priorities for it.
    """
    is_slot = (slots >= 0) & (slots < priorities.capacity)
    values = priorities.levels[0].at[slots].get(mode="clip")
    return jnp.where(is_slot, values, 0.0) / jnp.maximum(priorities.total, SMALLEST)


def _choose(children: Array, draws: Array) -> Array:
    """int32[num]: of weights [num, n] one each, in proportion, by numbers in 0 .. 1.

    The first child with a weight up to which the sum is above the draw. However the sums are
    rounded, it has a weight; if rounding lifts the draw to the whole sum, the last that has one.
    """
    width = children.shape[1]
    index = jnp.arange(width, dtype=jnp.int32)[None]
    upper = jnp.triu(jnp.ones((width, width), jnp.float32))
    sums = jnp.matmul(children, upper, precision=jax.lax.Precision.HIGHEST)
    has_weight = children > 0
    is_above = has_weight & (sums > draws[:, None] * sums[:, -1:])
    first = jnp.min(jnp.where(is_above, index, width), axis=1)
    last = jnp.max(jnp.where(has_weight, index, 0), axis=1)
    return jnp.where(first < width, first, last)


def _sums(nodes: Array) -> Array:
    """Sums over the last axis, pairwise: half the additions one after another, half the error."""
    while nodes.shape[-1] > 1:
        nodes = nodes[..., ::2] + nodes[..., 1::2]
    return nodes[..., 0]
