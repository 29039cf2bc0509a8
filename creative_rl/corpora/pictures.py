"""Pictures to draw after or to learn from: from a name or a path to one array of one size."""

import os
import pathlib
from collections.abc import Callable

import numpy as np

from creative_rl.corpora import digits, glyphs, idx, picture_arrays, picture_files, shapes
from creative_rl.corpora.names import did_you_mean
from creative_rl.corpora.pixels import as_channels, fit

MAX_SIDE = 2048
"""Largest height and width that are asked for."""
NAMES = ("shapes", "digits", "digits-train", "digits-test", "glyphs")

_FILES = "an image, a folder of images, an IDX file (ubyte, .gz), a .npy or a .npz file"


def load_pictures(
    source: str | os.PathLike, height: int, width: int, channels: int = 1
) -> np.ndarray:
    """Pictures as uint8[N, height, width, channels], levels 0..255, N at least 1.

    | source | pictures |
    |---|---|
    | `shapes` | 40 discs, rings, triangles, crosses and bars, drawn by formula |
    | `digits` | 1,797 handwritten digits, 8 x 8 (needs scikit-learn) |
    | `digits-train`, `digits-test` | 1,297 and 500 of them, apart: `digits.split(0)` |
    | `glyphs` | 744 letters and digits in 12 fonts (needs Pillow and matplotlib) |
    | an image | one picture (needs Pillow, as does a folder) |
    | a folder of images | those in it, not below it, in order of name |
    | an IDX file | MNIST's format; `ubyte` or `.idx` in its name, or `.gz` at the end |
    | a .npy or .npz file | uint8, bool or floats in 0..1; [N, H, W], [N, H, W, 1 or 3] or [N, D] |

    Shapes and glyphs are drawn at the size asked for. Other pictures are cut to its aspect,
    around their middle, then shrunk by averaging areas or enlarged bilinearly, corners aligned
    (`pixels.fit`). Grey is the luma of RGB; transparent pixels lie on black. Names come before
    paths: a folder called `digits` is `./digits`.

    Args:
      source: a name from the table, or a path; as a `PathLike` it is always a path.
      height: pixels, 1 to 2048.
      width: pixels, 1 to 2048.
      channels: 1 for grey, 3 for RGB.

    Raises:
      ValueError: an argument is out of range, no source has that name, or a file is damaged or
        of another kind; the line names the file.
      FileNotFoundError: there is nothing at that path.
      ImportError: the source needs a library that is not installed.

    Example:
      >>> load_pictures("shapes", 16, 24, channels=3).shape
      (40, 16, 24, 3)
    """
    for name, size in (("height", height), ("width", width)):
        if not 1 <= size <= MAX_SIDE:
            raise ValueError(f"load_pictures: {name} must be 1 to {MAX_SIDE} pixels, got {size}")
    if channels not in (1, 3):
        raise ValueError(f"load_pictures: channels must be 1 (grey) or 3 (RGB), got {channels}")
    if isinstance(source, str) and source in NAMES:
        return _named(source, height, width, channels)
    return _from_path(source, lambda pictures: as_channels(fit(pictures, height, width), channels))


def _named(name: str, height: int, width: int, channels: int) -> np.ndarray:
    if name == "shapes":
        return shapes.pictures(height, width, channels)
    if name == "glyphs":
        return as_channels(glyphs.pictures(height, width), channels)
    train, test = digits.split(0)
    parts: dict[str, np.ndarray | slice] = {
        "digits": slice(None),
        "digits-train": train,
        "digits-test": test,
    }
    return as_channels(fit(digits.pictures(parts[name]), height, width), channels)


def _from_path(
    source: str | os.PathLike, prepare: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Every picture at a path; `prepare` turns uint8[N, h, w, 1 or 3] into what was asked for."""
    path = pathlib.Path(source).expanduser()
    if not str(source) or not path.exists():
        raise _missing(source)
    try:
        files = picture_files.find(path) if path.is_dir() else [path]
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {_reason(error)}") from error
    return np.concatenate([_from_file(file, prepare) for file in files])


def _from_file(path: pathlib.Path, prepare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    try:
        pictures = _read(path)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {_reason(error)}") from error
    if 0 in pictures.shape:
        raise ValueError(f"{path}: it holds no pixels, its shape is {list(pictures.shape)}")
    return prepare(pictures)


def _read(path: pathlib.Path) -> np.ndarray:
    """Pictures uint8[N, h, w, 1 or 3] of one file; its name says in which format."""
    name = path.name.lower()
    if name.endswith((".npy", ".npz")):
        return picture_arrays.read(path)
    if "ubyte" in name or name.endswith((".idx", ".gz")):
        return idx.read(path)
    return picture_files.read(path)[None]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or error})"
    return str(error)


def _missing(source: str | os.PathLike) -> Exception:
    """What to raise for a source that is neither a name nor there."""
    name = os.fspath(source)
    choices = f"give one of {', '.join(NAMES)}, or the path of {_FILES}"
    if not isinstance(source, str) or os.sep in name or pathlib.Path(name).suffix:
        return FileNotFoundError(f"there is no file or folder {name!r}; {choices}")
    hint = did_you_mean(name, NAMES)
    return ValueError(f"there is no source of pictures {name!r}{hint}; {choices}")
