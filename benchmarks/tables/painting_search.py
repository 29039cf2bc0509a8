"""A painter without learning: at every step the best of many random strokes.

`S` strokes, `P` numbers of a stroke, `H` and `W` the canvas's height and width.
"""

import functools

import jax
import jax.numpy as jnp

from creative_rl.ops import pens, raster
from creative_rl.typing import Array, Key

LEAST_RADIUS = 0.5 / 32
MAX_RADIUS = 0.12
"""In units of the longer side, the second above the first; as in `drawing-digits`."""
WHITE_SHARE = 0.7
"""Of the strokes; the others are black."""


def random_strokes(key: Key, num: int) -> Array:
    """float32[num, 11]: nine even numbers each, one of them for both opacities, white or black."""
    key_shape, key_colour = jax.random.split(key)
    numbers = jax.random.uniform(key_shape, (num, 9))
    colours = jax.random.bernoulli(key_colour, WHITE_SHARE, (num, 1)).astype(jnp.float32)
    actions = jnp.concatenate([numbers, numbers[:, -1:], colours], axis=1)
    return jax.vmap(lambda action: pens.free_stroke(action, LEAST_RADIUS, MAX_RADIUS))(actions)


@functools.partial(jax.jit, static_argnums=(2, 3))
def best_of(key: Key, targets: Array, num_tried: int, num_strokes: int) -> Array:
    """Paint after pictures, each stroke the one of `num_tried` that leaves the smallest error.

    Args:
      key: consumed.
      targets: uint8[M, H, W, 1].
      num_tried: new random strokes at every step, for every picture; the best is painted even
        where it does harm.
      num_strokes: S.

    Returns:
      The canvases after every stroke, uint8[M, S, H, W, 1].
    """

    def paint(key: Key, target: Array) -> Array:
        def step(canvas: Array, key: Key) -> tuple[Array, Array]:
            tried = random_strokes(key, num_tried)
            canvases = jax.vmap(raster.paint, (None, 0))(canvas, tried)
            away = canvases.astype(jnp.int32) - target[None].astype(jnp.int32)
            canvas = canvases[jnp.argmin(jnp.square(away).sum(axis=(1, 2, 3)))]
            return canvas, canvas

        keys = jax.random.split(key, num_strokes)
        return jax.lax.scan(step, jnp.zeros_like(target), keys)[1]

    return jax.vmap(paint)(jax.random.split(key, len(targets)), targets)
