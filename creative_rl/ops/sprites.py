"""Sprites before hills, seen by a camera: an anti-aliased rasteriser of distance fields, unbatched.

The world is as large as the picture of a camera at rest: x goes right in its widths, y down in its
heights, radii are in its shorter sides, and turns count whole rounds clockwise. A camera at (0.5,
0.5) with zoom 1 is at rest; with zoom 2 it sees half of either side. `S` sprites; the pixel in row
i and column j has its centre at (j + 0.5, i + 0.5).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int, UInt8

from creative_rl.typing import Array

SHAPES = ("disc", "ring", "square", "triangle", "star", "cross")
"""Shapes by number. Each lies within a circle of the sprite's radius; at no turn, triangle and star
point up."""
HORIZON = 0.72
"""y of the hills, on average."""

_HILLS = 0.05  # height above and below that
_HILLS_A_WIDTH = 1.5
_SHIFT = 0.37  # of the hills, in their lengths, from one scene to the next
_SQUARE = 0.5**0.5
_ARM = (0.96, 0.28)  # half length and thickness of a cross's bars, corners on the circle
_INNER = 0.45  # radius of a star between its points


class Sprites(NamedTuple):
    """What stands before the backdrop, from back to front; all leaves have S entries."""

    shape: Array  # int32[S], numbers of SHAPES; -1 draws nothing
    red: Array  # float32[S] in 0..1, as green and blue
    green: Array
    blue: Array
    x: Array  # float32[S], in widths
    y: Array  # float32[S], in heights
    radius: Array  # float32[S], in shorter sides, above 0
    turn: Array  # float32[S], in rounds


class Camera(NamedTuple):
    """What is seen; float32 scalars, and zoom above 0."""

    x: Array
    y: Array
    zoom: Array


def distance(
    shape: Int[Array, ""], x: Float[Array, "*N"], y: Float[Array, "*N"]
) -> Float[Array, "*N"]:
    """Signed distance to a shape of radius 1 about the origin, negative inside.

    Beyond a corner it is less than the true one, which keeps corners sharp.
    """
    return jax.lax.switch(shape, (_disc, _ring, _square, _triangle, _star, _cross), x, y)


def frame(
    sprites: Sprites,
    camera: Camera,
    scene: Int[Array, ""],
    sky: Float[Array, "3"],
    ground: Float[Array, "3"],
    height: int,
    width: int,
) -> UInt8[Array, "{height} {width} 3"]:
    """The picture of one moment; edges are one pixel wide.

    Args:
      sprites: see `Sprites`.
      camera: see `Camera`.
      scene: its number, which moves the hills.
      sky: red, green and blue in 0..1, above the hills.
      ground: likewise, below; the same as `sky` for a backdrop of one colour.
      height: in pixels.
      width: in pixels.
    """
    down = (jnp.arange(height, dtype=jnp.float32) + 0.5)[:, None]
    right = (jnp.arange(width, dtype=jnp.float32) + 0.5)[None, :]
    world_x = (right / width - 0.5) / camera.zoom + camera.x
    wave = jnp.sin(2 * jnp.pi * (_HILLS_A_WIDTH * world_x + _SHIFT * scene.astype(jnp.float32)))
    hills = ((HORIZON + _HILLS * wave - camera.y) * camera.zoom + 0.5) * height
    below = jnp.clip(down - hills + 0.5, 0.0, 1.0)
    planes = tuple(sky[k] + (ground[k] - sky[k]) * below for k in range(3))

    def paint(planes: tuple[Array, ...], sprite: Sprites) -> tuple[tuple[Array, ...], None]:
        alpha = _alpha(sprite, camera, right, down, height, width)
        colours = (sprite.red, sprite.green, sprite.blue)
        return tuple(
            plane + (level - plane) * alpha for plane, level in zip(planes, colours, strict=True)
        ), None

    planes, _ = jax.lax.scan(paint, planes, sprites)
    return jnp.round(jnp.stack(planes, axis=-1) * 255.0).astype(jnp.uint8)


def _alpha(
    sprite: Sprites, camera: Camera, right: Array, down: Array, height: int, width: int
) -> Array:
    """How much of each pixel one sprite covers, float32[height, width]."""
    radius = sprite.radius * camera.zoom * min(height, width)
    across = (right - ((sprite.x - camera.x) * camera.zoom + 0.5) * width) / radius
    along = (down - ((sprite.y - camera.y) * camera.zoom + 0.5) * height) / radius
    angle = 2 * jnp.pi * sprite.turn
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    away = distance(
        jnp.maximum(sprite.shape, 0), cos * across + sin * along, cos * along - sin * across
    )
    alpha = jnp.clip(0.5 - away * radius, 0.0, 1.0)
    return jnp.where(sprite.shape >= 0, alpha, 0.0)


def _disc(x: Array, y: Array) -> Array:
    return jnp.hypot(x, y) - 1.0


def _ring(x: Array, y: Array) -> Array:
    return jnp.abs(jnp.hypot(x, y) - 0.75) - 0.25


def _square(x: Array, y: Array) -> Array:
    return jnp.maximum(jnp.abs(x), jnp.abs(y)) - _SQUARE


def _triangle(x: Array, y: Array) -> Array:
    return jnp.maximum(3**0.5 / 2 * jnp.abs(x) - y / 2, y) - 0.5


def _star(x: Array, y: Array) -> Array:
    """Every point is folded onto half a ray, whose edge goes from a tip to the next dent."""
    fifth = jnp.pi / 5
    angle = jnp.abs(jnp.mod(jnp.arctan2(x, -y) + fifth, 2 * fifth) - fifth)
    far = jnp.hypot(x, y)
    edge_x, edge_y = _INNER * jnp.cos(fifth) - 1.0, _INNER * jnp.sin(fifth)
    outward = edge_y * (far * jnp.cos(angle) - 1.0) - edge_x * far * jnp.sin(angle)
    return outward / jnp.hypot(edge_x, edge_y)


def _cross(x: Array, y: Array) -> Array:
    x, y = jnp.abs(x), jnp.abs(y)
    length, thickness = _ARM
    upright = jnp.maximum(x - thickness, y - length)
    return jnp.minimum(upright, jnp.maximum(x - length, y - thickness))
