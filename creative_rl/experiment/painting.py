"""A picture painted after another: strokes one by one, then all of them refined together.

Errors are mean squared differences over pixels and channels, levels in 0..1. `H`, `W` and `C` are
the picture's height, width and channels; `P = 10 + C` numbers of a stroke (see `works.Canvas`).
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora import pixels
from creative_rl.experiment.interruption import Interruption
from creative_rl.experiment.paint_settings import PaintSettings
from creative_rl.experiment.progress import Progress
from creative_rl.ops import raster, stroke_refinement, stroke_search
from creative_rl.typing import Array, Key
from creative_rl.works import Canvas

REFINED_SIDE = 256
"""Pixels of the longer side at which strokes are refined, at most."""
NUM_REFINEMENTS = 80
_WARM_UP = 4  # refinements whose steps grow to their full size
_LARGEST, _SMALLEST = 0.25, 0.06  # bounds of the radius at first and at last, of the longer side
_PATIENCE = 5  # searches in a row that find nothing
_LEAST_GAIN = 1 / 255**2  # in the sum of squares: one pixel nearer by one level
_EFFORT = stroke_search.Effort()


class Painting(NamedTuple):
    """What was painted, and how near the picture it came."""

    canvas: Canvas
    """on the host"""
    errors: list[float]
    """of the empty canvas, and after each stroke as it was painted at first"""
    refinement_errors: list[float]
    """before each step of refining, at the size at which it is done; empty without"""
    error: float
    """of the canvas"""
    signal: int | None
    """that came and stopped the painting early; None if it is as it was to be"""


Painter = Callable[[np.ndarray, int, float, Key], Iterator[np.ndarray]]
"""`(picture uint8[H, W, C], num_strokes, background, key)`: strokes float32[n, P] as they come."""


def search(
    picture: np.ndarray, num_strokes: int, background: float, key: Key
) -> Iterator[np.ndarray]:
    """The painter that looks for each stroke among thousands, large ones first.

    It ends early where it finds none that brings the canvas nearer.
    """
    target = jnp.asarray(picture, jnp.float32) / 255.0
    targets = stroke_search.pyramid(target)
    canvas = jnp.full(target.shape, background, jnp.float32)
    num_found = num_missed = 0
    for number in itertools.count():
        share = num_found / max(num_strokes - 1, 1)
        largest = jnp.float32(_LARGEST * (_SMALLEST / _LARGEST) ** share)
        after, stroke, gain = _next_stroke(
            jax.random.fold_in(key, number), targets, canvas, largest
        )
        # The first is kept whatever it is: a painting has a stroke.
        if gain > _LEAST_GAIN or num_found == 0:
            canvas, num_missed = after, 0
            num_found += 1
            yield np.asarray(stroke)[None]
        else:
            num_missed += 1
        if num_found == num_strokes or num_missed == _PATIENCE:
            return


def paint(
    picture: np.ndarray,
    settings: PaintSettings | None = None,
    *,
    painter: Painter = search,
    progress: bool = False,
) -> Painting:
    """Paint after a picture, at its own size.

    The same picture, settings and painter give the same painting. The first SIGINT or SIGTERM ends
    the painting where it is; a second one raises KeyboardInterrupt.

    Args:
      picture: uint8[H, W, C].
      settings: None for the defaults; `size` is not looked at.
      painter: where the strokes come from.
      progress: show how far it is.
    """
    settings = settings or PaintSettings()
    level = picture.mean() / 255.0 if settings.background is None else settings.background
    background = round(float(level) * 255) / 255  # as the canvas has it
    with Interruption() as interruption:
        strokes = _painted(painter, picture, settings, background, progress, interruption)
        pixels_now, errors = _made(strokes, picture, background)
        refinement_errors: list[float] = []
        if settings.refine and interruption.signal is None:
            refined, refinement_errors = _refined(
                strokes, picture, background, progress, interruption
            )
            pixels_then, errors_then = _made(refined, picture, background)
            if errors_then[-1] < errors[-1]:
                strokes, pixels_now = refined, pixels_then
        length = np.array(len(strokes), np.int32)
        canvas = Canvas(pixels_now, strokes, length, background=background)
        left = float(np.square((pixels_now.astype(np.float32) - picture) / 255.0).mean())
        return Painting(canvas, errors, refinement_errors, left, interruption.signal)


def _painted(
    painter: Painter,
    picture: np.ndarray,
    settings: PaintSettings,
    background: float,
    progress: bool,
    interruption: Interruption,
) -> np.ndarray:
    """The painter's strokes, float32[S, P], S at least 1."""
    found: list[np.ndarray] = []
    with contextlib.ExitStack() as stack:
        shown = Progress(settings.num_strokes, 0, 1, progress, unit="strokes", title="stroke")
        stack.callback(shown.close)
        key = jax.random.key(settings.seed)
        for strokes in painter(picture, settings.num_strokes, background, key):
            found.extend(strokes)
            shown.update(len(found), {})
            if interruption.signal is not None:
                break
    return np.stack(found)


def _refined(
    strokes: np.ndarray,
    picture: np.ndarray,
    background: float,
    progress: bool,
    interruption: Interruption,
) -> tuple[np.ndarray, list[float]]:
    """The strokes with the least error on the way, and the errors."""
    height, width = within(picture.shape[0], picture.shape[1], REFINED_SIDE)
    target = jnp.asarray(pixels.fit(picture[None], height, width)[0], jnp.float32) / 255.0
    state = stroke_refinement.start(jnp.asarray(strokes))
    errors: list[float] = []
    with contextlib.ExitStack() as stack:
        shown = Progress(NUM_REFINEMENTS, 0, 1, progress, unit="refinements", title="refinement")
        stack.callback(shown.close)
        for number in range(NUM_REFINEMENTS):
            rate = min(1.0, (number + 1) / _WARM_UP)
            rate *= 0.5 + 0.5 * math.cos(math.pi * number / NUM_REFINEMENTS)
            state, error = _refine(state, target, jnp.float32(background), jnp.float32(rate))
            errors.append(float(error))
            shown.update(number + 1, {"error": errors[-1]})
            if interruption.signal is not None:
                break
    return np.asarray(state.best), errors


def _made(
    strokes: np.ndarray, picture: np.ndarray, background: float
) -> tuple[np.ndarray, list[float]]:
    """The strokes' pixels, and the errors of the empty canvas and after each stroke."""
    canvas, errors = _render(jnp.asarray(strokes), jnp.asarray(picture), jnp.float32(background))
    return np.asarray(canvas), np.asarray(errors, float).tolist()


_refine = jax.jit(stroke_refinement.refine)


def within(height: int, width: int, longest: int) -> tuple[int, int]:
    """Height and width with the longer side cut to `longest`, in proportion, at least 1."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


@jax.jit
def _next_stroke(
    key: Key, targets: Array, canvas: Array, largest: Array
) -> tuple[Array, Array, Array]:
    """The canvas after the stroke found, the stroke, and what it takes off the squared error."""
    stroke, gain = stroke_search.best_stroke(key, targets, canvas, largest, _EFFORT)
    return stroke_refinement.picture(stroke[None], canvas), stroke, gain


@jax.jit
def _render(strokes: Array, picture: Array, background: Array) -> tuple[Array, Array]:
    """`raster.render`, with the error to the picture before the first and after each stroke."""
    level = jnp.round(background * 255.0).astype(jnp.uint8)
    canvas = jnp.broadcast_to(level, picture.shape)
    target = picture.astype(jnp.float32)

    def error(canvas: Array) -> Array:
        return jnp.square((canvas.astype(jnp.float32) - target) / 255.0).mean()

    def advance(canvas: Array, stroke: Array) -> tuple[Array, Array]:
        canvas = raster.paint(canvas, stroke)
        return canvas, error(canvas)

    after, errors = jax.lax.scan(advance, canvas, strokes)
    return after, jnp.concatenate([error(canvas)[None], errors])
