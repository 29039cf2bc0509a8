"""The making of a canvas, stroke by stroke, as GIF and MP4."""

import functools
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops import raster
from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.typing import Array
from creative_rl.works import film_file
from creative_rl.works.canvas import Canvas, on_host, painted
from creative_rl.works.pillow import pillow

LEAST_SIDE = 256  # pixels of the longer side of a film
MOST_FRAMES = 120
TICKS_A_SECOND = 25
_LONGEST_FRAME = 8  # ticks, where strokes are few
_SHOWN = 100  # ticks of the making, if frames are neither too many nor too few for it
_HELD = 38  # ticks that the finished picture stays


class Film(NamedTuple):
    """The making of a canvas: from the empty canvas to the last stroke."""

    frames: np.ndarray
    """uint8[F, H, W, C], F at most `MOST_FRAMES`, H and W even"""
    ticks: np.ndarray
    """int[F]: how long each frame is shown, in 1 / `TICKS_A_SECOND` seconds"""


def is_painted(canvas: Canvas) -> bool:
    """Whether there is a making to show: at least one stroke."""
    return len(painted(canvas)) > 0


def film(canvas: Canvas) -> Film:
    """One canvas's making, painted anew at a size of at least `LEAST_SIDE`.

    The canvas is enlarged by the least whole factor that makes its sides even, as films need.

    Raises:
      ValueError: the canvas is a batch, a field is out of range, or it has no strokes.
    """
    canvas = on_host(canvas)
    if not is_painted(canvas):
        raise ValueError(
            "Canvas: a film shows strokes being painted, and this picture has none; "
            "save it as .png or .svg"
        )
    height, width, _ = canvas.pixels.shape
    factor = _factor(height, width)
    each = math.ceil(len(canvas.strokes) / (MOST_FRAMES - 1))
    num_frames = math.ceil(int(canvas.length) / each)
    strokes = canvas.strokes.copy()
    strokes[int(canvas.length) :] = 0.0
    strokes = np.pad(strokes, ((0, -len(strokes) % each), (0, 0)))
    strokes = strokes.reshape(-1, each, strokes.shape[1])
    frames = np.asarray(
        _paint(strokes, np.float32(canvas.background), height * factor, width * factor)
    )
    ticks = np.full(num_frames + 1, min(max(round(_SHOWN / num_frames), 1), _LONGEST_FRAME))
    ticks[-1] = _HELD
    return Film(frames[: num_frames + 1], ticks)


def encode_gif(canvas: Canvas) -> bytes:
    """One canvas's making as the bytes of an animated GIF, which plays over and over.

    Raises:
      ValueError: as `film` does.
      ImportError: Pillow is not installed.
    """
    pillow()
    making = film(canvas)
    return film_file.gif(making.frames, (making.ticks * (1000 // TICKS_A_SECOND)).tolist())


def encode_mp4(canvas: Canvas) -> bytes:
    """One canvas's making as the bytes of an MP4 file (H.264), `TICKS_A_SECOND` frames a second.

    Raises:
      ValueError: as `film` does.
      ImportError: PyAV is not installed.
    """
    making = film(canvas)
    height, width = making.frames.shape[1:3]
    return film_file.mp4(_every_tick(making), height, width, TICKS_A_SECOND)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _paint(strokes: Array, background: Array, height: int, width: int) -> Array:
    """The empty canvas, and the canvas after each group: uint8[G + 1, H, W, C].

    Args:
      strokes: float32[G, K, 10 + C], G groups of K strokes.
      background: level of grey, 0..1.
      height: H.
      width: W.
    """
    level = jnp.round(background * 255.0).astype(jnp.uint8)
    empty = jnp.full((height, width, strokes.shape[2] - NUM_SHAPE), level)

    def paint_group(canvas: Array, group: Array) -> tuple[Array, Array]:
        canvas, _ = jax.lax.scan(
            lambda canvas, stroke: (raster.paint(canvas, stroke), None), canvas, group
        )
        return canvas, canvas

    _, frames = jax.lax.scan(paint_group, empty, strokes)
    return jnp.concatenate([empty[None], frames])


def _factor(height: int, width: int) -> int:
    factor = math.ceil(LEAST_SIDE / max(height, width))
    return factor + 1 if factor % 2 and (height % 2 or width % 2) else factor


def _every_tick(making: Film) -> Iterator[np.ndarray]:
    """Each frame as often as it is shown, as RGB."""
    for frame, ticks in zip(making.frames, making.ticks.tolist(), strict=True):
        pixels = np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3)))
        yield from itertools.repeat(pixels, ticks)
