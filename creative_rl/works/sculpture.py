"""A sculpture of voxels, as a work: what it is, its check, and a line about it."""

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array

LARGEST_SIZE = 128  # voxels a side
COLOURS = (
    (201, 104, 72),
    (232, 196, 124),
    (84, 122, 140),
    (118, 146, 92),
    (168, 132, 178),
    (240, 236, 226),
    (96, 84, 78),
    (214, 158, 164),
)
"""Of the materials 1 to 8: clay, sand, slate, moss, heather, plaster, basalt, rose."""


class Sculpture(flax.struct.PyTreeNode):
    """Cubes of equal size on a grid; z = 0 stands on the ground. A batch has leading axes."""

    voxels: Array | np.ndarray
    """uint8[X, Y, Z]: 0 empty, k of material k; x to the right, y to the back, z up"""
    length: Array | np.ndarray
    """int32: steps of the making so far"""
    target: Array | np.ndarray | None = None
    """uint8[X, Y, Z]: what it was to become, where there was something"""
    colours: tuple[tuple[int, int, int], ...] = flax.struct.field(
        pytree_node=False, default=COLOURS
    )
    """red, green and blue of the materials from 1 on, 0..255 each, in sRGB"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the sculpture turning; the first eight of a batch."""
        from creative_rl.works.sculpture_card import sculpture_html

        return sculpture_html(self)


def on_host(sculpture: Sculpture) -> Sculpture:
    """One sculpture with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, a type or shape is wrong, or a number is out of range.
    """
    voxels, length = map(np.asarray, jax.device_get((sculpture.voxels, sculpture.length)))
    if voxels.ndim != 3 or length.ndim != 0:
        batch = "this is a batch" if voxels.ndim > 3 or length.ndim else "this is no sculpture"
        raise ValueError(
            f"Sculpture: {batch} (voxels and length of the shapes {voxels.shape} and "
            f"{length.shape}, of one sculpture [X, Y, Z] and []); split a batch with "
            "works.unbatch first"
        )
    if not np.issubdtype(length.dtype, np.integer) or length < 0:
        raise ValueError(f"Sculpture: length must be a whole number of steps, got {length}")
    colours = _checked_colours(sculpture.colours)
    _check_voxels("voxels", voxels, len(colours))
    target = None if sculpture.target is None else np.asarray(jax.device_get(sculpture.target))
    if target is not None:
        _check_voxels("target", target, len(colours))
        if target.shape != voxels.shape:
            raise ValueError(
                f"Sculpture: target must be like voxels, {list(voxels.shape)}, got "
                f"{list(target.shape)}"
            )
    return sculpture.replace(voxels=voxels, length=length, target=target, colours=colours)


def target_of(sculpture: Sculpture) -> Sculpture | None:
    """The target as a sculpture of its own, or None."""
    sculpture = on_host(sculpture)
    if sculpture.target is None:
        return None
    return sculpture.replace(voxels=sculpture.target, length=np.int32(0), target=None)


def summary(sculpture: Sculpture) -> str:
    """One line: how large the grid is, how many voxels are full, and of how many materials.

    Example:
      >>> voxels = np.zeros((4, 4, 3), np.uint8)
      >>> voxels[:2, 0, 0] = 1
      >>> summary(Sculpture(voxels, np.int32(2)))
      '2 voxels of 1 material, in 4 x 4 x 3'
    """
    sculpture = on_host(sculpture)
    size = " x ".join(map(str, sculpture.voxels.shape))
    full = np.asarray(sculpture.voxels)[np.asarray(sculpture.voxels) > 0]
    used, num = np.unique(full), full.size
    if not num:
        return f"no voxels, in {size}"
    voxels = "1 voxel" if num == 1 else f"{num} voxels"
    materials = "1 material" if used.size == 1 else f"{used.size} materials"
    return f"{voxels} of {materials}, in {size}"


def _check_voxels(name: str, voxels: np.ndarray, num_colours: int) -> None:
    if voxels.dtype != np.uint8:
        raise ValueError(f"Sculpture: {name} must be uint8, got {voxels.dtype}")
    if voxels.ndim != 3 or not 1 <= min(voxels.shape) <= max(voxels.shape) <= LARGEST_SIZE:
        raise ValueError(
            f"Sculpture: {name} must be [X, Y, Z] with sides in 1..{LARGEST_SIZE}, got "
            f"{list(voxels.shape)}"
        )
    if voxels.max() > num_colours:
        raise ValueError(
            f"Sculpture: {name} must be in 0..{num_colours}, as there are {num_colours} colours, "
            f"got {voxels.max()}"
        )


def _checked_colours(colours: tuple[tuple[int, int, int], ...]) -> tuple:
    """As tuples, which JSON makes lists of."""
    try:
        levels = np.array(colours) if isinstance(colours, tuple | list) else np.zeros(0)
    except ValueError:  # rows of several lengths
        levels = np.zeros(0)
    if levels.ndim != 2 or levels.shape[1] != 3 or levels.dtype.kind not in "iu":
        raise ValueError(
            f"Sculpture: colours must be triples of red, green and blue, got {colours!r}"
        )
    if len(levels) > 255 or not 0 <= levels.min() <= levels.max() <= 255:
        raise ValueError(
            f"Sculpture: colours must be at most 255 triples of 0..255, got {colours!r}"
        )
    return tuple(tuple(map(int, row)) for row in levels)
