"""Some frames of a moving picture side by side, with their numbers, as PNG."""

import math

import numpy as np

from creative_rl.works.canvas_picture import as_image
from creative_rl.works.pillow import INK, PAPER, drawing, font, pillow, png

_COLUMNS, _MOST_SHOWN = 4, 12
_CELL = 200  # most pixels of a frame's longer side
_MARGIN, _LINE = 10, 16


def encode(frames: np.ndarray) -> bytes:
    """Up to twelve frames, spread evenly from the first to the last.

    Args:
      frames: uint8[F, H, W, 3], F at least 1.

    Raises:
      ImportError: Pillow is not installed.
    """
    module = pillow()
    numbers = np.unique(np.linspace(0, len(frames) - 1, _MOST_SHOWN).round().astype(int))
    shrink = min(1.0, _CELL / max(frames.shape[1:3]))
    height, width = (max(1, round(side * shrink)) for side in frames.shape[1:3])
    columns = min(_COLUMNS, len(numbers))
    rows = math.ceil(len(numbers) / columns)
    across, down = width + _MARGIN, height + _LINE + _MARGIN
    sheet = module.new("RGB", (columns * across + _MARGIN, rows * down + _MARGIN), PAPER)
    draw, letters = drawing(sheet), font(_LINE - 5)
    for place, number in enumerate(numbers.tolist()):
        left = _MARGIN + place % columns * across
        top = _MARGIN + place // columns * down
        small = as_image(frames[number]).resize((width, height), module.Resampling.LANCZOS)
        sheet.paste(small, (left, top))
        draw.text((left, top + height + 2), str(number + 1), INK, letters)
    return png(sheet)
