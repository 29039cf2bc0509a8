"""Pictures side by side in rows with a name each."""

from collections.abc import Mapping

import numpy as np

from creative_rl.works.canvas_picture import as_image
from creative_rl.works.pillow import drawing, pillow, png

ENLARGED = 3
GAP = 6
MARGIN = 110
"""Pixels for the names, on the left."""


def encode(rows: Mapping[str, np.ndarray], enlarged: int = ENLARGED) -> bytes:
    """A PNG file of rows of pictures, uint8[N, H, W, C] each, grey where C is 1, on a grey ground.

    Raises:
      ImportError: Pillow is not installed.
    """
    image = pillow()
    first = next(iter(rows.values()))
    mode = "L" if first.shape[3] == 1 else "RGB"
    num, height, width = first.shape[0], *(enlarged * size for size in first.shape[1:3])
    sheet = image.new(
        mode, (MARGIN + num * (width + GAP), GAP + len(rows) * (height + GAP)), "#606060"
    )
    draw = drawing(sheet)
    for row, (name, pictures) in enumerate(rows.items()):
        top = GAP + row * (height + GAP)
        draw.text((GAP, top + height // 2), name, fill="#ffffff", anchor="lm")
        for column, picture in enumerate(pictures):
            large = np.asarray(picture).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
            sheet.paste(as_image(large), (MARGIN + column * (width + GAP), top))
    return png(sheet)
