"""Motion and framing of sprites: how movements are timed, and measures of what is seen; unbatched.

`F` frames, `G` frames with those before them, `S` sprites. Places are x to the right in widths and
y down in heights of the picture of a camera at rest (see `ops.sprites`), radii in its shorter
sides. x and y are separate arrays.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from creative_rl.typing import Array

EASINGS = ("even", "slow in", "slow out", "slow in and out", "at once")
"""Timings of a movement, by number."""


def progress(easing: Int[Array, ""], num_frames: int) -> Float[Array, "{num_frames}"]:
    """How much of a movement is done after each of its frames, 0..1, the last 1.

    `t`, `t^2`, `1 - (1 - t)^2`, the trajectory of least jerk `10 t^3 - 15 t^4 + 6 t^5`, or 1.

    Sources: slow in and slow out, Lasseter, "Principles of Traditional Animation Applied to 3D
    Computer Animation" (SIGGRAPH 1987); least jerk, Flash and Hogan, J. Neuroscience 5 (1985),
    equation 5.
    """
    t = jnp.arange(1, num_frames + 1, dtype=jnp.float32) / num_frames
    least_jerk = t**3 * (10.0 - 15.0 * t + 6.0 * t**2)
    timings = (t, t**2, 1.0 - (1.0 - t) ** 2, least_jerk, jnp.ones_like(t))
    return jax.lax.select_n(easing, *timings)


def on_screen(
    place: Float[Array, "F S"], camera: Float[Array, "F"], zoom: Float[Array, "F"]
) -> Float[Array, "F S"]:
    """Places along one axis as shares of the picture, 0..1 where they are in it."""
    return (place - camera[:, None]) * zoom[:, None] + 0.5


def jerk(
    x: Float[Array, "G S"], y: Float[Array, "G S"], counts: Bool[Array, "F"]
) -> Float[Array, "S"]:
    """Root of the mean squared third difference of the places, over the last F frames.

    Args:
      x: of G = F + 3 frames, three before the others.
      y: likewise.
      counts: the others count as no jerk: their four frames are not of one shot.

    Source: jerk as the measure of smoothness, Flash and Hogan, J. Neuroscience 5 (1985).
    """
    squared = jnp.square(_third(x)) + jnp.square(_third(y))
    return jnp.sqrt(jnp.where(counts[:, None], squared, 0.0).mean(axis=0))


def path_length(x: Float[Array, "G S"], y: Float[Array, "G S"]) -> Float[Array, "S"]:
    """Length of the way through the places."""
    return jnp.hypot(x[1:] - x[:-1], y[1:] - y[:-1]).sum(axis=0)


def identity_fault(
    x: Float[Array, "G S"],
    y: Float[Array, "G S"],
    radius: Float[Array, "G S"],
    most_move: Float[Array, ""],
    most_growth: Float[Array, ""],
    counts: Bool[Array, "F"],
) -> Float[Array, "S"]:
    """0 for a sprite that is plainly the same from frame to frame, up to 1 for one that is not.

    There are G = F + 1 frames, and `counts` tells of each but the first whether it is of one shot
    with the one before. The worst frame counts, by the more of two excesses: of the move over
    `most_move`, and of the growth or shrinking, as the absolute logarithm of the ratio of radii,
    over `most_growth`; twice the most is 1.

    Source: a rule of ours, after apparent motion: what moves too far between two frames is seen as
    something else (Korte 1915; Ullman, The Interpretation of Visual Motion, 1979, affinity).
    """
    move = jnp.hypot(x[1:] - x[:-1], y[1:] - y[:-1]) / most_move
    growth = jnp.abs(jnp.log(radius[1:] / radius[:-1])) / most_growth
    excess = jnp.clip(jnp.maximum(move, growth) - 1.0, 0.0, 1.0)
    return jnp.where(counts[:, None], excess, 0.0).max(axis=0)


def thirds(x: Float[Array, "*N"], y: Float[Array, "*N"]) -> Float[Array, "*N"]:
    """1 on one of the four points where the lines of the thirds cross, 0 from a corner's distance
    on; x and y are shares of the picture.

    Source: the rule of thirds (J. T. Smith, Remarks on Rural Scenery, 1797), as a measure.
    """
    away = jnp.hypot(*(jnp.abs(jnp.abs(axis - 0.5) - 1 / 6) for axis in (x, y)))
    return jnp.clip(1.0 - away / (2**0.5 / 3), 0.0, 1.0)


def outside(
    x: Float[Array, "*N"], y: Float[Array, "*N"], half_x: Float[Array, "*N"],
    half_y: Float[Array, "*N"],
) -> Float[Array, "*N"]:  # fmt: skip
    """Share of a sprite's bounding rectangle that is out of the picture, 0..1.

    Args:
      x: of its middle, as a share of the picture, as y.
      y: see x.
      half_x: half of its sides as shares of the picture, above 0.
      half_y: see half_x.
    """
    seen_x, seen_y = (
        1.0 - jnp.clip((jnp.abs(middle - 0.5) + half - 0.5) / (2.0 * half), 0.0, 1.0)
        for middle, half in ((x, half_x), (y, half_y))
    )
    return 1.0 - seen_x * seen_y


def _third(x: Array) -> Array:
    """Difference of differences, so that it is exactly 0 for what stands still."""
    for _ in range(3):
        x = x[1:] - x[:-1]
    return x
