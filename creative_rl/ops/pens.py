"""From actions to strokes: what each kind of pen makes of the numbers it is given.

A stroke is float32[10 + C]: `x0 y0 x1 y1 x2 y2 r0 r2 w0 w2 colour...`, start, control point and end
of a quadratic Bezier curve (x in widths of the canvas to the right, y in heights down), radii at
start and end in units of the longer side, opacities, and C colour channels; all in 0 .. 1.
"""

import math

import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.typing import Array

NUM_SHAPE = 10
"""Numbers of a stroke before its colour."""
OPACITIES = slice(8, 10)
"""Those of its start and end among them."""


def free_stroke(
    action: Float[Array, "P"], least_radius: float, max_radius: float
) -> Float[Array, "P"]:
    """A stroke anywhere on the canvas: Learning to Paint's, from `P = 10 + C` numbers in 0 .. 1.

    The middle point is given relative to the ends, so that it lies in the box around them, and
    a radius runs from `least_radius` to `least_radius + max_radius`.

    Source: Huang, Heng and Zhou, "Learning to Paint With Model-based Deep Reinforcement Learning"
    (ICCV 2019, equation 5 and its released renderer).
    """
    x0, y0, x1, y1, x2, y2, r0, r2, *rest = jnp.unstack(action)
    return jnp.stack(
        [
            x0, y0, x0 + (x2 - x0) * x1, y0 + (y2 - y0) * y1, x2, y2,
            least_radius + r0 * max_radius, least_radius + r2 * max_radius, *rest,
        ]
    )  # fmt: skip


def short_stroke(
    action: Float[Array, "P"],
    least_radius: float,
    max_radius: float,
    reach: tuple[float, float],
) -> Float[Array, "P"]:
    """As `free_stroke`, but the end is given relative to the start.

    It lies in the box that goes `reach` (in widths, in heights) from the start to every side, cut
    at the canvas's borders.
    """
    x0, y0, x1, y1, x2, y2, *rest = jnp.unstack(action)
    x2 = jnp.clip(x0 + (2.0 * x2 - 1.0) * reach[0], 0.0, 1.0)
    y2 = jnp.clip(y0 + (2.0 * y2 - 1.0) * reach[1], 0.0, 1.0)
    return free_stroke(jnp.stack([x0, y0, x1, y1, x2, y2, *rest]), least_radius, max_radius)


def straight_stroke(
    start: Float[Array, "2"],
    end: Float[Array, "2"],
    radius: Float[Array, ""] | float,
    opacity: Float[Array, ""] | float,
    colour: Float[Array, "C"],
) -> Float[Array, "P"]:
    """A line between two points (x, y)."""
    ends = [jnp.asarray(n, jnp.float32) for n in (radius, radius, opacity, opacity)]
    return jnp.concatenate([start, (start + end) / 2, end, jnp.stack(ends), colour])


def grid_stroke(
    action: Int[Array, ""],
    *,
    num_places: int,
    num_directions: int,
    num_lengths: int,
    radii: tuple[float, ...],
    levels: tuple[float, ...],
    shape: tuple[int, int, int],
) -> Float[Array, "P"]:
    """The stroke that a number stands for, on a canvas of `shape` (H, W, C).

    The number's digits, the last first: grey level of the colour, tool (one of the radii), length,
    direction, and the start's place on a grid of `num_places` x `num_places`, row by row. Direction
    d points to the angle `2 pi d / num_directions`, clockwise from the right; length n is `n + 1`
    times the distance between places, in the longer side's units. Lines end at the borders.
    """
    height, width, num_channels = shape
    number = action.astype(jnp.int32)
    number, level = jnp.divmod(number, len(levels))
    number, tool = jnp.divmod(number, len(radii))
    number, length = jnp.divmod(number, num_lengths)
    number, direction = jnp.divmod(number, num_directions)
    row, column = jnp.divmod(number, num_places)
    start = (jnp.stack([column, row]).astype(jnp.float32) + 0.5) / num_places
    angle = direction.astype(jnp.float32) * (2.0 * math.pi / num_directions)
    longer = max(height, width)
    along = (length.astype(jnp.float32) + 1.0) * (longer / num_places)
    move = along * jnp.stack([jnp.cos(angle) / width, jnp.sin(angle) / height])
    room = jnp.where(move > 0, 1.0 - start, start) / jnp.maximum(jnp.abs(move), 1e-6)
    end = start + jnp.minimum(room.min(), 1.0) * move
    radius = _entry(radii, tool)
    colour = jnp.broadcast_to(_entry(levels, level), (num_channels,))
    return straight_stroke(start, jnp.clip(end, 0.0, 1.0), radius, 1.0, colour)


def patch_move(
    action: Int[Array, ""], place: Int[Array, "2"], patch: int, shape: tuple[int, int, int]
) -> tuple[Int[Array, "2"], Array]:
    """Where Doodle-SDQ's pen goes from `place` (column, row), and whether it draws on the way.

    Numbers below `patch**2` draw, those from there on move with the pen up; within either half
    they number the pixels of the `patch` x `patch` around the pen, row by row. The pen stays on the
    canvas.

    Source: Zhou et al., "Learning to Doodle with Stroke Demonstrations and Deep Q-Networks" (BMVC
    2018, arXiv 1810.05977, section 3.2).
    """
    height, width, _ = shape
    is_up, pixel = jnp.divmod(action.astype(jnp.int32), patch**2)
    row, column = jnp.divmod(pixel, patch)
    move = jnp.stack([column, row]) - patch // 2
    limit = jnp.array([width - 1, height - 1], jnp.int32)
    return jnp.clip(place + move, 0, limit), is_up == 0


def _entry(values: tuple[float, ...], index: Array) -> Array:
    """`values[index]`, without a gather."""
    chosen = [jnp.where(index == n, value, 0.0) for n, value in enumerate(values)]
    return sum(chosen[1:], chosen[0])
