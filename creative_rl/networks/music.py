"""Between a sequence of events and a latent vector: the two halves of MusicVAE.

Source: Roberts et al. 2018, arXiv 1803.05428, sections 3.1 and 3.2. A sequence is S segments of
equal length, the last one filled up with `NO_EVENT`.
"""

from typing import Literal

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.networks.memory import MemoryCell
from creative_rl.typing import Array, PyTree

NO_EVENT = -1
"""Stands for the event before the first, and for one that is hidden or missing."""


class MusicEncoder(nn.Module):
    """A memory that reads forwards and one that reads backwards, and what both end with.

    Attributes:
      num_events: events are codes below it.
      latent_size: width L of the latent vector.
      segment_length: events that are read at once; the source's is 1.
      recurrent: kind of memory.
      memory_size: width of each of the two.
    """

    num_events: int
    latent_size: int
    segment_length: int = 1
    recurrent: Literal["lstm", "gru"] = "lstm"
    memory_size: int = 128

    def setup(self):
        self.forwards = MemoryCell(self.recurrent, self.memory_size)
        self.backwards = MemoryCell(self.recurrent, self.memory_size)
        self.head = nn.Dense(2 * self.latent_size)

    def __call__(self, events: Array) -> tuple[Array, Array]:
        """Mean and log-variance, float32[*B, L] each, of events int[T, *B]."""
        x = _one_hot(_segments(events, self.segment_length), self.num_events)
        x = jnp.moveaxis(x, 0, -2)  # [S, *B, segment_length, num_events]
        x = x.reshape(*x.shape[:-2], self.segment_length * self.num_events)
        ends = []
        for cell, inputs in ((self.forwards, x), (self.backwards, x[::-1])):
            fresh = jax.tree.map(
                lambda leaf: jnp.zeros((*events.shape[1:], *leaf.shape), leaf.dtype),
                cell.init_memory(),
            )
            ends.append(_unroll(cell, fresh, cell.project(inputs))[-1])
        mean, log_variance = jnp.split(self.head(jnp.concatenate(ends, axis=-1)), 2, axis=-1)
        return mean, log_variance


class DecoderMemory(flax.struct.PyTreeNode):
    """What the next event follows from, leaves [*B, ...]."""

    latent: Array  # float32[L]
    conductor: PyTree
    plan: Array  # float32[P]: of the segment that goes on
    cell: PyTree
    event: Array  # int32: the last one
    step: Array  # int32: events so far


class MusicDecoder(nn.Module):
    """Plans for the segments from the latent vector, and from each plan its events one by one.

    A conductor, a memory that starts from the latent vector and sees it at every step, plans. The
    memory that makes events starts anew from each plan, sees it beside the last event, and knows
    nothing else of other segments, so that the latent vector is needed. Without a conductor (the
    source's flat decoder) the latent vector is the plan of all events, one segment.

    Attributes:
      num_events: events are codes below it.
      latent_size: width L of the latent vector.
      segment_length: events in a segment; None for no conductor.
      recurrent: kind of memory.
      memory_size: width of both memories, and of a plan.
    """

    num_events: int
    latent_size: int
    segment_length: int | None = None
    recurrent: Literal["lstm", "gru"] = "lstm"
    memory_size: int = 256

    def setup(self):
        num_memories = 2 if self.recurrent == "lstm" else 1
        self.cell = MemoryCell(self.recurrent, self.memory_size)
        self.first = nn.Dense(num_memories * self.memory_size)
        self.plan_inputs = nn.Dense(self.cell.num_gates * self.memory_size, use_bias=False)
        self.head = nn.Dense(self.num_events)
        if self.segment_length is not None:
            self.conductor = MemoryCell(self.recurrent, self.memory_size)
            self.conductor_first = nn.Dense(num_memories * self.memory_size)

    def init_memory(self) -> DecoderMemory:
        """In the form of `begin`, but of no latent vector; no batch axis."""
        fresh = MemoryCell(self.recurrent, self.memory_size, parent=None).init_memory()
        is_flat = self.segment_length is None
        return DecoderMemory(
            latent=jnp.zeros(self.latent_size, jnp.float32),
            conductor=() if is_flat else fresh,
            plan=jnp.zeros(self.latent_size if is_flat else self.memory_size, jnp.float32),
            cell=fresh,
            event=jnp.int32(NO_EVENT),
            step=jnp.int32(0),
        )

    def begin(self, latent: Array) -> DecoderMemory:
        """The memory before the first event, of a latent vector float32[L]."""
        memory = self.init_memory().replace(latent=latent)
        if self.segment_length is None:
            return memory.replace(plan=latent, cell=self._start(latent))
        return memory.replace(conductor=self._start_conductor(latent))

    def __call__(self, memory: DecoderMemory) -> tuple[Array, DecoderMemory]:
        """Logits of the next event, float32[num_events], and the memory, which is to be told the
        event that is chosen; without a batch axis."""
        if self.segment_length is not None:
            memory = self._next_plan(memory, self.segment_length)
        projected = self._project(memory.plan, memory.event)
        cell, output = self.cell.advance(memory.cell, projected)
        return self.head(output), memory.replace(cell=cell, step=memory.step + 1)

    def unroll(self, latent: Array, events: Array) -> Array:
        """All steps after events that are known: logits float32[T, *B, num_events].

        Args:
          latent: float32[*B, L].
          events: int[T, *B], what came before each of the steps, `NO_EVENT` where that is hidden.
        """
        num_steps = events.shape[0]
        before = _segments(events, self.segment_length or num_steps)  # [segment_length, S, *B]
        plans = self._plans(latent, before.shape[1])
        outputs = _unroll(self.cell, self._start(plans), self._project(plans[None], before))
        outputs = jnp.swapaxes(outputs, 0, 1).reshape(-1, *outputs.shape[2:])
        return self.head(outputs[:num_steps])

    def _plans(self, latent: Array, num: int) -> Array:
        """float32[S, *B, P]."""
        if self.segment_length is None:
            return latent[None]
        inputs = self.conductor.project(latent)
        inputs = jnp.broadcast_to(inputs, (num, *inputs.shape))
        return _unroll(self.conductor, self._start_conductor(latent), inputs)

    def _next_plan(self, memory: DecoderMemory, segment_length: int) -> DecoderMemory:
        """Where a segment begins: its plan, and a memory that starts from it."""
        conductor, plan = self.conductor.advance(
            memory.conductor, self.conductor.project(memory.latent)
        )
        fresh = memory.replace(conductor=conductor, plan=plan, cell=self._start(plan))
        begins = memory.step % segment_length == 0
        return jax.tree.map(lambda new, kept: jnp.where(begins, new, kept), fresh, memory)

    def _start(self, plan: Array) -> PyTree:
        return self._as_memory(self.first(plan))

    def _start_conductor(self, latent: Array) -> PyTree:
        return self._as_memory(self.conductor_first(latent))

    def _as_memory(self, x: Array) -> PyTree:
        x = jnp.tanh(x)
        return tuple(jnp.split(x, 2, axis=-1)) if self.recurrent == "lstm" else x

    def _project(self, plan: Array, events: Array) -> Array:
        """As of both side by side, but of the plan once for all its events."""
        return self.cell.project(_one_hot(events, self.num_events)) + self.plan_inputs(plan)


def _one_hot(events: Array, num_events: int) -> Array:
    """float32[..., num_events], zeros for `NO_EVENT`."""
    return jax.nn.one_hot(events, num_events, dtype=jnp.float32)


def _segments(events: Array, length: int) -> Array:
    """int[length, S, *B]: events [T, *B], those of the same place in their segment together."""
    missing = -events.shape[0] % length
    padding = [(0, missing)] + [(0, 0)] * (events.ndim - 1)
    filled = jnp.pad(events, padding, constant_values=NO_EVENT)
    return jnp.swapaxes(filled.reshape(-1, length, *events.shape[1:]), 0, 1)


def _unroll(cell: MemoryCell, memory: PyTree, projected: Array) -> Array:
    """Outputs float32[T, *B, H] of inputs that are projected, from a memory on."""

    def advance(cell: MemoryCell, memory: PyTree, projected: Array) -> tuple[PyTree, Array]:
        return cell.advance(memory, projected)

    scan = nn.scan(advance, variable_broadcast="params", split_rngs={"params": False})
    _, outputs = scan(cell, memory, projected)
    return outputs
