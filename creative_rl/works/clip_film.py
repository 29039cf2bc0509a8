"""A clip as pictures: GIF and MP4, enlarged so that they are seen, and a sheet of frames as PNG."""

import math

import numpy as np

from creative_rl.works import film_file, film_sheet
from creative_rl.works.clip import Clip, on_host
from creative_rl.works.pillow import pillow

LEAST_SIDE = 192  # pixels of the longer side of a film
_NUM_SAMPLED = 16  # frames that a palette is made from


def encode_gif(clip: Clip) -> bytes:
    """One clip as the bytes of an animated GIF, which plays over and over.

    Raises:
      ValueError: the clip is a batch, a field is out of range, or it has no frame yet.
      ImportError: Pillow is not installed.
    """
    pillow()
    shown = _enlarged(_shown(clip))
    return film_file.gif(shown, film_file.milliseconds(len(shown), clip.rate), _NUM_SAMPLED)


def encode_mp4(clip: Clip) -> bytes:
    """One clip as the bytes of an MP4 file (H.264).

    Raises:
      ValueError: as `encode_gif` does.
      ImportError: PyAV is not installed.
    """
    shown = _enlarged(_shown(clip))
    height, width = shown.shape[1:3]
    return film_file.mp4(shown, height, width, clip.rate)


def encode_png(clip: Clip) -> bytes:
    """Up to twelve frames, spread evenly from the first to the last, with their numbers.

    Raises:
      ValueError: as `encode_gif` does.
      ImportError: Pillow is not installed.
    """
    return film_sheet.encode(_shown(clip))


def _shown(clip: Clip) -> np.ndarray:
    """uint8[length, H, W, 3]"""
    one = on_host(clip)
    if not int(one.length):
        raise ValueError("Clip: it has no frame yet; take a step, or save it as .json")
    return np.asarray(one.frames)[: int(one.length)]


def _enlarged(frames: np.ndarray) -> np.ndarray:
    """Each pixel a square, so that both sides are even and the longer is long enough."""
    factor = math.ceil(LEAST_SIDE / max(frames.shape[1:3]))
    if any(side % 2 for side in frames.shape[1:3]) and factor % 2:
        factor += 1
    return np.ascontiguousarray(frames.repeat(factor, axis=1).repeat(factor, axis=2))
