"""Moving shapes: clips of one coloured shape on black, drawn from a key."""

import functools

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.ops import sprites
from creative_rl.ops.sprites import SHAPES, Camera, Sprites
from creative_rl.typing import Array, Key, as_key

MOTIONS = ("slide", "circle", "sway", "bounce")
"""By number: straight on, thrown back by the edges; around the middle; to and fro; up and down."""

_RADII = (0.12, 0.22)  # in shorter sides
_MARGIN = 0.03  # between the circle around a shape and the edge
_RATES = (1 / 16, 1 / 8)  # rounds of a motion in a frame
_SPIN = 1 / 24  # most rounds of the shape itself in a frame


class MovingShapes(flax.struct.PyTreeNode):
    """N clips of T frames, and what is in them, which stays the same throughout each."""

    clips: Array
    """uint8[N, T, H, W, 3]"""
    shapes: Array
    """int32[N]: numbers of `ops.sprites.SHAPES`"""
    motions: Array
    """int32[N]: numbers of `MOTIONS`"""
    colours: Array
    """uint8[N, 3]: red, green, blue"""
    x: Array
    """float32[N, T]: the shape's middle, in widths"""
    y: Array
    """float32[N, T]: in heights"""


def draw(
    key: Key, num: int, num_frames: int = 16, height: int = 64, width: int = 64
) -> MovingShapes:
    """Clips whose shape, colour, radius, motion, its phase and rate, and spin are drawn uniformly.

    The shape stays in the picture. The same key gives the same clips; a compiled function of it.

    Args:
      key: typed or raw.
      num: clips, at least 1.
      num_frames: frames of a clip, at least 1.
      height: in pixels, at least 8.
      width: in pixels, at least 8.

    Raises:
      ValueError: a size is out of range.

    Example:
      >>> draw(jax.random.key(0), 2, num_frames=4, height=16, width=16).clips.shape
      (2, 4, 16, 16, 3)
    """
    for name, value, least in (
        ("num", num, 1), ("num_frames", num_frames, 1), ("height", height, 8), ("width", width, 8),
    ):  # fmt: skip
        if not isinstance(value, int) or value < least:
            raise ValueError(
                f"moving_shapes.draw: {name} must be a whole number of at least {least}, got "
                f"{value!r}"
            )
    return _draw(as_key(key), num, num_frames, height, width)


@functools.partial(jax.jit, static_argnums=(1, 2, 3, 4))
def _draw(key: Key, num: int, num_frames: int, height: int, width: int) -> MovingShapes:
    key_shape, key_motion, key_numbers = jax.random.split(key, 3)
    shapes = jax.random.randint(key_shape, (num,), 0, len(SHAPES), jnp.int32)
    motions = jax.random.randint(key_motion, (num,), 0, len(MOTIONS), jnp.int32)
    numbers = jax.random.uniform(key_numbers, (8, num, 1), jnp.float32)
    tint, size, rate, spin, aside, along, way, turn = numbers
    radius = _RADII[0] + (_RADII[1] - _RADII[0]) * size
    frames = jnp.arange(num_frames, dtype=jnp.float32)[None]
    phase = along + (_RATES[0] + (_RATES[1] - _RATES[0]) * rate) * frames
    across, down = _path(motions[:, None], phase, aside, way)
    side = min(height, width)
    x, y = (
        jnp.clip(0.5 + (0.5 - (radius + _MARGIN) * side / edge) * place, 0.0, 1.0)
        for place, edge in ((across, width), (down, height))
    )
    turns = turn + _SPIN * (2 * spin - 1) * frames
    hues = tint + jnp.arange(3, dtype=jnp.float32)[None] / 3
    colours = jnp.round(255 * (0.6 + 0.4 * jnp.cos(2 * jnp.pi * hues))).astype(jnp.uint8)
    levels = colours.astype(jnp.float32) / 255
    spread = functools.partial(jnp.broadcast_to, shape=(num, num_frames))
    moments = Sprites(
        shape=spread(shapes[:, None]),
        red=spread(levels[:, :1]),
        green=spread(levels[:, 1:2]),
        blue=spread(levels[:, 2:]),
        x=x,
        y=y,
        radius=spread(radius),
        turn=turns,
    )
    return MovingShapes(
        _rendered(moments, height, width), shapes, motions, colours, spread(x), spread(y)
    )


def _path(motion: Array, phase: Array, aside: Array, way: Array) -> tuple[Array, Array]:
    """x and y in -1..1 after `phase` rounds; `aside` and `way`, in 0..1, vary the motion."""
    angle = 2 * jnp.pi * phase
    off = 2 * aside - 1
    slide = _thrown_back(2 * phase * (1 + way) + aside), _thrown_back(2 * phase * (2 - way) + way)
    circle = (0.5 + 0.5 * way) * jnp.cos(angle), (0.5 + 0.5 * way) * jnp.sin(angle)
    sway = jnp.sin(angle), off + 0 * phase
    bounce = off + 0 * phase, 1 - (1 + way) * jnp.abs(jnp.sin(angle / 2))
    ways = zip(slide, circle, sway, bounce, strict=True)
    across, down = (
        jax.lax.select_n(jnp.broadcast_to(motion, phase.shape), *places) for places in ways
    )
    return across, down


def _thrown_back(way: Array) -> Array:
    """To and fro between -1 and 1 at an even speed, 4 of `way` a round."""
    return 1 - jnp.abs(2 - (way % 4))


def _rendered(moments: Sprites, height: int, width: int) -> Array:
    """uint8[N, T, H, W, 3] of sprites whose leaves are [N, T]."""
    num, num_frames = moments.x.shape
    camera = Camera(jnp.float32(0.5), jnp.float32(0.5), jnp.float32(1))
    black = jnp.zeros(3, jnp.float32)

    def one(moment: Sprites) -> Array:
        return sprites.frame(moment, camera, jnp.int32(0), black, black, height, width)

    flat = Sprites(*(leaf.reshape(-1, 1) for leaf in moments))
    drawn = jax.lax.map(one, flat)  # one by one: side by side, every shape is tried for each frame
    return drawn.reshape(num, num_frames, height, width, 3)
