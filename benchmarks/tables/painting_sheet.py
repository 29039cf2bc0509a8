"""Pictures side by side in rows with a name each."""

from collections.abc import Mapping

import numpy as np

from creative_rl.works.pillow import drawing, pillow, png

ENLARGED = 3
GAP = 6
MARGIN = 110
"""Pixels for the names, on the left."""


def encode(rows: Mapping[str, np.ndarray]) -> bytes:
    """A PNG file of rows of grey pictures, uint8[N, H, W, 1] each, on a grey ground.

    Raises:
      ImportError: Pillow is not installed.
    """
    image = pillow()
    first = next(iter(rows.values()))
    num, height, width = first.shape[0], *(ENLARGED * size for size in first.shape[1:3])
    sheet = image.new("L", (MARGIN + num * (width + GAP), GAP + len(rows) * (height + GAP)), 96)
    draw = drawing(sheet)
    for row, (name, pictures) in enumerate(rows.items()):
        top = GAP + row * (height + GAP)
        draw.text((GAP, top + height // 2), name, fill=255, anchor="lm")
        for column, picture in enumerate(pictures):
            enlarged = np.asarray(picture)[..., 0].repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
            sheet.paste(image.fromarray(enlarged), (MARGIN + column * (width + GAP), top))
    return png(sheet)
