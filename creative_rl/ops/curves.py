"""The geometry of painted curves: which part of one is near a pixel, and how much it covers there.

A canvas falls into square tiles. For each, the part of a curve that comes near it is cut into four
straight pieces; the piece nearest to a pixel gives the curve's parameter t, and the curve itself at
t the distance. Arrays are [M], one entry for each tile or stroke, until they meet pixels; `P`
numbers of a stroke.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.typing import Array

NUM_SAMPLES = 16
"""Steps of the curve by which the parts near a tile are found."""
_TILES_A_SIDE = 4
"""Tiles along the longer side of a canvas; their pixels are rounded up to a multiple of 8."""


class Grid(NamedTuple):
    """Square tiles over a canvas, row by row; the last may reach beyond it."""

    side: int
    rows: int
    columns: int

    def corners(self, tile: Array) -> tuple[Array, Array]:
        """First row and column of pixels in a tile."""
        return tile // self.columns * self.side, tile % self.columns * self.side


def grid_of(height: int, width: int) -> Grid:
    """The grid over a canvas: at most `_TILES_A_SIDE` by `_TILES_A_SIDE` tiles."""
    side = -(-max(height, width) // (8 * _TILES_A_SIDE)) * 8
    return Grid(side, -(-height // side), -(-width // side))


class Curve(NamedTuple):
    """A stroke in pixels: x, y, radius and opacity as polynomials in t, constant term first."""

    x: tuple[Array, Array, Array]
    y: tuple[Array, Array, Array]
    radius: tuple[Array, Array]
    opacity: tuple[Array, Array]

    def at(self, t: Array | float) -> tuple[Array, Array, Array]:
        """x, y and radius at a parameter."""
        x, y = (start + t * (slope + t * bend) for start, slope, bend in (self.x, self.y))
        return x, y, self.radius[0] + t * self.radius[1]


def curve_of(
    stroke: Array, height: int, width: int, top: Array | float = 0.0, left: Array | float = 0.0
) -> Curve:
    """From strokes [P, M], in pixels from the given row and column on."""
    x0, y0, x1, y1, x2, y2, r0, r2, w0, w2 = stroke[:NUM_SHAPE]
    longer = max(height, width)
    return Curve(
        x=(x0 * width - left, 2 * (x1 - x0) * width, (x0 - 2 * x1 + x2) * width),
        y=(y0 * height - top, 2 * (y1 - y0) * height, (y0 - 2 * y1 + y2) * height),
        radius=(r0 * longer, (r2 - r0) * longer),
        opacity=(w0, w2 - w0),
    )


def near_tiles(curve: Curve, grid: Grid) -> Array:
    """What samples of the curve are near each tile: int32[tiles, M], -1 where none is.

    The digits, in base `NUM_SAMPLES + 1`, are the first near one, the last before the first gap
    and the first after it (both 0 without a gap), and the last.
    """
    x, y, radius = curve.x, curve.y, curve.radius
    speed = jnp.sqrt(  # the derivative is linear in t, so longest at an end
        jnp.maximum(x[1] ** 2 + y[1] ** 2, (x[1] + 2 * x[2]) ** 2 + (y[1] + 2 * y[2]) ** 2)
    )
    slack = (speed + jnp.abs(radius[1])) / (2 * NUM_SAMPLES) + 0.5
    samples = [curve.at(k / NUM_SAMPLES) for k in range(NUM_SAMPLES + 1)]
    across = [_outside(x, grid.columns, grid.side)[None] for x, _, _ in samples]
    down = [_outside(y, grid.rows, grid.side)[:, None] for _, y, _ in samples]
    reach = [((radius + slack) ** 2)[None, None] for _, _, radius in samples]
    none = jnp.full((grid.rows, grid.columns, speed.shape[0]), -1, jnp.int32)
    first, last, before, after = none, none, none + 1, none + 1
    for k in range(NUM_SAMPLES + 1):
        near = across[k] + down[k] <= reach[k]
        resumes = near & (last >= 0) & (last < k - 1) & (after == 0)
        before, after = jnp.where(resumes, last, before), jnp.where(resumes, k, after)
        first = jnp.where(near & (first < 0), k, first)
        last = jnp.where(near, k, last)
    base = NUM_SAMPLES + 1
    digits = ((first * base + before) * base + after) * base + last
    return jnp.where(last >= 0, digits, -1).reshape(-1, speed.shape[0])


def _outside(at: Array, number: int, side: int) -> Array:
    """Squared distance, along one axis, of points [M] from the pixels of each tile: [number, M]."""
    middle = (jnp.arange(number, dtype=jnp.float32) + 0.5) * side
    away = jnp.maximum(jnp.abs(at[None, :] - middle[:, None]) - (side - 1) / 2, 0.0)
    return away**2


def breaks_of(near: Array) -> tuple[tuple[Array, Array], ...]:
    """Where four straight pieces start and end, in t, from the digits of `near_tiles`.

    Two are before the gap and two after it; without a gap, they cut what is near in four.
    """
    base = NUM_SAMPLES + 1
    first, before, after, last = (jnp.maximum(near, 0) // base**n % base for n in (3, 2, 1, 0))
    first, before, after, last = (k.astype(jnp.float32) for k in (first, before, after, last))
    low = jnp.maximum((first - 0.5) / NUM_SAMPLES, 0.0)
    high = jnp.minimum((last + 0.5) / NUM_SAMPLES, 1.0)
    end = jnp.where(after > 0, (before + 0.5) / NUM_SAMPLES, (low + high) / 2)
    start = jnp.where(after > 0, (after - 0.5) / NUM_SAMPLES, end)
    quarter, three_quarters = (low + end) / 2, (start + high) / 2
    return (low, quarter), (quarter, end), (start, three_quarters), (three_quarters, high)


class Piece(NamedTuple):
    """A straight piece of a curve, for the power `distance**2 - radius**2` of pixels.

    Along it the power is `power + s * (s - 2 * apex)`, least at `s = apex`, with s from 0 to
    `length`; `apex` and `power` are affine in the pixel's x and y, as (of x, of y, constant).
    `x**2 + y**2` is left out of the power, being the same for all pieces.
    """

    apex: tuple[Array, Array, Array]
    power: tuple[Array, Array, Array]
    length: Array
    start: Array
    """t where s is 0"""
    rate: Array
    """t by s"""


def even_pieces(curve: Curve) -> list[Piece]:
    """Four straight pieces of curves [M], cut at even parameters."""
    cuts = [jnp.full_like(curve.x[0], k / 4) for k in range(5)]
    return pieces_of(curve, tuple(itertools.pairwise(cuts)))


def pieces_of(curve: Curve, breaks: tuple[tuple[Array, Array], ...]) -> list[Piece]:
    """The straight pieces between points of the curve; all arrays are [M]."""
    return [_piece(curve, start, end) for start, end in breaks]


def _piece(curve: Curve, start: Array, end: Array) -> Piece:
    """The discs along a piece, or one: the disc that holds the others, where there is such."""
    ends = curve.at(start), curve.at(end)
    grows = ends[1][2] > ends[0][2]
    dx, dy, dr = (last - first for first, last in zip(*ends, strict=True))
    square = dx * dx + dy * dy - dr * dr
    nested = square < 1e-2  # square pixels
    x, y, r = (jnp.where(nested & grows, last, first) for first, last in zip(*ends, strict=True))
    inverse = jax.lax.rsqrt(jnp.where(nested, 1.0, square))
    scale = jnp.where(nested, 0.0, inverse)
    return Piece(
        apex=(dx * scale, dy * scale, (r * dr - x * dx - y * dy) * scale),
        power=(-2 * x, -2 * y, x * x + y * y - r * r),
        length=jnp.where(nested, 0.0, square * inverse),
        start=jnp.where(nested & grows, end, start),
        rate=(end - start) * scale,
    )


def alpha_at(curve: Curve, pieces: list[Piece], x: Array, y: Array) -> Array:
    """Alpha at pixels; x, y and all in the curve and its pieces are of one rank."""
    least, t = _nearest(pieces[0], x, y)
    for piece in pieces[1:]:
        power, here = _nearest(piece, x, y)
        least, t = jnp.where(power < least, power, least), jnp.where(power < least, here, t)
    away_x, away_y = (
        (pixel - start) - t * (slope + t * bend)
        for pixel, (start, slope, bend) in ((x, curve.x), (y, curve.y))
    )
    # The root has no slope at 0; a hundredth of a pixel keeps the gradient finite.
    distance = jnp.sqrt(away_x * away_x + (away_y * away_y + 1e-4))
    radius = curve.radius[0] + t * curve.radius[1]
    covered = _clip(radius + 0.5 - distance, 0.0, 1.0)
    covered = jnp.where(covered < 2 * radius, covered, 2 * radius)  # thinner than a pixel
    return covered * (curve.opacity[0] + t * curve.opacity[1])


def patch_alpha(curve: Curve, pieces: list[Piece], size: tuple[int, int]) -> Array:
    """Alpha of M strokes in patches from their origins on: float32[M, *size]."""
    curve, pieces = jax.tree.map(lambda x: x[:, None, None], (curve, pieces))
    down, across = (jnp.arange(length, dtype=jnp.float32) + 0.5 for length in size)
    return alpha_at(curve, pieces, across[None, None, :], down[None, :, None])


def _nearest(piece: Piece, x: Array, y: Array) -> tuple[Array, Array]:
    """The least power along a piece, and t there."""
    apex = _affine(piece.apex, x, y)
    s = _clip(apex, 0.0, piece.length)
    return _affine(piece.power, x, y) + s * (s - 2 * apex), piece.start + s * piece.rate


def _affine(terms: tuple[Array, Array, Array], x: Array, y: Array) -> Array:
    return terms[0] * x + (terms[1] * y + terms[2])


def _clip(value: Array, low: Array | float, high: Array | float) -> Array:
    """As `jnp.clip`, but for NaN, whose handling costs as much again."""
    value = jnp.where(value > low, value, low)
    return jnp.where(value < high, value, high)
