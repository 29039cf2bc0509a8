"""Solids of voxels by formula: what sculptures are to become."""

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
