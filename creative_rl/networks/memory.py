"""Recurrent memory that projects its inputs for all time steps at once.

Initialisers are variance-scaling: the usual orthogonal ones need a QR decomposition, which
deadlocks under `vmap` on machines with two cores.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from creative_rl.typing import Array, PyTree


class MemoryCell(nn.Module):
    """LSTM (Hochreiter and Schmidhuber 1997; forget bias 1) or GRU (Cho et al. 2014).

    Split in two, so that the inputs of a whole sequence are one matrix product: `project` the
    inputs, then `advance` step by step.

    Attributes:
      kind: `lstm` or `gru`.
      size: width H of the memory.
    """

    kind: Literal["lstm", "gru"]
    size: int

    def setup(self):
        if self.kind not in ("lstm", "gru"):
            raise ValueError(f"MemoryCell: kind must be lstm or gru, got {self.kind!r}")
        self.inputs = nn.Dense(self.num_gates * self.size)
        self.recurrent = nn.Dense(self.num_gates * self.size, use_bias=self.kind == "gru")

    @property
    def num_gates(self) -> int:
        """What `project` gives is so many times as wide as the memory."""
        return 4 if self.kind == "lstm" else 3

    def init_memory(self) -> PyTree:
        """Zeros: (cell, output) for an LSTM, output for a GRU; each float32[H]."""
        zeros = jnp.zeros(self.size, jnp.float32)
        return (zeros, zeros) if self.kind == "lstm" else zeros

    def project(self, x: Array) -> Array:
        """float32[..., F] to the gates' share of the input, [..., gates * H]."""
        return self.inputs(x)

    def project_index(self, index: Array, num: int) -> Array:
        """`project` of one-hot vectors of `num` numbers, int32[...], without making them.

        A row of the weights is looked up: of thousands of numbers their product with a one-hot
        vector is nearly all of the work.
        """
        if self.is_initializing():
            return self.inputs(jax.nn.one_hot(index, num, dtype=jnp.float32))
        weights = self.inputs.variables["params"]
        rows = weights["kernel"][index]
        return rows + jnp.broadcast_to(weights["bias"], rows.shape)

    def advance(self, memory: PyTree, projected: Array) -> tuple[PyTree, Array]:
        """One step: the next memory and its output float32[..., H]."""
        return (
            self._lstm(memory, projected) if self.kind == "lstm" else self._gru(memory, projected)
        )

    def _lstm(self, memory: PyTree, projected: Array) -> tuple[PyTree, Array]:
        cell, output = memory
        gates = projected + self.recurrent(output)
        into, forget, candidate, out = jnp.split(gates, 4, axis=-1)
        cell = jax.nn.sigmoid(forget + 1.0) * cell + jax.nn.sigmoid(into) * jnp.tanh(candidate)
        output = jax.nn.sigmoid(out) * jnp.tanh(cell)
        return (cell, output), output

    def _gru(self, memory: PyTree, projected: Array) -> tuple[PyTree, Array]:
        reset_x, update_x, candidate_x = jnp.split(projected, 3, axis=-1)
        reset_h, update_h, candidate_h = jnp.split(self.recurrent(memory), 3, axis=-1)
        update = jax.nn.sigmoid(update_x + update_h)
        candidate = jnp.tanh(candidate_x + jax.nn.sigmoid(reset_x + reset_h) * candidate_h)
        output = (1.0 - update) * candidate + update * memory
        return output, output
