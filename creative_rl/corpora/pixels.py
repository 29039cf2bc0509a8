"""Arrays of pixels: their levels, their channels and their size."""

import numpy as np

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's mode "L"
_CHUNK = 2**24  # pixels turned into floats at a time


def as_levels(values: np.ndarray) -> np.ndarray:
    """Levels uint8 0..255 of an array of uint8 (taken as it is), bool, or floats in 0..1.

    Raises:
      ValueError: another type, a number that is not finite, or one outside 0..1.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind != "f":
        raise ValueError(f"levels are uint8, bool or floats in 0..1, got {values.dtype}")
    if values.size and not np.isfinite(values).all():
        raise ValueError("levels as floats lie in 0..1, got one that is not finite")
    if values.size and (values.min() < 0 or values.max() > 1):
        raise ValueError(f"levels as floats lie in 0..1, got {values.min():g}..{values.max():g}")
    return np.rint(values * 255).astype(np.uint8)


def as_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Pictures uint8[N, H, W, 1 or 3] as grey (`channels` 1) or RGB (3); grey is the luma."""
    if pictures.shape[-1] == channels:
        return pictures
    if channels == 3:
        return np.repeat(pictures, 3, axis=-1)
    return np.rint(pictures @ np.array(_LUMA, np.float32)).astype(np.uint8)[..., None]


def fit(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pictures uint8[N, h, w, C] of any size as uint8[N, height, width, C].

    The largest part in the middle that has the asked aspect is kept, to fractions of a pixel.
    Shrinking averages areas. Enlarging is bilinear with the corners aligned: the first and the
    last pixel's centres lie on those of the kept part's, so that a stroke at the edge of a small
    picture is not repeated over half a pixel beyond it.
    """
    num, source_height, source_width, channels = pictures.shape
    if (source_height, source_width) == (height, width):
        return pictures
    scale = min(source_height / height, source_width / width)
    rows = _weights(source_height, height, scale)
    columns = _weights(source_width, width, scale)
    fitted = np.empty((num, height, width, channels), np.uint8)
    chunk = max(1, _CHUNK // (source_height * source_width * channels))
    for begin in range(0, num, chunk):
        part = pictures[begin : begin + chunk].astype(np.float32)
        part = rows @ part.reshape(-1, source_height, source_width * channels)
        part = part.reshape(-1, height, source_width, channels).swapaxes(2, 3) @ columns.T
        fitted[begin : begin + chunk] = np.rint(part).swapaxes(2, 3)
    return fitted


def _weights(length: int, size: int, scale: float) -> np.ndarray:
    """What each of `length` pixels in a line gives to each of `size`, float32[size, length].

    Args:
      length: pixels of the source.
      size: pixels of the result, `size * scale <= length`.
      scale: pixels of the source a pixel of the result.
    """
    pixels = np.arange(length)
    if scale < 1:
        reach = max(size * scale - 1, 0) / 2
        centres = (length - 1) / 2 + np.linspace(-reach, reach, size)[:, None]
        weights = np.clip(1 - np.abs(centres - pixels), 0, 1)
    else:
        edges = length / 2 + scale * (np.arange(size + 1) - size / 2)[:, None]
        weights = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
        weights = np.clip(weights, 0, 1)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
