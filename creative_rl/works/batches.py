"""Batches of works, of whatever type."""

import jax
import numpy as np

from creative_rl.typing import PyTree


def unbatch(works: PyTree) -> list[PyTree]:
    """Split a batch into its works, with numpy leaves.

    Args:
      works: a pytree with one more leading axis, of equal size, on every leaf.

    Raises:
      ValueError: a leaf has no leading axis, or their sizes differ.

    Example:
      >>> from creative_rl.works import Melody
      >>> batch = Melody(events=np.zeros((3, 8), np.int32), length=np.full(3, 8, np.int32))
      >>> len(unbatch(batch))
      3
    """
    leaves, structure = jax.tree.flatten(jax.device_get(works))
    shapes = [np.shape(leaf) for leaf in leaves]
    if not shapes or any(shape[:1] != shapes[0][:1] or not shape for shape in shapes):
        raise ValueError(
            "unbatch: every leaf needs a leading axis, all of one size, got the shapes "
            f"{', '.join(map(str, shapes)) or 'of no leaves'}"
        )
    rows = ([np.asarray(leaf[index]) for leaf in leaves] for index in range(shapes[0][0]))
    return [jax.tree.unflatten(structure, row) for row in rows]


def check_single(
    name: str, field: str, values: np.ndarray, num_axes: int, length: np.ndarray
) -> None:
    """Raise ValueError where a work's `field`, of `num_axes` axes in one work, or its length says
    that it is a batch."""
    if values.ndim != num_axes or length.ndim != 0:
        raise ValueError(
            f"{name}: this is a batch ({field} of shape {values.shape}, length of shape "
            f"{length.shape}); split it with works.unbatch first"
        )
