"""A picture, and the strokes that it was painted with, as a work: what it is, and its check."""

import flax.struct
import jax
import numpy as np

from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.typing import Array

LARGEST_SIZE = 4096  # pixels a side
_SLACK = 1e-4  # what rounding may take a number out of its range


class Canvas(flax.struct.PyTreeNode):
    """Pixels, and what was painted on the way to them.

    A stroke is `x0 y0 x1 y1 x2 y2 r0 r2 w0 w2 colour...`: a quadratic Bezier curve from (x0, y0)
    to (x2, y2) with the control point (x1, y1), x to the right in widths and y down in heights of
    the canvas; a round brush along it whose radius, in units of the longer side, goes from r0 to
    r2, and whose opacity from w0 to w2, evenly in the curve's parameter; and C levels of colour.
    All are in 0..1.

    A batch of canvases has leading axes on every array.
    """

    pixels: Array | np.ndarray
    """uint8[H, W, C]: C is 1 (grey) or 3 (red, green, blue)"""
    strokes: Array | np.ndarray
    """float32[S, 10 + C]; rows from `length` on are 0 and mean nothing. S is 0 for a picture that
    was not made of strokes"""
    length: Array | np.ndarray
    """int32: strokes so far"""
    target: Array | np.ndarray | None = None
    """uint8[H, W, C]: the picture that it was to become, where there was one"""
    background: float = flax.struct.field(pytree_node=False, default=0.0)
    """level of grey of the empty canvas, 0 (black) to 1 (white)"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the picture, enlarged; the first eight of a batch."""
        from creative_rl.works.canvas_card import canvas_html

        return canvas_html(self)


def on_host(canvas: Canvas) -> Canvas:
    """One canvas with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, a type or shape is wrong, or a number is out of range.
    """
    pixels, strokes, length = (
        np.asarray(leaf) for leaf in jax.device_get((canvas.pixels, canvas.strokes, canvas.length))
    )
    if pixels.ndim != 3 or strokes.ndim != 2 or length.ndim != 0:
        batch = "this is a batch" if pixels.ndim > 3 or length.ndim else "this is no canvas"
        raise ValueError(
            f"Canvas: {batch} (pixels, strokes and length of the shapes {pixels.shape}, "
            f"{strokes.shape} and {length.shape}, of one canvas [H, W, C], [S, 10 + C] and []); "
            "split a batch with works.unbatch first"
        )
    _check_pixels(pixels)
    _check_strokes(strokes, length, num_channels=pixels.shape[2])
    target = None if canvas.target is None else np.asarray(jax.device_get(canvas.target))
    if target is not None and (target.shape, target.dtype) != (pixels.shape, pixels.dtype):
        raise ValueError(
            f"Canvas: target must be like pixels, uint8{list(pixels.shape)}, got "
            f"{target.dtype}{list(target.shape)}"
        )
    level = canvas.background
    if isinstance(level, bool) or not isinstance(level, float | int) or not 0 <= level <= 1:
        raise ValueError(f"Canvas: background must be a number in 0..1, got {level!r}")
    return canvas.replace(pixels=pixels, strokes=strokes, length=length, target=target)


def painted(canvas: Canvas) -> np.ndarray:
    """The strokes that were painted, float32[length, 10 + C], in their order."""
    canvas = on_host(canvas)
    return np.asarray(canvas.strokes)[: int(canvas.length)]


def target_of(canvas: Canvas) -> Canvas | None:
    """The target as a canvas of its own, or None."""
    canvas = on_host(canvas)
    if canvas.target is None:
        return None
    return canvas.replace(
        pixels=canvas.target, strokes=canvas.strokes[:0], length=np.int32(0), target=None
    )


def summary(canvas: Canvas) -> str:
    """One line: how large the picture is, and of how many strokes.

    Example:
      >>> grey = np.zeros((8, 12, 1), np.uint8)
      >>> print(summary(Canvas(grey, np.zeros((5, 11), np.float32), np.int32(1))))
      12 x 8 pixels, 1 stroke
    """
    canvas = on_host(canvas)
    height, width, _ = canvas.pixels.shape
    size = f"{width} x {height} pixels"
    if len(canvas.strokes) == 0:
        return size
    num = int(canvas.length)
    return f"{size}, {num} stroke" if num == 1 else f"{size}, {num} strokes"


def _check_pixels(pixels: np.ndarray) -> None:
    if pixels.dtype != np.uint8:
        raise ValueError(f"Canvas: pixels must be uint8, got {pixels.dtype}")
    height, width, channels = pixels.shape
    if channels not in (1, 3) or not 1 <= min(height, width) <= max(height, width) <= LARGEST_SIZE:
        raise ValueError(
            f"Canvas: pixels must be [H, W, C] with H and W in 1..{LARGEST_SIZE} and C 1 or 3, "
            f"got the shape {pixels.shape}"
        )


def _check_strokes(strokes: np.ndarray, length: np.ndarray, num_channels: int) -> None:
    if strokes.dtype != np.float32 or not np.issubdtype(length.dtype, np.integer):
        raise ValueError(
            "Canvas: strokes must be float32 and length an integer, got "
            f"{strokes.dtype} and {length.dtype}"
        )
    if strokes.shape[1] != NUM_SHAPE + num_channels:
        raise ValueError(
            f"Canvas: a stroke on {num_channels} channel(s) has {NUM_SHAPE + num_channels} "
            f"numbers, got strokes of the shape {strokes.shape}"
        )
    if not 0 <= length <= len(strokes):
        raise ValueError(f"Canvas: length must be in 0..{len(strokes)}, got {length}")
    inside = np.abs(strokes[: int(length)] - 0.5) <= 0.5 + _SLACK  # which NaN is not
    if not inside.all():
        number, place = np.argwhere(~inside)[0]
        raise ValueError(
            f"Canvas: numbers of a stroke are in 0..1, but number {place} of stroke {number} is "
            f"{strokes[number, place]}"
        )
