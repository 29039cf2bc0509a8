"""A few moments of moving picture, pixel by pixel, as a work: what it is, and its check."""

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array
from creative_rl.works.batches import check_single

SIDES = (4, 2048)  # pixels, least and most
_RATES = (1, 60)


class Clip(flax.struct.PyTreeNode):
    """The pixels of every frame. A batch of clips has leading axes on every array."""

    frames: Array | np.ndarray
    """uint8[T, H, W, 3]: red, green, blue; T is at least 1"""
    length: Array | np.ndarray
    """int32: frames that there are; the others are black and mean nothing"""
    rate: int = flax.struct.field(pytree_node=False, default=12)
    """frames a second"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the moving picture; the first eight of a batch."""
        from creative_rl.works.clip_film import encode_gif
        from creative_rl.works.film_card import film_html

        return film_html(self, summary, has_frames, encode_gif, width=192)


def on_host(clip: Clip) -> Clip:
    """One clip with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, a type or shape is wrong, or a number is out of range.
    """
    frames, length = (np.asarray(leaf) for leaf in jax.device_get((clip.frames, clip.length)))
    check_single("Clip", "frames", frames, 4, length)
    if frames.dtype != np.uint8 or not np.issubdtype(length.dtype, np.integer):
        raise ValueError(
            f"Clip: frames must be uint8 and length an integer, got {frames.dtype} and "
            f"{length.dtype}"
        )
    num, *sides, channels = frames.shape
    low, high = SIDES
    if channels != 3 or num < 1 or not all(low <= side <= high for side in sides):
        raise ValueError(
            f"Clip: frames must be [T, H, W, 3] with T at least 1 and H and W in {low}..{high}, "
            f"got the shape {frames.shape}"
        )
    if not 0 <= length <= num:
        raise ValueError(f"Clip: length must be in 0..{num}, got {length}")
    low, high = _RATES
    if (
        isinstance(clip.rate, bool)
        or not isinstance(clip.rate, int)
        or not (low <= clip.rate <= high)
    ):
        raise ValueError(
            f"Clip: rate must be whole frames a second in {low}..{high}, got {clip.rate!r}"
        )
    return clip.replace(frames=frames, length=length)


def has_frames(clip: Clip) -> bool:
    """Whether there is anything to see."""
    return int(on_host(clip).length) > 0


def summary(clip: Clip) -> str:
    """One line: how long it is, and how large.

    Example:
      >>> print(summary(Clip(np.zeros((16, 64, 48, 3), np.uint8), np.int32(16), rate=8)))
      16 frames of 48 x 64 pixels, 2.0 s
    """
    one = on_host(clip)
    num = int(one.length)
    height, width = one.frames.shape[1:3]
    frames = f"{num} frame" if num == 1 else f"{num} frames"
    return f"{frames} of {width} x {height} pixels, {num / one.rate:.1f} s"
