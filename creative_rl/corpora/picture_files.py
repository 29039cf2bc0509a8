"""Pictures in files that Pillow reads, and folders of them."""

import pathlib
import warnings
from typing import Any

import numpy as np

from creative_rl.corpora.pixels import as_levels
from creative_rl.works.pillow import pillow

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm",
)  # fmt: skip
"""Which files of a folder are pictures."""
MAX_PIXELS = 2**26
"""More are refused before they are decoded: a small file can ask for gigabytes."""

_FULL_16_BITS = 2**16 - 1


def find(folder: pathlib.Path) -> list[pathlib.Path]:
    """Files with a picture's suffix, in any case, in order of name; hidden ones are left out.

    Raises:
      ValueError: there is none.
      OSError: the folder cannot be listed.
    """
    entries = sorted(folder.iterdir())
    found = [
        path
        for path in entries
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not found:
        holds = f"no picture among its {len(entries)} entries" if entries else "nothing"
        raise ValueError(
            f"this folder holds {holds}; put pictures into it, files that end in "
            f"{', '.join(SUFFIXES)}"
        )
    return found


def read(path: pathlib.Path) -> np.ndarray:
    """One picture, uint8[H, W, 3], of an animation the first.

    Whatever way it stores its pixels (palette, CMYK, 1, 8 or 16 bits) becomes RGB; what is
    transparent is laid on black, the colour of an empty canvas; a camera's EXIF orientation is
    applied.

    Raises:
      ValueError: no picture, a damaged one, or one of more than `MAX_PIXELS`.
      ImportError: Pillow is not installed.
      OSError: the file cannot be read.
    """
    module = pillow()
    from PIL import ImageOps

    with path.open("rb") as file, warnings.catch_warnings():
        # Of odd metadata, and of sizes, which are checked here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            image = module.open(file)
            _check_size(*image.size)
            return _rgb(ImageOps.exif_transpose(image))
        except module.UnidentifiedImageError as error:
            raise ValueError("it is not a picture in a format that Pillow reads") from error
        except module.DecompressionBombError as error:
            raise ValueError(f"it has too many pixels, at most {MAX_PIXELS} are read") from error
        except _Refused:
            raise
        except Exception as error:  # Pillow's readers raise whatever a damaged file leads them to
            raise ValueError(
                f"it is a damaged picture ({str(error) or type(error).__name__})"
            ) from error


class _Refused(ValueError):
    """A picture that is whole and not wanted."""


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _Refused(f"it has {width} x {height} pixels, at most {MAX_PIXELS} are read")


def _rgb(image: Any) -> np.ndarray:
    """Pixels uint8[H, W, 3] of Pillow's image in any mode."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.repeat(_deep_grey(np.asarray(image))[..., None], 3, axis=-1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = pillow().alpha_composite(pillow().new("RGBA", image.size, (0, 0, 0, 255)), image)
    return np.asarray(image.convert("RGB"))


def _deep_grey(values: np.ndarray) -> np.ndarray:
    """Levels uint8 of one channel with 16 bits, or with floats in 0..1."""
    if values.dtype.kind != "f":
        low, high = values.min(), values.max()
        if low < 0 or high > _FULL_16_BITS:
            raise _Refused(f"its levels are {low}..{high}, at most 16 bits (0..65535) are read")
        values = values.astype(np.float32) / _FULL_16_BITS
    try:
        return as_levels(values)
    except ValueError as error:
        raise _Refused(str(error)) from error
