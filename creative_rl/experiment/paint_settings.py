"""How a picture is painted, as plain values. Imports no JAX."""

import dataclasses

from creative_rl.experiment.sizes import LARGEST_SEED, whole_number

BOUNDS = {"num_strokes": (1, 5000), "size": (8, 1024), "seed": (0, LARGEST_SEED)}
"""Least and largest of the whole numbers."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaintSettings:
    """How a picture is painted.

    Attributes:
      num_strokes: at most, 1 to 5000.
      size: pixels of the painting's longer side, at most, 8 to 1024.
      background: grey level of the empty canvas, 0 (black) to 1; None for the picture's mean.
      refine: improve all strokes together at the end.
      seed: another one gives another painting.

    Raises:
      ValueError: a value is out of range.
    """

    num_strokes: int = 200
    size: int = 256
    background: float | None = None
    refine: bool = True
    seed: int = 0

    def __post_init__(self):
        for name, (least, most) in BOUNDS.items():
            whole_number(name, getattr(self, name), least, most)
        level = self.background
        if level is not None and not 0.0 <= level <= 1.0:
            raise ValueError(f"background must be between 0 (black) and 1 (white), got {level}")
