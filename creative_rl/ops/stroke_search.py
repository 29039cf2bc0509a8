"""The next stroke of a painting, by search: many random ones, the best of them improved.

A stroke (see `ops.raster`) is looked for in windows of `SIDE` x `SIDE` pixels on several levels of
detail: on level l a pixel is the mean of 2**l x 2**l of the picture's, so that a large stroke costs
no more than a small one. Windows lie where the error is. What a stroke is worth, and the colour
that makes it worth most, are exact for the pixels of its level (`fit`).

`H` and `W` are the picture's height and width, `C` colour channels, `L` levels, `M` strokes of one
window; a *shape* is the first ten numbers of a stroke, in units of its window.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.ops.pens import NUM_SHAPE
from creative_rl.ops.stroke_window import patch_coverage
from creative_rl.typing import Array, Key

SIDE = 32
"""Pixels on a side of a window."""
LARGEST = 0.25
"""Largest radius in units of a window."""
_LEAST = 0.7 / SIDE  # radius
_FAINTEST = 0.3  # opacity
_FIRST_SPREAD, _LAST_SPREAD = 0.1, 0.01  # of a mutant, in units of a window


class Effort(NamedTuple):
    """How hard to look for a stroke. The defaults try 480 in each window."""

    num_windows: int = 8
    """on each level, each with a stroke of its own that is improved"""
    num_tried: int = 32
    """strokes tried in each window in a round; the best replaces the window's, if it is better"""
    num_random: int = 3
    """rounds of random strokes"""
    num_rounds: int = 12
    """rounds after them, of neighbours of the window's stroke"""


class Window(NamedTuple):
    """A part of the picture on one level."""

    level: Array  # int32
    top: Array  # int32: its first row, in pixels of the level
    left: Array  # int32
    target: Array  # float32[SIDE, SIDE, C]
    canvas: Array  # float32[SIDE, SIDE, C]
    inside: Array  # float32[SIDE, SIDE]: 1 in the picture, 0 beyond its border


def num_levels(height: int, width: int) -> int:
    """Levels of detail, such that one window holds the whole picture on the last."""
    return 1 + max(0, math.ceil(math.log2(max(height, width) / SIDE)))


def pyramid(picture: Float[Array, "H W C"]) -> Float[Array, "L h w C"]:
    """Every level of a picture, each in the upper left corner of one size.

    What goes beyond a border repeats it.
    """
    height, width, _ = picture.shape
    count = num_levels(height, width)
    levels = [_padded(picture, count)]
    for _ in range(count - 1):
        levels.append(_halved(levels[-1]))
    height, width, _ = levels[0].shape
    return jnp.stack([
        jnp.pad(level, ((0, height - level.shape[0]), (0, width - level.shape[1]), (0, 0)))
        for level in levels
    ])  # fmt: skip


def fit(
    shapes: Float[Array, "M 10"], window: Window
) -> tuple[Float[Array, "M"], Float[Array, "M C"]]:
    """What strokes of these shapes take off the squared error, and the colour that takes off most.

    With `a` the stroke's alpha, `c` the canvas and `t` the target, painting leaves
    `(q - a * colour)**2` with `q = t - c + a * c`: least squares for the colour, cut to 0 .. 1.

    Returns:
      The decrease of the sum of squares over pixels and channels of the picture; below 0 where even
      the best colour does harm. The colours.
    """
    alpha = patch_coverage(shapes, (SIDE, SIDE), (SIDE, SIDE))
    square = alpha * alpha

    # Sums and no matrix product: XLA's CPU code for `alpha` as one is ten times slower.
    def over_window(values: Array, factor: Array) -> Array:
        return (values * (factor * window.inside)[None]).sum(axis=(1, 2))

    mass = over_window(square, jnp.ones_like(window.inside))
    gain, colours = jnp.zeros(len(shapes), jnp.float32), []
    for canvas, target in zip(_channels(window.canvas), _channels(window.target), strict=True):
        left = target - canvas
        pull = over_window(alpha, left) + over_window(square, canvas)
        kept = over_window(alpha, 2.0 * left * canvas) + over_window(square, canvas * canvas)
        colour = jnp.clip(pull / jnp.maximum(mass, 1e-6), 0.0, 1.0)
        gain += 2.0 * colour * pull - colour * colour * mass - kept
        colours.append(colour)
    area = 4.0 ** window.level.astype(jnp.float32)  # pixels of the picture in one of the level
    return gain * area, jnp.stack(colours, axis=1)


def best_stroke(
    key: Key,
    targets: Float[Array, "L h w C"],
    canvas: Float[Array, "H W C"],
    largest: Float[Array, ""],
    effort: Effort,
) -> tuple[Float[Array, "P"], Float[Array, ""]]:
    """The stroke that was found to bring the canvas nearest to the target.

    Args:
      key: consumed.
      targets: `pyramid` of the target, which has the canvas's size.
      canvas: what was painted so far, in 0 .. 1.
      largest: radius that no stroke exceeds by more than a pixel, in units of the longer side.
      effort: how hard to look.

    Returns:
      The stroke, P = 10 + C; and what it takes off the sum of squared errors, as its level sees it.
    """
    size = (canvas.shape[0], canvas.shape[1])
    key_windows, key_rounds = jax.random.split(key)
    windows = _windows(key_windows, targets, pyramid(canvas), size, largest, effort.num_windows)
    limits = jax.vmap(lambda window: _limits(window, size, largest))(windows)
    found = _search(key_rounds, windows, limits, effort)
    best = found.gain.argmax()
    found, window = jax.tree.map(lambda leaf: leaf[best], (found, windows))
    return jnp.concatenate([_on_canvas(found.shape, window, size), found.colour]), found.gain


class _Limits(NamedTuple):
    """What shapes may be in a window; centres keep their radius away from its inner borders."""

    low: Array  # float32[2]: 1 where discs must stay inside, x and y
    high: Array  # float32[2]
    end: Array  # float32[2]: where the picture ends, in units of the window, at most 1
    largest: Array  # float32: radius


def _limits(window: Window, size: tuple[int, int], largest: Array) -> _Limits:
    extent = _extent(window.level, size)
    corner = jnp.stack([window.left, window.top]).astype(jnp.float32)
    end = (extent - corner) / SIDE
    unit = SIDE * 2.0 ** window.level.astype(jnp.float32)
    return _Limits(
        low=(corner > 0).astype(jnp.float32),
        high=(end > 1).astype(jnp.float32),
        end=jnp.minimum(end, 1.0),
        largest=jnp.clip(largest * max(size) / unit, _LEAST, LARGEST),
    )


def _extent(level: Array, size: tuple[int, int]) -> Array:
    """Width and height of the picture in a level's pixels, fractions kept."""
    return jnp.array([size[1], size[0]], jnp.float32) / 2.0 ** level.astype(jnp.float32)


def _windows(
    key: Key, targets: Array, canvases: Array, size: tuple[int, int], largest: Array, num: int
) -> Window:
    """Windows around pixels drawn in proportion to the error, on each level that is fine enough."""
    count, height, width, num_channels = targets.shape
    # A level whose pixels are larger than half of the largest radius shows too little of a stroke.
    coarsest = jnp.floor(jnp.log2(jnp.maximum(largest * max(size) / 2.0, 1.0))).astype(jnp.int32)
    levels = jnp.minimum(jnp.arange(count), coarsest).astype(jnp.int32)
    inside = jax.vmap(lambda level: _inside(level, (height, width), size))(levels)
    error = jnp.square(targets[levels] - canvases[levels]).sum(axis=3) * inside

    def around(share: Array, level: Array, inside: Array, error: Array) -> Window:
        row = _index(share[0], error.sum(axis=1))
        column = _index(share[1], error[row])
        top, left = (
            _first(centre, length, level) for centre, length in ((row, size[0]), (column, size[1]))
        )
        start = (level, top, left, jnp.int32(0))
        shape = (1, SIDE, SIDE, num_channels)
        return Window(
            level,
            top,
            left,
            target=jax.lax.dynamic_slice(targets, start, shape)[0],
            canvas=jax.lax.dynamic_slice(canvases, start, shape)[0],
            inside=jax.lax.dynamic_slice(inside, (top, left), (SIDE, SIDE)),
        )

    shares = jax.random.uniform(key, (count, num, 2))
    found = jax.vmap(jax.vmap(around, (0, None, None, None)))(shares, levels, inside, error)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), found)


def _first(centre: Array, length: int, level: Array) -> Array:
    """Where a window around `centre` starts on a level, by the picture's length in pixels."""
    on_level = jnp.ceil(length / 2.0 ** level.astype(jnp.float32)).astype(jnp.int32)
    return jnp.clip(centre - SIDE // 2, 0, jnp.maximum(on_level - SIDE, 0))


def _index(share: Array, weights: Array) -> Array:
    """Where that share of the sum of `weights` is reached."""
    total = jnp.cumsum(weights)
    return jnp.minimum((total <= share * total[-1]).sum(), len(weights) - 1).astype(jnp.int32)


def _inside(level: Array, padded: tuple[int, int], size: tuple[int, int]) -> Array:
    """1 on a level's pixels whose middle is in the picture, float32[h, w]."""
    width, height = _extent(level, size)
    rows = jnp.arange(padded[0], dtype=jnp.float32) + 0.5 < height
    columns = jnp.arange(padded[1], dtype=jnp.float32) + 0.5 < width
    return (rows[:, None] & columns[None, :]).astype(jnp.float32)


class _Found(NamedTuple):
    """The best stroke of a window."""

    gain: Array  # float32
    shape: Array  # float32[10]
    colour: Array  # float32[C]


def _search(key: Key, windows: Window, limits: _Limits, effort: Effort) -> _Found:
    """The best stroke of each window: first of random ones, then by hill climbing."""
    num_windows, num_channels = len(windows.level), windows.target.shape[-1]
    found = _Found(
        gain=jnp.full(num_windows, -jnp.inf, jnp.float32),
        shape=jnp.zeros((num_windows, NUM_SHAPE), jnp.float32),
        colour=jnp.zeros((num_windows, num_channels), jnp.float32),
    )

    def better(noise: Array, found: _Found, window: Window, limits: _Limits, spread: Array):
        tried = jnp.where(
            spread > 0, _neighbours(noise, found.shape, spread), _anywhere(noise, limits)
        )
        tried = _within(tried, limits)
        gains, colours = fit(tried, window)
        best = gains.argmax()
        new = _Found(gains[best], tried[best], colours[best])
        return jax.tree.map(
            lambda ours, theirs: jnp.where(new.gain > found.gain, ours, theirs), new, found
        )

    def advance(found: _Found, drawn: tuple[Key, Array]) -> tuple[_Found, None]:
        noise = jax.random.uniform(
            drawn[0], (num_windows, effort.num_tried, NUM_SHAPE), minval=-1.0
        )
        return jax.vmap(better, (0, 0, 0, 0, None))(noise, found, windows, limits, drawn[1]), None

    shares = jnp.arange(effort.num_rounds, dtype=jnp.float32) / max(effort.num_rounds - 1, 1)
    spreads = _FIRST_SPREAD * (_LAST_SPREAD / _FIRST_SPREAD) ** shares
    spreads = jnp.concatenate([jnp.zeros(effort.num_random, jnp.float32), spreads])
    found, _ = jax.lax.scan(advance, found, (jax.random.split(key, len(spreads)), spreads))
    return found


def _anywhere(noise: Array, limits: _Limits) -> Array:
    """Shapes all over the window from noise [M, 10] in -1 .. 1; more of them short and thin."""
    middle = (noise[:, :2] + 1.0) / 2.0 * limits.end[None, :]
    angle = math.pi * noise[:, 2:3]
    length = 0.5 * noise[:, 3:4] ** 2
    along = length * jnp.concatenate([jnp.cos(angle), jnp.sin(angle)], axis=1)
    across = jnp.concatenate([-along[:, 1:], along[:, :1]], axis=1)
    points = [middle - along, middle + noise[:, 4:5] * across, middle + along]
    radius = _LEAST * (limits.largest / _LEAST) ** jnp.abs(noise[:, 5:6])
    opacity = 0.8 + 0.2 * noise[:, 6:7]
    return jnp.concatenate([*points, radius, radius, opacity, opacity], axis=1)


def _neighbours(noise: Array, shape: Array, spread: Array) -> Array:
    """Shapes near one: each of its numbers moved a little, few of them much."""
    moves = 2.0 * spread * noise**3
    points = shape[None, :6] + moves[:, :6]
    radii = shape[None, 6:8] * jnp.exp(4.0 * moves[:, 6:8])
    opacities = shape[None, 8:] + 2.0 * moves[:, 8:]
    return jnp.concatenate([points, radii, opacities], axis=1)


def _within(shapes: Array, limits: _Limits) -> Array:
    """Shapes [M, 10] with every number in its range and every disc in what the window shows."""
    radii = jnp.clip(shapes[:, 6:8], _LEAST, limits.largest)
    opacities = jnp.clip(shapes[:, 8:], _FAINTEST, 1.0)
    # A pixel more than the larger radius: the soft edge.
    away = radii.max(axis=1, keepdims=True) + 1.0 / SIDE
    low = away * limits.low[None, :]
    high = jnp.maximum(limits.end[None, :] - away * limits.high[None, :], low)
    points = [jnp.clip(shapes[:, i : i + 2], low, high) for i in (0, 2, 4)]
    return jnp.concatenate([*points, radii, opacities], axis=1)


def _on_canvas(shape: Array, window: Window, size: tuple[int, int]) -> Array:
    """A shape in units of the canvas."""
    corner = jnp.stack([window.left, window.top]).astype(jnp.float32)
    points = (shape[:6].reshape(3, 2) * SIDE + corner[None, :]) / _extent(window.level, size)[None]
    unit = SIDE * 2.0 ** window.level.astype(jnp.float32) / max(size)
    points = jnp.clip(points, 0.0, 1.0).reshape(6)
    return jnp.concatenate([points, jnp.clip(shape[6:8] * unit, 0.0, 1.0), shape[8:]])


def _channels(picture: Array) -> list[Array]:
    return [picture[..., i] for i in range(picture.shape[-1])]


def _padded(picture: Array, count: int) -> Array:
    """Sides that can be halved `count - 1` times, and are a window's at least."""
    unit = 2 ** (count - 1)
    more = [max(-(-length // unit) * unit, SIDE) - length for length in picture.shape[:2]]
    return jnp.pad(picture, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")


def _halved(picture: Array) -> Array:
    height, width, channels = picture.shape
    return picture.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))
