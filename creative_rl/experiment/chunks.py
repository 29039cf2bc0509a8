"""Many updates in one compiled call."""

import functools
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from creative_rl import axes
from creative_rl.experiment.devices import Placement
from creative_rl.typing import Array, PyTree

MAX_UPDATES = 8192
_CALL_SECONDS = 1.0
_MAX_NUMBERS = 1 << 21
"""What the metrics of one call may hold, over all seeds: 8 MiB."""

Chunk = Callable[[PyTree, Array], tuple[PyTree, dict[str, Array]]]


@functools.lru_cache(maxsize=8)
def compiled_chunk(update: Callable, is_batched: bool, placement: Placement | None = None) -> Chunk:
    """`(state, count) -> (state, metrics)`: `count` updates, with their metrics in the first rows.

    The count is an argument of one program and not a part of it: whatever the sizes of the calls,
    there is one compilation, and every update is computed by the same instructions, so that no
    size can change a result. The state is donated.

    Args:
      update: a learner's.
      is_batched: whether the state has a leading axis of seeds.
      placement: where the state lies and stays, if on several devices; the metrics are whole on
        each of them.
    """
    axis = None if placement is None else axes.POPULATION
    # Traced once, for the shapes of the metrics and for the loop.
    update = jax.jit(jax.vmap(update, spmd_axis_name=axis) if is_batched else update)

    def chunk(state: PyTree, count: Array) -> tuple[PyTree, dict[str, Array]]:
        shapes = jax.eval_shape(lambda state: update(state)[1], state)
        num_rows = capacity(shapes)
        rows = jax.tree.map(lambda leaf: jnp.zeros((num_rows, *leaf.shape), leaf.dtype), shapes)

        def body(index: Array, carry: PyTree) -> PyTree:
            state, metrics = update(carry[0])
            return state, jax.tree.map(lambda row, m: row.at[index].set(m), carry[1], metrics)

        return jax.lax.fori_loop(0, count, body, (state, rows))

    if placement is None:
        return jax.jit(chunk, donate_argnums=0)

    def shared_chunk(state: PyTree, count: Array) -> tuple[PyTree, dict[str, Array]]:
        with jax.sharding.use_abstract_mesh(placement.mesh.abstract_mesh):
            return chunk(state, count)

    places = (placement.state, placement.everywhere)
    return jax.jit(shared_chunk, donate_argnums=0, in_shardings=places, out_shardings=places)


def capacity(metrics: dict[str, jax.ShapeDtypeStruct]) -> int:
    """The most updates in one call, given the metrics of one update."""
    numbers = sum(leaf.size for leaf in metrics.values())
    return max(1, min(MAX_UPDATES, _MAX_NUMBERS // max(numbers, 1)))


class Pace:
    """Chooses how many updates make a call of about a second.

    Attributes:
      count: updates in the next call; 1 in the first, which measures.

    Args:
      most: upper limit, None for the program's own.
    """

    def __init__(self, most: int | None):
        self.count = 1
        self._limit = 1
        self._most = MAX_UPDATES if most is None else most
        self._since = 0.0

    def next_count(self, num_done: int, num_updates: int, window: int) -> int:
        """Updates in the next call, which ends where a window of records ends, if that fits.

        So a checkpoint between calls cuts no window, and records do not tell when it was made.
        """
        end = max((num_done + self.count) // window, num_done // window + 1) * window
        if end - num_done > self._limit:
            end = num_done + self.count
        return min(end, num_updates) - num_done

    def begin(self) -> None:
        """The device, idle before, has begun a call."""
        self._since = time.perf_counter()

    def end(self, count: int, num_rows: int) -> None:
        """A call of `count` updates is done, in a program for at most `num_rows`."""
        now = time.perf_counter()
        seconds_per_update = max(now - self._since, 1e-6) / count
        self._since = now
        wanted = round(_CALL_SECONDS / seconds_per_update)
        # The first measurements are of short calls: approach what they promise in steps.
        self._limit = min(self._most, num_rows)
        self.count = max(1, min(wanted, 16 * count, self._limit))
