"""Canvases as PNG files, whose pixels are the canvas's, and back."""

import io
import os
from typing import Any

import numpy as np

from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.works.canvas import LARGEST_SIZE, Canvas, on_host
from creative_rl.works.pillow import pillow, png

_CHANNELS = {"L": 1, "RGB": 3}  # by Pillow's name for the form of a pixel


def as_image(pixels: np.ndarray) -> Any:
    """uint8[H, W, C] as a `PIL.Image.Image`, grey where C is 1."""
    return pillow().fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def encode_png(canvas: Canvas, enlarged: int = 1) -> bytes:
    """One canvas as the bytes of a PNG file, each pixel a square of `enlarged` x `enlarged`.

    Raises:
      ValueError: the canvas is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    pixels = np.asarray(on_host(canvas).pixels).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    return png(as_image(pixels))


def read_png(path: str | os.PathLike) -> Canvas:
    """The canvas in a grey or RGB picture of 8 bits a channel, with no strokes.

    Raises:
      ValueError: the file is no such picture; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: Pillow is not installed.
    """
    image_module = pillow()
    with open(path, "rb") as file:
        data = file.read()
    try:
        with image_module.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.mode not in _CHANNELS:
                raise ValueError(
                    f"its pixels must be L (grey) or RGB, got {image.mode}; convert it"
                )
            if max(image.size) > LARGEST_SIZE:
                raise ValueError(f"its sides must be at most {LARGEST_SIZE}, got {image.size}")
            pixels = np.array(image)
    except image_module.UnidentifiedImageError as error:
        what = "it is no picture of that kind, or a damaged one"
        raise ValueError(f"{path} is not a canvas in PNG: {what}") from error
    except (OSError, SyntaxError, ValueError, image_module.DecompressionBombError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is not a canvas in PNG: {reason}") from error
    channels = _CHANNELS[image.mode]
    return Canvas(
        pixels=pixels.reshape(*pixels.shape[:2], channels),
        strokes=np.zeros((0, NUM_SHAPE + channels), np.float32),
        length=np.array(0, np.int32),
    )
