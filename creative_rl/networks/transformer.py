"""A causal Transformer whose memory is a cache of keys and values.

Source: Vaswani et al., arXiv 1706.03762, sections 3.1 to 3.3; normalised before each part, and the
weights that lead back smaller by the square root of the number of parts (Radford et al., "Language
Models are Unsupervised Multitask Learners", 2019, section 2.3); rotary positions (Su et al., arXiv
2104.09864, section 3.4.2), counted from the start of the episode.

Every layer attends to the last `context` steps of the episode, the present one among them: what is
older slides out of the cache, although M layers hear, one through the other, of up to
M (context - 1) steps before. Nothing is refused for its length.

Shapes: S past steps, M layers, N heads of D numbers, H = N D the width.
"""

import math

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.typing import Array

Layers = tuple[Array, ...]
_SLOWEST = 10_000.0
"""Steps in which the slowest pair of numbers, almost, turns by one radian."""


class Cache(flax.struct.PyTreeNode):
    """The steps of an episode that can be attended to: step p is in row p modulo `context`."""

    keys: Layers  # of every layer float32[*B, context, N, D], turned to their positions
    values: Layers  # of every layer float32[*B, context, N, D]
    position: Array  # int32[*B]: steps of the episode so far


class History(flax.struct.PyTreeNode):
    """The caches after each of T steps, in one: that before them, followed by a row a step."""

    keys: Layers  # of every layer float32[B, context + T, N, D]
    values: Layers  # of every layer float32[B, context + T, N, D]
    position: Array  # int32[B]: before the first step
    starts: Array  # bool[B, T]

    def last(self) -> Cache:
        """The cache after the last step."""
        num_steps = self.starts.shape[1]
        context = self.keys[0].shape[1] - num_steps
        position = _positions(self.starts, self.position)[:, -1] + 1
        kept = _kept(position, context)
        # New steps of the episode are one after another, the newest in the last row.
        new = context + num_steps + kept - position[:, None]
        rows = jnp.where(new >= context, new, jnp.arange(context)[None])[..., None, None]

        def gather(layer: Array) -> Array:
            taken = jnp.take_along_axis(layer, rows, axis=1)
            return jnp.where((kept >= 0)[..., None, None], taken, 0.0)

        keys, values = jax.tree.map(gather, (self.keys, self.values))
        return Cache(keys, values, position)


class Block(nn.Module):
    """Attention and two dense layers, each added to what comes in; leading axes are any.

    Attributes:
      size: width H.
      num_heads: N.
      scale: of the weights that lead back.
    """

    size: int
    num_heads: int
    scale: float

    def setup(self):
        back_init = nn.initializers.variance_scaling(self.scale**2, "fan_in", "truncated_normal")
        self.before_attention = nn.LayerNorm()
        self.attention_in = nn.Dense(3 * self.size)
        self.attention_out = nn.Dense(self.size, kernel_init=back_init)
        self.before_dense = nn.LayerNorm()
        self.dense_in = nn.Dense(4 * self.size)
        self.dense_out = nn.Dense(self.size, kernel_init=back_init)

    def project(self, x: Array, turn: tuple[Array, Array]) -> tuple[Array, Array, Array]:
        """Queries, keys and values float32[*B, T, N, D] of float32[*B, T, H]."""
        x = _over_rows(self.attention_in, self.before_attention(x))
        x = x.reshape(*x.shape[:-1], 3, self.num_heads, self.size // self.num_heads)
        queries, keys, values = jnp.moveaxis(x, -3, 0)
        return _turned(queries, turn), _turned(keys, turn), values

    def add(self, x: Array, found: Array) -> Array:
        """The block's output float32[*B, T, H], from its input and what its heads found."""
        x = x + _over_rows(self.attention_out, found.reshape(x.shape))
        hidden = nn.gelu(_over_rows(self.dense_in, self.before_dense(x)))
        return x + _over_rows(self.dense_out, hidden)


class Transformer(nn.Module):
    """From inputs to outputs float32[..., H], each knowing the inputs before it.

    Attributes:
      size: width H.
      num_layers: blocks M.
      num_heads: N of each block; twice as many divide the width.
      context: steps that a block attends to.
    """

    size: int
    num_layers: int
    num_heads: int
    context: int

    def setup(self):
        scale = 1 / math.sqrt(2 * self.num_layers)
        self.embed = nn.Dense(self.size)
        self.blocks = [Block(self.size, self.num_heads, scale) for _ in range(self.num_layers)]
        self.norm = nn.LayerNorm()

    def init_memory(self) -> Cache:
        """An empty cache, no batch axis.

        Raises:
          ValueError: the width cannot be split into heads of pairs of numbers.
        """
        if self.size % (2 * self.num_heads):
            raise ValueError(
                "a transformer's memory_size must be divisible by 2 * num_heads = "
                f"{2 * self.num_heads}, got {self.size}"
            )
        shape = (self.context, self.num_heads, self.size // self.num_heads)
        empty = (jnp.zeros(shape, jnp.float32),) * self.num_layers
        return Cache(empty, empty, jnp.int32(0))

    def __call__(self, x: Array, memory: Cache) -> tuple[Cache, Array]:
        """One step: the next cache, and the output float32[*B, H] of float32[*B, F]."""
        kept = _kept(memory.position, self.context)
        position = memory.position[..., None]
        seen = (kept >= 0) & (kept > position - self.context)
        outputs, keys, values = self._follow(
            x[..., None, :], position, memory.keys, memory.values, seen[..., None, :]
        )
        is_row = _slots(position[..., 0], self.context) == position % self.context

        def write(old: Array, new: Array) -> Array:
            return jnp.where(is_row[..., None, None], new, old)

        keys, values = jax.tree.map(write, (memory.keys, memory.values), (keys, values))
        return Cache(keys, values, memory.position + 1), outputs[..., 0, :]

    def unroll(self, x: Array, starts: Array, memory: Cache) -> tuple[Array, History]:
        """Many steps at once.

        Args:
          x: float32[T, B, F].
          starts: bool[T, B], True where an episode starts: nothing before it is attended to.
          memory: from before the first step, leaves [B, ...].

        Returns:
          float32[T, B, H], and what is remembered after each step.
        """
        starts = starts.T
        turn = _turn(_positions(starts, memory.position), self.size // self.num_heads)
        seen = _seen(starts, memory.position, self.context, self.context)
        x = _over_rows(self.embed, x.swapaxes(0, 1))
        all_keys, all_values = [], []
        for block, *old in zip(self.blocks, memory.keys, memory.values, strict=True):
            queries, *new = block.project(x, turn)
            keys, values = (jnp.concatenate(parts, axis=1) for parts in zip(old, new, strict=True))
            weights = jax.nn.softmax(_scores(queries, keys, seen))
            x = block.add(x, _weighted(weights, values))
            all_keys.append(keys)
            all_values.append(values)
        history = History(tuple(all_keys), tuple(all_values), memory.position, starts)
        return self.norm(x).swapaxes(0, 1), history

    def peek(self, x: Array, memory: History) -> Array:
        """Outputs float32[T, B, H] of inputs float32[T, B, F], each what would follow a step of a
        history, and unseen by the others."""
        positions = _positions(memory.starts, memory.position) + 1
        seen = _seen(memory.starts, memory.position, self.context, self.context - 1)
        outputs, _, _ = self._follow(x.swapaxes(0, 1), positions, memory.keys, memory.values, seen)
        return outputs.swapaxes(0, 1)

    def _follow(
        self, x: Array, positions: Array, past_keys: Layers, past_values: Layers, seen: Array
    ) -> tuple[Array, Layers, Layers]:
        """Outputs of float32[*B, T, F], with their keys and values; each attends to itself and to
        those S past steps that `seen`, bool[*B, T, S], says."""
        turn = _turn(positions, self.size // self.num_heads)
        x = _over_rows(self.embed, x)
        all_keys, all_values = [], []
        for block, old_keys, old_values in zip(self.blocks, past_keys, past_values, strict=True):
            queries, keys, values = block.project(x, turn)
            own = jnp.einsum("...thd,...thd->...ht", _scaled(queries), keys)[..., None]
            scores = jnp.concatenate([_scores(queries, old_keys, seen), own], axis=-1)
            weights = jax.nn.softmax(scores)
            own_weight = weights[..., -1].swapaxes(-1, -2)[..., None]
            x = block.add(x, _weighted(weights[..., :-1], old_values) + own_weight * values)
            all_keys.append(keys)
            all_values.append(values)
        return self.norm(x), tuple(all_keys), tuple(all_values)


def _positions(starts: Array, position: Array) -> Array:
    """int32[B, T], counted from the episode's start, where `position` [B] steps came before."""
    steps = jnp.arange(starts.shape[1], dtype=jnp.int32)[None]
    first = _first(starts)
    return jnp.where(first >= 0, steps - first, position[:, None] + steps)


def _first(starts: Array) -> Array:
    """int32[B, T]: the step at which the episode started, -1 where it was before all of them."""
    steps = jnp.arange(starts.shape[1], dtype=jnp.int32)[None]
    # Not `cummax`: where no episode starts, XLA folds its window at compile time, for seconds.
    return jax.lax.associative_scan(jnp.maximum, jnp.where(starts, steps, -1), axis=1)


def _kept(position: Array, context: int) -> Array:
    """int32[*B, context]: what position each row of a cache holds, negative where it is empty."""
    last = position[..., None] - 1
    return last - (last - _slots(position, context)) % context


def _slots(position: Array, context: int) -> Array:
    return jnp.arange(context, dtype=jnp.int32).reshape((1,) * position.ndim + (context,))


def _seen(starts: Array, position: Array, context: int, reach: int) -> Array:
    """bool[B, T, context + T]: rows of a history of the same episode, not more than `reach` of
    them, from a step's own on backwards."""
    positions, first = _positions(starts, position)[..., None], _first(starts)[..., None]
    kept = _kept(position, context)[:, None]
    old = (first < 0) & (kept >= 0) & (positions - kept < reach)
    steps = jnp.arange(starts.shape[1], dtype=jnp.int32)
    back = (steps[:, None] - steps[None])[None]
    new = (back >= 0) & (back < reach) & (steps[None, None] >= first)
    return jnp.concatenate([old, new], axis=-1)


def _turn(positions: Array, size: int) -> tuple[Array, Array]:
    """Cosines and sines float32[*B, T, 1, D / 2] of the angles at positions [*B, T]."""
    speeds = _SLOWEST ** (-2 * jnp.arange(size // 2, dtype=jnp.float32) / size)
    angles = positions[..., None, None].astype(jnp.float32)
    angles = angles * speeds.reshape((1,) * (angles.ndim - 1) + speeds.shape)
    return jnp.cos(angles), jnp.sin(angles)


def _turned(x: Array, turn: tuple[Array, Array]) -> Array:
    """float32[*B, T, N, D], each pair of numbers turned by its angle."""
    cos, sin = turn
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


# `jax.nn.dot_product_attention` took a quarter longer to differentiate on CPUs than what follows.


def _scaled(queries: Array) -> Array:
    return queries * (1 / math.sqrt(queries.shape[-1]))


def _scores(queries: Array, keys: Array, seen: Array) -> Array:
    """float32[*B, N, T, S], far below all others where not `seen`, bool[*B, T, S]."""
    scores = jnp.einsum("...thd,...shd->...hts", _scaled(queries), keys)
    return jnp.where(seen[..., None, :, :], scores, jnp.finfo(jnp.float32).min)


def _weighted(weights: Array, values: Array) -> Array:
    return jnp.einsum("...hts,...shd->...thd", weights, values)


def _over_rows(layer: nn.Module, x: Array) -> Array:
    """One batch axis: weight gradients over two of them cost a transposing copy each."""
    return layer(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)
