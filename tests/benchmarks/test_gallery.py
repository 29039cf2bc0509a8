import io

import numpy as np
from PIL import Image

from benchmarks import gallery


def test_rows_are_as_wide_as_the_sheet_and_stand_below_their_captions():
    red, grey = (np.full((4, 8, channels), 255, np.uint8) for channels in (3, 1))
    red[..., 1:] = 0
    rows = [
        ("two", [gallery.enlarged(red), gallery.enlarged(grey)]),
        ("one", [gallery.enlarged(red)]),
    ]
    sheet = Image.open(io.BytesIO(gallery.sheet(rows)))
    pixels = np.asarray(sheet.convert("RGB"))
    half, whole = (gallery.WIDTH - gallery.GAP) // 4, gallery.WIDTH // 2
    assert pixels.shape == (2 * (gallery.CAPTION + gallery.GAP) + half + whole, gallery.WIDTH, 3)
    is_red = (pixels == (255, 0, 0)).all(axis=-1)
    assert is_red[gallery.CAPTION : gallery.CAPTION + half, : 2 * half].all()
    assert is_red.sum() == 2 * half * half + 2 * whole * whole
    assert (pixels[: gallery.CAPTION, :100] != 255).any()
