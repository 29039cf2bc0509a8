"""Letters and digits of the fonts that lie inside matplotlib, which is found and not imported."""

import importlib.util
import io
import math
import pathlib
import string
from typing import Any

import numpy as np

from creative_rl.works.pillow import drawing, pillow

CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif",
    "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic", "cmr10",
    "cmss10", "cmtt10",
)  # fmt: skip
NUM_PICTURES = len(FONTS) * len(CHARACTERS)

_FINEST = 128  # glyphs are drawn on a canvas with at least this shorter side, and averaged down
_EM = 0.78  # size of the font, in shorter sides of the canvas
_BASELINE = 0.72  # of the shorter side, from its top


def pictures(height: int, width: int) -> np.ndarray:
    """White on black, uint8[744, height, width, 1]: every character of a font, font by font.

    Characters stand on one line, each in the middle of the canvas, and keep their sizes: an `o`
    is smaller than an `O`.

    Raises:
      ImportError: Pillow or matplotlib is not installed, or a font is not in it.
    """
    module = pillow()
    factor = math.ceil(_FINEST / min(height, width))
    side = min(height, width) * factor
    place = (width * factor / 2, (height * factor - side) / 2 + _BASELINE * side)
    folder = _folder()
    drawn = []
    for name in FONTS:
        font = _font(folder / f"{name}.ttf", _EM * side)
        for character in CHARACTERS:
            canvas = module.new("L", (width * factor, height * factor))
            drawing(canvas).text(place, character, fill=255, font=font, anchor="ms")
            drawn.append(np.asarray(canvas.reduce(factor)))
    return np.stack(drawn)[..., None]


def _font(path: pathlib.Path, size: float) -> Any:
    """Pillow's font of a file, `size` pixels an em."""
    from PIL import ImageFont

    try:
        # Read here: by its path alone, a missing font would be taken from the system's. And the
        # basic layout is the one that every build of Pillow has.
        file = io.BytesIO(path.read_bytes())
        return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise ImportError(
            f"cannot read matplotlib's font {path} ({error.strerror or error}); reinstall the "
            "package: pip install --force-reinstall matplotlib"
        ) from error


def _folder() -> pathlib.Path:
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            "glyphs are drawn with the fonts inside matplotlib: pip install 'creative_rl[media]'"
        )
    return pathlib.Path(spec.submodule_search_locations[0], "mpl-data", "fonts", "ttf")
