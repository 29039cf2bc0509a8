"""Solids of voxels by formula: what sculptures are to become."""

from collections.abc import Sequence

import numpy as np

STANDING = (
    "ball", "dome", "column", "cone", "pyramid", "ring",
    "arch", "table", "chair", "stairs", "mushroom", "cross",
)  # fmt: skip
"""Of `standing_solids`, in their order."""


def standing_solids(size: int) -> np.ndarray:
    """Twelve solids that stand on the ground and are of one piece: bool[12, N, N, N] by x, y, z.

    They are cut out of the same space whatever the size, which must be at least 8.

    Raises:
      ValueError: the size is less, or more than 128.

    Example:
      >>> standing_solids(8).sum(axis=(1, 2, 3)).tolist()[:3]
      [160, 160, 96]
    """
    if not 8 <= size <= 128:
        raise ValueError(f"standing_solids: size must be in 8..128, got {size}")
    middle = (np.arange(size) + 0.5) / size
    x, y, z = np.meshgrid(2 * middle - 1, 2 * middle - 1, middle, indexing="ij")
    around = np.hypot(x, y)
    widest = np.maximum(np.abs(x), np.abs(y))
    legs = (np.minimum(np.abs(x), np.abs(y)) > 0.5) & (widest < 0.8)
    return np.stack(
        [
            np.hypot(around, 2 * z - 0.85) < 0.85,
            np.hypot(around, 1.2 * z) < 0.9,
            around < 0.5,
            around < 0.95 * (1 - z),
            widest < 0.95 * (1 - z) + 0.05,
            np.hypot(around - 0.6, 2 * z - 0.3) < 0.38,
            (np.abs(y) < 0.5) & ((np.abs(x) > 0.4) | (z > 0.6)),
            (z > 0.7) & (z < 0.9) | legs & (z < 0.8),
            (widest < 0.8) & (z > 0.4) & (z < 0.55) | legs & (z < 0.5)
            | (np.abs(x) < 0.8) & (y > 0.5) & (y < 0.8) & (z > 0.4),
            (np.abs(y) < 0.6) & (2 * z - 1 < x),
            (around < 0.3) & (z < 0.6) | (z > 0.5) & (np.hypot(around, 2.4 * (z - 0.5)) < 0.95),
            (np.abs(y) < 0.3) & ((np.abs(x) < 0.3) | (np.abs(z - 0.65) < 0.15)),
        ]
    )  # fmt: skip


def modelling_solids() -> np.ndarray:
    """Twelve solids to model with boxes: bool[12, 16, 16, 16] by x, y, z.

    A ball of radius 6, a ring (5 and 2), a column of radius 5, a chair, and eight unions of two to
    four boxes, drawn with corners in 1..8 and sides of 3..6, always the same.

    Example:
      >>> modelling_solids().shape
      (12, 16, 16, 16)
    """
    x, y, z = np.meshgrid(*[np.arange(16) - 7.5] * 3, indexing="ij")
    around = np.hypot(x, y)
    chair = _boxes(
        (3, 3, 7, 13, 13, 9), (3, 11, 9, 13, 13, 15), (3, 3, 1, 5, 5, 7), (11, 3, 1, 13, 5, 7),
        (3, 11, 1, 5, 13, 7), (11, 11, 1, 13, 13, 7),
    )  # fmt: skip
    solids = [
        np.hypot(around, z) < 6,
        np.hypot(around - 5, z) < 2,
        (around < 5) & (np.abs(z) < 6),
        chair,
    ]
    for seed in range(8):
        generator = np.random.default_rng(seed)
        drawn = []
        for _ in range(generator.integers(2, 5)):
            low = generator.integers(1, 9, 3)
            high = low + generator.integers(3, 7, 3)
            drawn.append([*low.tolist(), *high.tolist()])
        solids.append(_boxes(*drawn))
    return np.stack(solids)


def _boxes(*boxes: Sequence[int]) -> np.ndarray:
    """The union of boxes, each its first corner and the one after its last cell."""
    solid = np.zeros((16, 16, 16), np.bool_)
    for x, y, z, x_end, y_end, z_end in boxes:
        solid[x:x_end, y:y_end, z:z_end] = True
    return solid


def check_solids(name: str, solids: np.ndarray) -> None:
    """Refuse targets that mean nothing, bool[M, N, N, N].

    Raises:
      ValueError: there is none, or one is empty.
    """
    num_voxels = np.asarray(solids).sum((1, 2, 3))
    if num_voxels.size == 0 or num_voxels.min() == 0:
        which = np.flatnonzero(num_voxels == 0)
        got = f"an empty one, number {which[0]}" if num_voxels.size else "none"
        raise ValueError(f"{name}: targets must be at least one solid of some voxels, got {got}")
