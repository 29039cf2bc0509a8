"""Pillow, which makes pictures where it is installed, and the paper that some are drawn on."""

import io
from collections.abc import Callable, Mapping
from typing import Any

PIXELS = 2
"""Of a drawing's side, for a point."""
PAPER = "#ffffff"
INK = "#5b6275"

_OVERSAMPLING = 2


def pillow() -> Any:
    """The module `PIL.Image`.

    Raises:
      ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("pictures need Pillow: pip install 'creative_rl[media]'") from error
    return Image


def drawing(image: Any) -> Any:
    """A `PIL.ImageDraw.ImageDraw` on an image."""
    from PIL import ImageDraw

    return ImageDraw.Draw(image)


def font(size: float) -> Any:
    """Pillow's own font, `size` pixels high."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def on_paper(width: int, height: int, draw: Callable[[Any, int], None]) -> Any:
    """A `PIL.Image.Image` of so many points, `PIXELS` pixels each, on white paper.

    Args:
      width: in points.
      height: in points.
      draw: is given a `drawing`, and its pixels a point: more than the picture's, since it is
        shrunk in the end, which smooths the edges that Pillow draws hard.

    Raises:
      ImportError: Pillow is not installed.
    """
    module, scale = pillow(), PIXELS * _OVERSAMPLING
    image = module.new("RGB", (width * scale, height * scale), PAPER)
    draw(drawing(image), scale)
    return image.resize((width * PIXELS, height * PIXELS), module.Resampling.BOX)


def png(image: Any, texts: Mapping[str, str] | None = None) -> bytes:
    """A picture as the bytes of a PNG file, with texts in it by their keys."""
    from PIL.PngImagePlugin import PngInfo

    buffer, info = io.BytesIO(), PngInfo()
    for key, written in (texts or {}).items():
        info.add_text(key, written, zip=True)
    image.save(buffer, "PNG", optimize=True, pnginfo=info)
    return buffer.getvalue()
