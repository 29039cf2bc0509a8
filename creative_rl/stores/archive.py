"""A grid of cells, each of which keeps the best solution that ever fell into it.

Source: Mouret and Clune, "Illuminating search spaces by mapping elites" (arXiv 1504.04909), the map
of performances and solutions.

`D` descriptors, `C` cells, the product of how many each descriptor has; `B` solutions that come
together.
"""

import math

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.typing import Array, Key, Number, PyTree

MOST_CELLS = 1 << 20


class Archive(flax.struct.PyTreeNode):
    """The elites; donate it (or keep it in a scan) and adding copies nothing.

    Cells lie in the order of rows: `fitness.reshape(shape)` is the map, with the first descriptor
    along the first axis.
    """

    solutions: PyTree
    """leaves [C, ...]; of an empty cell whatever `init` was given"""
    fitness: Array
    """float32[C]: minus infinity where a cell is empty"""
    descriptors: Array
    """float32[C, D]: of the solution itself, 0 where a cell is empty"""
    shape: tuple[int, ...] = flax.struct.field(pytree_node=False)
    """cells of each descriptor"""
    ranges: tuple[tuple[float, float], ...] = flax.struct.field(pytree_node=False)
    """low and high of each descriptor; what lies outside falls into the cells at the edge"""

    @property
    def is_filled(self) -> Array:
        """bool[C]."""
        return self.fitness > -jnp.inf


def init(
    solution: PyTree, shape: tuple[int, ...], ranges: tuple[tuple[float, float], ...]
) -> Archive:
    """An empty archive.

    Args:
      solution: one, without a batch axis; what stands in empty cells.
      shape: cells of each descriptor.
      ranges: low and high of each descriptor.

    Raises:
      ValueError: there is no descriptor, or not a range for each; a size is below 1, there are more
        than 2**20 cells, or a range is empty or not finite.
    """
    if not shape or len(shape) != len(ranges):
        raise ValueError(
            "archive: shape has a number of cells, and ranges a pair, for every descriptor, got "
            f"{shape} and {ranges}"
        )
    if min(shape) < 1 or math.prod(shape) > MOST_CELLS:
        raise ValueError(f"archive: cells must be 1 to {MOST_CELLS} in all, got {shape}")
    for low, high in ranges:
        if not -math.inf < low < high < math.inf:
            raise ValueError(f"archive: a range needs finite low < high, got {low} and {high}")
    num = math.prod(shape)
    return Archive(
        solutions=jax.tree.map(
            lambda leaf: jnp.tile(leaf[None], (num, *(1,) * leaf.ndim)), solution
        ),
        fitness=jnp.full(num, -jnp.inf, jnp.float32),
        descriptors=jnp.zeros((num, len(shape)), jnp.float32),
        shape=tuple(shape),
        ranges=tuple((float(low), float(high)) for low, high in ranges),
    )


def cells(archive: Archive, descriptors: Float[Array, "*B D"]) -> Int[Array, "*B"]:
    """int32: the cell of each, by its descriptors; what lies outside counts as at the edge.

    A cell has its lower end and not its upper one. Of descriptors that are no numbers, the first.

    >>> archive = init(jnp.int32(0), (2, 3), ((0.0, 1.0), (0.0, 30.0)))
    >>> cells(archive, jnp.array([[0.4, 29.0], [0.5, 10.0], [7.0, -1.0]])).tolist()
    [2, 4, 3]
    """
    index = jnp.zeros(descriptors.shape[:-1], jnp.int32)
    for place, (num, (low, high)) in enumerate(zip(archive.shape, archive.ranges, strict=True)):
        share = (descriptors[..., place] - low) / (high - low)
        inside = jnp.clip(jnp.nan_to_num(share), 0.0, 1.0)
        index = index * num + jnp.minimum((inside * num).astype(jnp.int32), num - 1)
    return index


def add(
    archive: Archive,
    solutions: PyTree,
    fitness: Float[Array, "B"],
    descriptors: Float[Array, "B D"],
) -> tuple[Archive, Int[Array, ""]]:
    """The archive with those solutions that are better than what their cells have.

    The best of a batch takes a cell, of equals the first; an equal does not replace an elite. What
    has a fitness or a descriptor that is not finite is left out. The result is the same to the bit
    on every device.

    Args:
      archive: where to.
      solutions: leaves [B, ...].
      fitness: the more the better.
      descriptors: of the solutions.

    Returns:
      The archive, and how many cells have a new elite.
    """
    num_cells, num = archive.fitness.shape[0], fitness.shape[0]
    cell = cells(archive, descriptors)
    is_whole = jnp.isfinite(fitness) & jnp.isfinite(descriptors).all(axis=-1)
    fitness = jnp.where(is_whole, fitness.astype(jnp.float32), -jnp.inf)
    # Greatest and least are the same in whatever order a device takes them.
    best = archive.fitness.at[cell].max(fitness)
    is_best = (fitness == best[cell]) & (fitness > archive.fitness[cell])
    numbers = jnp.arange(num, dtype=jnp.int32)
    first = jnp.full(num_cells, num, jnp.int32).at[cell].min(jnp.where(is_best, numbers, num))
    is_elite = is_best & (first[cell] == numbers)
    place = jnp.where(is_elite, cell, num_cells)  # beyond the last: not written

    def write(kept: Array, new: Array) -> Array:
        return kept.at[place].set(new, mode="drop")

    archive = archive.replace(
        solutions=jax.tree.map(write, archive.solutions, solutions),
        fitness=best,
        descriptors=write(archive.descriptors, descriptors),
    )
    return archive, is_elite.sum(dtype=jnp.int32)


def sample(archive: Archive, key: Key, shape: tuple[int, ...] = ()) -> Int[Array, "*B"]:
    """int32: cells drawn from those that are filled, each as likely; 0 where none is."""
    counts = jnp.cumsum(archive.is_filled, dtype=jnp.int32)
    num = counts[-1]
    rank = (jax.random.uniform(key, shape, jnp.float32) * num).astype(jnp.int32)
    cell = jnp.searchsorted(counts, jnp.minimum(rank, num - 1), side="right").astype(jnp.int32)
    return jnp.where(num > 0, cell, 0)


def take(archive: Archive, cells: Int[Array, "*B"]) -> PyTree:
    """The solutions of these cells, leaves [*B, ...]."""
    return jax.tree.map(lambda leaf: leaf[cells], archive.solutions)


def measures(archive: Archive, floor: Number = 0.0) -> dict[str, Array]:
    """How good an archive is, as float32 scalars.

    `qd_score` is the sum over the elites of what their fitness is above the floor, `coverage` the
    share of cells that are filled, `maximum` the best fitness, of an empty archive the floor.

    Source: Pugh, Soros and Stanley, "Quality Diversity" (Frontiers in Robotics and AI 3, 2016).
    """
    is_filled = archive.is_filled
    above = jnp.where(is_filled, archive.fitness - floor, 0.0)
    return {
        "qd_score": above.sum(),
        "coverage": is_filled.mean(dtype=jnp.float32),
        "maximum": jnp.where(is_filled.any(), archive.fitness.max(), floor),
    }
