"""All strokes of a painting improved together, by the gradient of the picture's error.

Strokes and canvases are those of `ops.raster`: `H` and `W` the picture's height and width, `C`
colour channels, `S` strokes, `P = 10 + C` numbers of a stroke.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Float

from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.ops.stroke_window import patch_coverage
from creative_rl.typing import Array

_RATES = (4e-3,) * 6 + (2e-3,) * 2 + (2e-2,) * 2
"""What Adam moves the ten numbers of a shape by at first, a step."""
_COLOUR_RATE = 1e-2
_LEAST_RADIUS = 0.4  # pixels
_GROUP = 256  # strokes whose canvases are kept for the gradient; beyond, one a group
_SHARES = (8, 3, 1)  # sides of windows that strokes are painted in: the picture's by these


class Refinement(NamedTuple):
    """Strokes on the way, and the best so far."""

    strokes: Array  # float32[S, P]
    opt_state: optax.OptState
    best: Array  # float32[S, P]
    best_error: Array  # float32


def picture(strokes: Float[Array, "S P"], canvas: Float[Array, "H W C"]) -> Float[Array, "H W C"]:
    """The canvas, in 0 .. 1, after all strokes in their order, without rounding; differentiable.

    Equal to `raster.paint_soft` by each, but only a window around a stroke is computed, and the
    gradient keeps the canvases of at most 256 strokes at a time.
    """
    num_groups = -(-len(strokes) // _GROUP)
    if num_groups <= 1:
        return _after(canvas, strokes)
    more = num_groups * _GROUP - len(strokes)  # with opacity 0, which change nothing
    groups = jnp.pad(strokes, ((0, more), (0, 0))).reshape(num_groups, _GROUP, -1)
    after = jax.checkpoint(_after)
    return jax.lax.scan(lambda canvas, group: (after(canvas, group), None), canvas, groups)[0]


def error(
    strokes: Float[Array, "S P"], target: Float[Array, "H W C"], background: Float[Array, ""]
) -> Float[Array, ""]:
    """Mean squared difference of the strokes' picture to the target, both in 0 .. 1."""
    canvas = jnp.broadcast_to(background, target.shape)
    return jnp.square(picture(strokes, canvas) - target).mean()


def start(strokes: Float[Array, "S P"]) -> Refinement:
    """Strokes that nothing was done to yet."""
    return Refinement(strokes, optax.scale_by_adam().init(strokes), strokes, jnp.float32(jnp.inf))


def refine(
    state: Refinement,
    target: Float[Array, "H W C"],
    background: Float[Array, ""],
    rate: Float[Array, ""],
) -> tuple[Refinement, Float[Array, ""]]:
    """One step of Adam on every number of every stroke, cut to its range after it.

    Args:
      state: from `start` or from the step before.
      target: in 0 .. 1.
      background: grey level of the empty canvas.
      rate: factor of the built-in rates, 1 at first and towards 0 at the end.

    Returns:
      The state, and the error before the step.
    """
    value, slope = jax.value_and_grad(error)(state.strokes, target, background)
    update, opt_state = optax.scale_by_adam().update(slope, state.opt_state)
    num_channels = target.shape[2]
    rates = rate * jnp.array([*_RATES, *(_COLOUR_RATE,) * num_channels], jnp.float32)
    low = jnp.zeros(NUM_SHAPE + num_channels, jnp.float32)
    low = low.at[6:8].set(_LEAST_RADIUS / max(target.shape[:2]))
    strokes = jnp.clip(state.strokes - rates[None, :] * update, low[None, :], 1.0)
    is_best = value < state.best_error
    best = jnp.where(is_best, state.strokes, state.best)
    return Refinement(strokes, opt_state, best, jnp.minimum(value, state.best_error)), value


def _after(canvas: Array, strokes: Array) -> Array:
    return jax.lax.scan(lambda canvas, stroke: (_paint(canvas, stroke), None), canvas, strokes)[0]


@jax.custom_vjp
def _paint(canvas: Array, stroke: Array) -> Array:
    """`raster.paint_soft` in the smallest of a few windows that holds the stroke."""
    shape = _shape(canvas)
    sizes = _sizes(shape)
    corner, choice = _place(stroke, sizes, shape)
    branches = [functools.partial(_paint_in, size) for size in sizes]
    return jax.lax.switch(choice, branches, canvas, stroke, corner)


def _paint_forward(canvas: Array, stroke: Array) -> tuple[Array, tuple[Array, Array]]:
    return _paint(canvas, stroke), (canvas, stroke)


def _paint_backward(kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    # Written out because the derivative of a `switch` fills what its other branches would have kept
    # with zeros, which costs more than the window saves.
    canvas, stroke = kept
    shape = _shape(canvas)
    sizes = _sizes(shape)
    corner, choice = _place(stroke, sizes, shape)
    branches = [functools.partial(_slope_in, size) for size in sizes]
    return jax.lax.switch(choice, branches, canvas, stroke, corner, slope)


_paint.defvjp(_paint_forward, _paint_backward)


def _paint_in(size: tuple[int, int], canvas: Array, stroke: Array, corner: Array) -> Array:
    patch = _blend(_shape(canvas), _cut(canvas, corner, size), stroke, corner)
    return jax.lax.dynamic_update_slice(canvas, patch, (corner[0], corner[1], 0))


def _slope_in(
    size: tuple[int, int], canvas: Array, stroke: Array, corner: Array, slope: Array
) -> tuple[Array, Array]:
    paint = functools.partial(_blend, _shape(canvas), corner=corner)
    _, pull = jax.vjp(paint, _cut(canvas, corner, size), stroke)
    patch, of_stroke = pull(_cut(slope, corner, size))
    return jax.lax.dynamic_update_slice(slope, patch, (corner[0], corner[1], 0)), of_stroke


def _blend(shape: tuple[int, int], patch: Array, stroke: Array, corner: Array) -> Array:
    """A patch of a canvas of that shape, whose first row and column are `corner`, painted over."""
    top, left = corner.astype(jnp.float32)
    alpha = patch_coverage(stroke[None], shape, _shape(patch), top, left)[0]
    return patch + (stroke[None, None, NUM_SHAPE:] - patch) * alpha[..., None]


def _cut(canvas: Array, corner: Array, size: tuple[int, int]) -> Array:
    return jax.lax.dynamic_slice(canvas, (corner[0], corner[1], 0), (*size, canvas.shape[2]))


def _shape(canvas: Array) -> tuple[int, int]:
    """Height and width."""
    return canvas.shape[0], canvas.shape[1]


def _sizes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Heights and widths of windows, from the smallest to the whole canvas."""
    return [(-(-shape[0] // share), -(-shape[1] // share)) for share in _SHARES]


def _place(
    stroke: Array, sizes: list[tuple[int, int]], shape: tuple[int, int]
) -> tuple[Array, Array]:
    """First row and column of the stroke's window, and which of the sizes it has."""
    length = jnp.array(shape, jnp.float32)
    points = stroke[:6].reshape(3, 2)[:, ::-1] * length[None, :]
    reach = jnp.maximum(stroke[6], stroke[7]) * max(shape) + 1.0  # with the soft edge
    low = jnp.clip(jnp.floor(points.min(axis=0) - reach), 0.0, length)
    high = jnp.clip(jnp.ceil(points.max(axis=0) + reach), 0.0, length)
    options = jnp.array(sizes, jnp.float32)
    is_held = ((high - low)[None, :] <= options).all(axis=1)
    choice = jnp.argmax(is_held)
    corner = jnp.minimum(low, length - options[choice]).astype(jnp.int32)
    return corner, choice
