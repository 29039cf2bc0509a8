"""Pictures in NumPy's .npy and .npz files."""

import math
import pathlib
import zipfile
import zlib

import numpy as np

from creative_rl.corpora.pixels import as_levels

_NAMES = ("pictures", "images", "x_train")
"""Which array of an .npz with several holds the pictures, the first that is there."""


def read(path: pathlib.Path) -> np.ndarray:
    """Pictures uint8[N, H, W, C] of a file that ends in .npy or .npz; nothing is unpickled.

    The array is uint8, bool or floats in 0..1, of shape [N, H, W], [N, H, W, 1 or 3], or [N, D]
    with D a square number: flat squares, as QuickDraw's bitmaps.

    Raises:
      ValueError: it is none of that, or damaged.
      OSError: the file cannot be read.
    """
    return as_levels(_as_batch(_npz(path) if path.suffix.lower() == ".npz" else _npy(path)))


def _npy(path: pathlib.Path) -> np.ndarray:
    with path.open("rb") as file:
        if file.read(6) != np.lib.format.MAGIC_PREFIX:
            raise ValueError("it does not begin as an .npy file does")
    try:
        # Mapped, a header that promises more than the file holds is refused, not allocated.
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(_damage(error)) from error


def _npz(path: pathlib.Path) -> np.ndarray:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not an .npz file, or a truncated one")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[_name(arrays.files)]
    except (
        ValueError, EOFError, SyntaxError, KeyError, NotImplementedError, MemoryError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(_damage(error)) from error


def _name(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    found = [name for name in _NAMES if name in names]
    if not found:
        raise ValueError(
            f"it has the arrays {', '.join(sorted(names)) or '(none)'}; call the one with the "
            f"pictures {_NAMES[0]}"
        )
    return found[0]


def _damage(error: Exception) -> str:
    reason = str(error)
    if "pickle" in reason or "Python objects" in reason:
        return "it holds Python objects, which are not read: save an array of uint8 or floats"
    return f"it is damaged or truncated ({reason or type(error).__name__})"


def _as_batch(array: np.ndarray) -> np.ndarray:
    """The array as [N, H, W, C], its type as it was."""
    if array.ndim == 2 and array.shape[1] == math.isqrt(array.shape[1]) ** 2:
        side = math.isqrt(array.shape[1])
        return array.reshape(-1, side, side, 1) if side else array[:, :, None, None]
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array
    raise ValueError(
        "pictures are arrays [N, H, W], [N, H, W, 1 or 3] or [N, D] with D a square number, got "
        f"{list(array.shape)}"
    )
