"""Strokes as pixels: anti-aliased quadratic Bezier curves with width and opacity, unbatched.

A stroke is float32[10 + C]: `x0 y0 x1 y1 x2 y2 r0 r2 w0 w2 colour...`: start, control point and end
of the curve (x to the right in widths of the canvas, y down in heights), radii at start and end in
units of the canvas's longer side, opacities at start and end, and C colour channels; points,
opacities and colours in 0 .. 1. Radius and opacity are linear in the curve's parameter t. The pixel
in row i and column j has its centre at x = (j + 0.5) / width, y = (i + 0.5) / height.

A stroke covers the union of the discs around the points of its curve. `H` and `W` are the canvas's
height and width, `S` strokes, `C` colour channels, `P = 10 + C` numbers of a stroke.

Source: the stroke is that of Huang, Heng and Zhou, "Learning to Paint With Model-based Deep
Reinforcement Learning" (ICCV 2019), whose renderer stamps 100 discs along the curve.
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Float, UInt8

from creative_rl.ops import canvas_batch, curves
from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.typing import Array


def coverage(
    stroke: Float[Array, "P"], height: int, width: int
) -> Float[Array, "{height} {width}"]:
    """Alpha of a stroke on every pixel, 0 .. 1: how much of the pixel it covers, times opacity.

    The edge is one pixel wide. Differentiable; gradients are finite everywhere.
    """
    grid = curves.grid_of(height, width)
    num_tiles = grid.rows * grid.columns
    near = curves.near_tiles(
        curves.curve_of(jax.lax.stop_gradient(stroke)[:, None], height, width), grid
    )[:, 0]
    strokes = jnp.broadcast_to(stroke[:, None], (stroke.shape[0], num_tiles))
    corners = grid.corners(jnp.arange(num_tiles, dtype=jnp.int32))
    curve = curves.curve_of(strokes, height, width, *corners)
    pieces = curves.pieces_of(curve, curves.breaks_of(near))
    terms, structure = jax.tree.flatten((curve, pieces, (near >= 0).astype(jnp.float32)))
    pixels = jnp.arange(grid.side, dtype=jnp.float32) + 0.5

    def band(terms: Array) -> Array:
        """A row of tiles, [columns, side, side], from the terms [Q, columns] of their curves."""
        curve, pieces, visible = jax.tree.unflatten(
            structure, [term[:, None, None] for term in terms]
        )
        return curves.alpha_at(curve, pieces, pixels[None, None], pixels[None, :, None]) * visible

    # A loop over one stacked array: XLA on a CPU would compute loose terms anew for every pixel.
    stacked = jnp.stack(terms).reshape(-1, grid.rows, grid.columns)
    tiles = jax.lax.map(band, stacked.swapaxes(0, 1))
    picture = tiles.swapaxes(1, 2).reshape(grid.rows * grid.side, grid.columns * grid.side)
    return picture[:height, :width]


def paint(
    canvas: UInt8[Array, "H W C"], stroke: Float[Array, "P"], window: int | None = None
) -> UInt8[Array, "H W C"]:
    """The canvas after a stroke: `canvas * (1 - alpha) + colour * alpha`, rounded.

    With `window`, only a window x window patch of pixels around the middle of the curve's bounding
    box is computed, and the rest of the canvas stays as it is: the caller sees to it that the
    stroke fits. The curve is then approximated by other pieces, so a few pixels of the edge differ
    by some levels. Not differentiable: see `paint_soft`.
    """
    if window is not None and window >= max(canvas.shape[:2]):
        window = None
    return _painter(window)(canvas, jax.lax.stop_gradient(stroke))


def paint_soft(canvas: Float[Array, "H W C"], stroke: Float[Array, "P"]) -> Float[Array, "H W C"]:
    """As `paint`, for a canvas in 0 .. 1: without rounding, and differentiable."""
    height, width, _ = canvas.shape
    alpha = coverage(stroke, height, width)[..., None]
    return canvas + (stroke[None, None, NUM_SHAPE:] - canvas) * alpha


def render(
    strokes: Float[Array, "S P"], height: int, width: int, background: float
) -> UInt8[Array, "{height} {width} C"]:
    """The picture that strokes make, in their order, on a canvas of the grey level `background`.

    A stroke whose opacities are 0 leaves the canvas as it is.
    """
    level = jnp.round(jnp.float32(background) * 255.0).astype(jnp.uint8)
    canvas = jnp.full((height, width, strokes.shape[1] - NUM_SHAPE), level)
    return jax.lax.scan(lambda canvas, stroke: (paint(canvas, stroke), None), canvas, strokes)[0]


@functools.cache
def _painter(window: int | None) -> Callable[[Array, Array], Array]:
    """Paints one canvas; under `jax.vmap`, any nest of them, a flat batch of canvases.

    Jitted, so that it is traced once for all callers, and compiled once where they are not.
    """
    one = jax.custom_batching.custom_vmap(functools.partial(_paint_one, window))
    many = jax.custom_batching.custom_vmap(functools.partial(_paint_many, window))

    @one.def_vmap
    def _(size: int, is_batched: Sequence[bool], canvas: Array, stroke: Array):
        return many(*_spread(size, is_batched, (canvas, stroke))), True

    @many.def_vmap
    def _(size: int, is_batched: Sequence[bool], canvases: Array, strokes: Array):
        canvases, strokes = _spread(size, is_batched, (canvases, strokes))
        flat = [values.reshape(-1, *values.shape[2:]) for values in (canvases, strokes)]
        return many(*flat).reshape(canvases.shape), True

    return jax.jit(one)


def _spread(size: int, is_batched: Sequence[bool], values: Sequence[Array]) -> list[Array]:
    """All with a leading axis of that size."""
    return [
        value if batched else jnp.broadcast_to(value, (size, *value.shape))
        for value, batched in zip(values, is_batched, strict=True)
    ]


def _paint_one(window: int | None, canvas: Array, stroke: Array) -> Array:
    return _paint_many(window, canvas[None], stroke[None])[0]


def _paint_many(window: int | None, canvases: Array, strokes: Array) -> Array:
    fast: Callable[[Array, Array], Array] = canvas_batch.paint_tiles
    plain = jax.vmap(_paint_whole)
    if window is not None:
        fast = functools.partial(canvas_batch.paint_windows, window)
        plain = jax.vmap(functools.partial(_paint_window, window))
    return jax.lax.platform_dependent(canvases, strokes, cpu=fast, default=plain)


def _paint_whole(canvas: Array, stroke: Array) -> Array:
    alpha = coverage(stroke, *canvas.shape[:2])
    return canvas_batch.blend(canvas, alpha, stroke[None, None, NUM_SHAPE:])


def _paint_window(window: int, canvas: Array, stroke: Array) -> Array:
    height, width, num_channels = canvas.shape
    size = (min(window, height), min(window, width))
    (top, left), curve, pieces = canvas_batch.seen_from_window(
        stroke[:, None], size, (height, width)
    )
    alpha = curves.patch_alpha(curve, pieces, size)[0]
    corner = (top[0], left[0], jnp.zeros_like(top[0]))
    patch = jax.lax.dynamic_slice(canvas, corner, (*size, num_channels))
    patch = canvas_batch.blend(patch, alpha, stroke[None, None, NUM_SHAPE:])
    return jax.lax.dynamic_update_slice(canvas, patch, corner)
