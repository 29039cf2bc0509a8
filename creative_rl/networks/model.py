"""From observations to outputs, feed-forward or with memory: policies, values and likelihoods."""

import math
from typing import Any, Literal, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from creative_rl.axes import num_shares
from creative_rl.networks.features import features
from creative_rl.networks.maps import MapLayers, TileLayer
from creative_rl.networks.memory import MemoryCell
from creative_rl.networks.transformer import History, Transformer
from creative_rl.spaces import Box, Discrete, Space
from creative_rl.typing import Array, PyTree

_MANY = 1024
"""Numbers from which on an observation is looked up, and not made one-hot."""
_ACTIVATIONS = {"tanh": nn.tanh, "relu": nn.relu}


class Model(nn.Module):
    """Hidden layers, or what has a memory, between the observation's features and a head.

    Learners' configs name their fields after these attributes, and `configs.shared` hands them on.

    Attributes:
      space: what observations look like.
      num_outputs: width of the head.
      hidden_sizes: widths of the hidden layers where there is no memory.
      recurrent: kind of memory; `none` for feed-forward, whose memory is an empty tuple.
      memory_size: width of the memory.
      num_layers: blocks of a transformer.
      num_heads: of each block; twice as many divide the width.
      context: steps that a transformer attends to; older ones slide out of its memory.
      activation: of the hidden layers.
      head_scale: deviation of the head's weights times the square root of their number of
        inputs; small for a policy that starts nearly uniform.
      dueling: outputs are a value plus advantages of mean zero, from streams with a hidden layer
        each: in place of the last hidden layer, or after the memory (Wang et al., arXiv
        1511.06581, equation 9).
      by_tile: the observation is a map, `Box(H, W, C)`, and outputs are as many for each of its
        tiles, row by row: made by convolutions, of the tile's channels and the means of all
        tiles', without hidden layers or memory.
      channels: of those convolutions.
    """

    space: Space
    num_outputs: int
    hidden_sizes: tuple[int, ...] = (64, 64)
    recurrent: Literal["none", "lstm", "gru", "transformer"] = "none"
    memory_size: int = 100
    num_layers: int = 2
    num_heads: int = 2
    context: int = 32
    activation: Literal["tanh", "relu"] = "tanh"
    head_scale: float = 1.0
    dueling: bool = False
    by_tile: bool = False
    channels: tuple[int, ...] = (32, 32)

    def setup(self):
        hidden_init = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
        hidden_sizes, stream_size = self.hidden_sizes, self.memory_size
        if self.recurrent == "none" and self.dueling:
            *hidden_sizes, stream_size = self.hidden_sizes
        if self.recurrent == "none":
            self.hidden = [nn.Dense(size, kernel_init=hidden_init) for size in hidden_sizes]
        elif self.recurrent == "transformer":
            self.transformer = self._new_transformer()
        else:
            self.cell = MemoryCell(self.recurrent, self.memory_size)
        if self.dueling:
            self.value_stream = nn.Dense(stream_size, kernel_init=hidden_init)
            self.advantage_stream = nn.Dense(stream_size, kernel_init=hidden_init)
            self.value = nn.Dense(1)
        head_init = nn.initializers.variance_scaling(
            self.head_scale**2, "fan_in", "truncated_normal"
        )
        num_tiles = 1
        if self.by_tile:
            self.map_layers, self.tile_layer = MapLayers(self.channels), TileLayer()
            num_tiles = math.prod(self.space.shape[:2])
        self.head = nn.Dense(self.num_outputs // num_tiles, kernel_init=head_init)

    def init_memory(self) -> PyTree:
        """What an episode starts with; no batch axis."""
        if self.recurrent == "none":
            return ()
        if self.recurrent == "transformer":
            return self._new_transformer(parent=None).init_memory()
        return MemoryCell(self.recurrent, self.memory_size, parent=None).init_memory()

    def __call__(self, observation: PyTree, memory: PyTree) -> tuple[Array, PyTree]:
        """One step, with any leading batch axes: float32[..., num_outputs] and the next memory."""
        if self.recurrent == "none":
            return self._feed_forward(observation), memory
        if self.recurrent == "transformer":
            memory, output = self.transformer(features(self.space, observation), memory)
        else:
            memory, output = self.cell.advance(memory, self._projected(observation))
        return self._outputs(output), memory

    def unroll(self, observations: PyTree, starts: Array, memory: PyTree) -> tuple[Array, PyTree]:
        """Many steps, time first.

        Args:
          observations: leaves [T, B, ...].
          starts: bool[T, B], True where an episode starts: the memory is cleared before it.
          memory: leaves [B, ...], from before the first step.

        Returns:
          float32[T, B, num_outputs], and the memories after every step, for `peek` and
          `last_memory`: of an LSTM or GRU leaves [T, B, ...], of a transformer a `History`, which
          needs no T caches.
        """
        if self.recurrent == "none":
            return self._feed_forward(observations), memory
        if self.recurrent == "transformer":
            x = features(self.space, observations)
            outputs, memories = self.transformer.unroll(x, starts, memory)
            return self._outputs(outputs), memories
        fresh = self.init_memory()

        def advance(cell: MemoryCell, memory: PyTree, step: tuple[Array, Array]):
            projected, start = step
            memory = clear_memory(memory, fresh, start)
            memory, output = cell.advance(memory, projected)
            return memory, (output, memory)

        scan = nn.scan(advance, variable_broadcast="params", split_rngs={"params": False})
        _, (outputs, memories) = scan(self.cell, memory, (self._projected(observations), starts))
        return self._outputs(outputs), memories

    def peek(self, observation: PyTree, memory: PyTree) -> Array:
        """Outputs of `__call__` alone: of what an observation would be answered with.

        Args:
          observation: leaves [*B, ...].
          memory: from before it, leaves [*B, ...], or the memories of `unroll`, for an observation
            [T, B, ...] after each of its steps.
        """
        if not isinstance(memory, History):
            return self(observation, memory)[0]
        return self._outputs(self.transformer.peek(features(self.space, observation), memory))

    def _projected(self, observation: PyTree) -> Array:
        """The gates' share of the input, of a cell."""
        if isinstance(self.space, Discrete) and self.space.num >= _MANY:
            return self.cell.project_index(observation, self.space.num)
        return self.cell.project(features(self.space, observation))

    def _new_transformer(self, **keywords: Any) -> Transformer:
        return Transformer(
            self.memory_size, self.num_layers, self.num_heads, self.context, **keywords
        )

    def _feed_forward(self, observation: PyTree) -> Array:
        x = features(self.space, observation)
        if self.by_tile:
            maps = x.reshape(*x.shape[:-1], *cast(Box, self.space).shape)
            outputs = self.head(self.tile_layer(self.map_layers(maps)))
            return outputs.reshape(*x.shape[:-1], self.num_outputs)
        activation = _ACTIVATIONS[self.activation]
        batch_shape = x.shape[:-1]
        # One batch axis: weight gradients over two of them cost a transposing copy each. But where
        # devices share the last, it would be cut no more: each of them would compute everything.
        if num_shares() == 1:
            x = x.reshape(-1, x.shape[-1])
        for layer in self.hidden:
            x = activation(layer(x))
        return self._outputs(x).reshape(*batch_shape, self.num_outputs)

    def _outputs(self, x: Array) -> Array:
        if not self.dueling:
            return self.head(x)
        activation = _ACTIVATIONS[self.activation]
        advantages = self.head(activation(self.advantage_stream(x)))
        value = self.value(activation(self.value_stream(x)))
        return value + advantages - advantages.mean(axis=-1, keepdims=True)


def repeat_memory(memory: PyTree, num: int) -> PyTree:
    """The memory of one episode `num` times, along a new first axis."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num, *leaf.shape)), memory)


def last_memory(memories: PyTree) -> PyTree:
    """The memory after the last step, leaves [B, ...], of the memories of `Model.unroll`."""
    if isinstance(memories, History):
        return memories.last()
    return jax.tree.map(lambda leaf: leaf[-1], memories)


def clear_memory(memory: PyTree, fresh: PyTree, starts: Array) -> PyTree:
    """`fresh` (no batch axis) where `starts` (bool[...]) is True, else `memory`."""

    def clear(kept: Array, new: Array) -> Array:
        new = new.reshape((1,) * (kept.ndim - new.ndim) + new.shape)
        return jnp.where(jnp.expand_dims(starts, tuple(range(starts.ndim, kept.ndim))), new, kept)

    return jax.tree.map(clear, memory, fresh)
