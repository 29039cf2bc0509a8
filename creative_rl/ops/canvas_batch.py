"""Strokes on many canvases at once on a CPU: only the pixels that they touch are computed.

The tiles that strokes touch (some five of sixteen) are listed over the whole batch, and computed in
chunks. Patches of pixels are put in their places by a plain loop: XLA writes a scatter of them
three times as slowly.

`N` canvases of height `H` and width `W` with `C` colour channels, each with a stroke of `P` numbers
(see `ops.raster`); `M` patches.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, UInt8

from creative_rl.ops.curves import (
    Curve,
    Piece,
    breaks_of,
    curve_of,
    even_pieces,
    grid_of,
    near_tiles,
    patch_alpha,
    pieces_of,
)
from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.typing import Array, PyTree

_CHUNK = 256
"""Patches that are painted at once: few enough to stay in the cache."""


def paint_windows(
    window: int, canvases: UInt8[Array, "N H W C"], strokes: Float[Array, "N P"]
) -> UInt8[Array, "N H W C"]:
    """Each canvas after its stroke, of which only a window is computed; see `raster.paint`."""
    num, height, width, _ = canvases.shape
    size = (min(window, height), min(window, width))
    numbers = _settle(strokes.T)

    def see(canvas: Array) -> tuple[PyTree, Array, Curve, list[Piece]]:
        stroke = _settle(numbers[:, canvas])
        (top, left), curve, pieces = seen_from_window(stroke, size, (height, width))
        return (canvas, top, left), stroke[NUM_SHAPE:].T, curve, pieces

    return _paint_in_chunks(canvases, jnp.int32(num), see, size, min(_CHUNK, num))


def paint_tiles(
    canvases: UInt8[Array, "N H W C"], strokes: Float[Array, "N P"]
) -> UInt8[Array, "N H W C"]:
    """Each canvas after its stroke, of which only the tiles that it touches are computed."""
    num, height, width, _ = canvases.shape
    grid = grid_of(height, width)
    numbers = _settle(strokes.T)
    near = near_tiles(curve_of(numbers, height, width), grid)
    is_visible = (numbers[8] != 0) | (numbers[9] != 0)
    near = _settle(jnp.where(is_visible[None], near, -1))
    listed = _list(near)

    def see(index: Array) -> tuple[PyTree, Array, Curve, list[Piece]]:
        canvas, tile = _settle(_find(listed, index, grid.rows * grid.columns))
        top, left = grid.corners(tile)
        stroke, breaks = _settle((numbers[:, canvas], breaks_of(near[tile, canvas])))
        curve = curve_of(stroke, height, width, top, left)
        return (canvas, top, left), stroke[NUM_SHAPE:].T, curve, pieces_of(curve, breaks)

    beyond = (grid.rows * grid.side - height, grid.columns * grid.side - width)
    padded = jnp.pad(canvases, ((0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)))
    chunk = min(_CHUNK, 8 * num)
    painted = _paint_in_chunks(padded, listed.ends[-1], see, (grid.side, grid.side), chunk)
    return painted[:, :height, :width]


def _paint_in_chunks(
    canvases: Array,
    num_patches: Array,
    see: Callable[[Array], tuple[PyTree, Array, Curve, list[Piece]]],
    size: tuple[int, int],
    chunk: int,
) -> Array:
    """Blend strokes into patches of that size, `chunk` of them at once.

    `see` gives for the numbers [M] of patches their places (canvas, row, column), their strokes'
    colours [M, C], and the strokes seen from the patches' corners.
    """

    def paint_chunk(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        start, canvases = carry
        index = jnp.minimum(start + jnp.arange(chunk, dtype=jnp.int32), num_patches - 1)
        places, colours, curve, pieces = _settle(see(index))
        patches = _take(canvases, places, (*size, canvases.shape[3]))
        alpha = patch_alpha(curve, pieces, size)
        patches = blend(patches, alpha, colours[:, None, None, :])
        count = jnp.minimum(chunk, num_patches - start)
        return start + chunk, _put(canvases, patches, places, count)

    return jax.lax.while_loop(
        lambda carry: carry[0] < num_patches, paint_chunk, (jnp.int32(0), canvases)
    )[1]


def _settle(values: PyTree) -> PyTree:
    """The values, computed here and stored.

    XLA on a CPU drops `optimization_barrier`, and computes what is cheap anew wherever it is used,
    for every pixel if need be. What enters a loop is stored, and that this one never runs (no
    number has 33 bits set) is more than XLA knows.
    """
    number = jax.lax.convert_element_type(jax.tree.leaves(values)[0].reshape(-1)[0], jnp.int32)
    never = jax.lax.population_count(number) > 32
    return jax.lax.while_loop(
        lambda carry: carry[0],
        lambda carry: jax.tree.map(lambda value: ~value if value.dtype == bool else -value, carry),
        (never, values),
    )[1]


class _List(NamedTuple):
    """The touched tiles of many canvases, one canvas after the other."""

    bits: Array
    """int32[N]: bit k is set where tile k of a canvas is touched"""
    ends: Array
    """int32[N]: touched tiles up to and with each canvas"""


def _list(near: Array) -> _List:
    bits = sum((tile >= 0).astype(jnp.int32) << k for k, tile in enumerate(jnp.unstack(near)))
    bits = _settle(bits)
    return _List(bits, _settle(jnp.cumsum(jax.lax.population_count(bits))))


def _find(listed: _List, index: Array, num_tiles: int) -> tuple[Array, Array]:
    """Canvas and tile of places in the list, by bisection: to scatter the list costs far more."""
    num = listed.ends.shape[0]
    canvas = jnp.zeros_like(index)
    for step in (1 << k for k in reversed(range(num.bit_length()))):
        further = canvas + step
        fits = (further < num) & (listed.ends[jnp.minimum(further, num) - 1] <= index)
        canvas = jnp.where(fits, further, canvas)
    bits = listed.bits[canvas]
    rank = index - (listed.ends[canvas] - jax.lax.population_count(bits))
    bits, rank = _settle((bits, rank))
    tile, seen = jnp.zeros_like(index), jnp.zeros_like(index)
    for k in range(num_tiles):
        is_set = (bits >> k) & 1
        tile = jnp.where((is_set == 1) & (seen == rank), k, tile)
        seen = seen + is_set
    return canvas, tile


def seen_from_window(
    numbers: Array, size: tuple[int, int], shape: tuple[int, int]
) -> tuple[tuple[Array, Array], Curve, list[Piece]]:
    """Corners (row, column) of the windows around strokes [P, M], and the strokes from there."""
    top = _first_pixel(numbers[1], numbers[3], numbers[5], size[0], shape[0])
    left = _first_pixel(numbers[0], numbers[2], numbers[4], size[1], shape[1])
    curve = curve_of(numbers, *shape, top, left)
    return (top.astype(jnp.int32), left.astype(jnp.int32)), curve, even_pieces(curve)


def _first_pixel(start: Array, control: Array, end: Array, size: int, length: int) -> Array:
    """First pixel of a window around the range that one coordinate of a curve takes."""
    bend = start - 2 * control + end
    t = jnp.clip((start - control) / jnp.where(bend == 0, 1.0, bend), 0.0, 1.0)
    turn = start + t * (2 * (control - start) + t * bend)
    low = jnp.minimum(jnp.minimum(start, end), turn)
    high = jnp.maximum(jnp.maximum(start, end), turn)
    return jnp.clip(jnp.round((low + high) / 2 * length - size / 2), 0, length - size)


def blend(pixels: Array, alpha: Array, colour: Array) -> Array:
    """uint8[..., C] after a stroke with alpha [...]; colour float32[..., C] broadcasts."""
    level = pixels.astype(jnp.float32)
    return (level + (colour * 255.0 - level) * alpha[..., None] + 0.5).astype(jnp.uint8)


def _take(canvases: Array, places: tuple[Array, ...], shape: tuple[int, int, int]) -> Array:
    """Patches [M, *shape] of canvases, from the given (canvas, row, column) on."""

    def one(canvas: Array, top: Array, left: Array) -> Array:
        return jax.lax.dynamic_slice(
            canvases, (canvas, top, left, jnp.zeros_like(top)), (1, *shape)
        )[0]

    return jax.vmap(one)(*places)


def _put(canvases: Array, patches: Array, places: tuple[Array, ...], count: Array | int) -> Array:
    """The first `count` patches in their places, one after the other, each a plain copy."""
    canvas, top, left = places

    def put(k: Array, canvases: Array) -> Array:
        patch = jax.lax.dynamic_slice_in_dim(patches, k, 1)
        place = (canvas[k], top[k], left[k], jnp.zeros_like(top[k]))
        return jax.lax.dynamic_update_slice(canvases, patch, place)

    return jax.lax.fori_loop(0, count, put, canvases)
