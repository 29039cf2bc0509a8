"""What is the same and what moves from frame to frame of a clip, by its brightness; unbatched.

`T` frames of `H` x `W` pixels with levels in 0..1. A frame's content is what is brighter than
black: its middle is the mean of the pixels' places and its colour the mean of their colours, both
weighted by each pixel's brightest channel.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

_FAINT = 0.1  # of a pixel's brightest channel: up to that it counts as black
_LEAST = 1e-6


class Content(NamedTuple):
    """What every frame shows."""

    colour: Array
    """float32[T, C]: mean colour, 0..1; black where nothing shows"""
    x: Array
    """float32[T]: of the middle, in widths, 0..1; 0.5 where nothing shows"""
    y: Array
    """float32[T]: in heights"""
    area: Array
    """float32[T]: share of the picture that is not black, 0..1"""


def content(clip: Float[Array, "T H W C"]) -> Content:
    """Colour, place and area of what every frame shows."""
    height, width = clip.shape[1:3]
    bright = clip.max(axis=-1)
    weight = jnp.where(bright > _FAINT, bright, 0.0)
    mass = weight.sum(axis=(1, 2))
    whole = jnp.maximum(mass, _LEAST)
    across = (jnp.arange(width, dtype=jnp.float32) + 0.5) / width
    down = (jnp.arange(height, dtype=jnp.float32) + 0.5) / height
    shows = mass > _LEAST
    x = (weight.sum(axis=1) * across[None]).sum(axis=1) / whole
    y = (weight.sum(axis=2) * down[None]).sum(axis=1) / whole
    return Content(
        colour=(clip * weight[..., None]).sum(axis=(1, 2)) / whole[:, None],
        x=jnp.where(shows, x, 0.5),
        y=jnp.where(shows, y, 0.5),
        area=(weight > 0.0).mean(axis=(1, 2), dtype=jnp.float32),
    )


def colour_drift(shown: Content) -> Float[Array, ""]:
    """Mean distance of the colours of all pairs of frames, 0 for one that stays the same.

    Source: the average content distance of Tulyakov et al. 2018 (MoCoGAN), arXiv 1707.04993,
    section 4, for the moving shapes; levels are in 0..1 here.
    """
    squared = jnp.square(shown.colour[:, None] - shown.colour[None]).sum(axis=-1)
    num = shown.colour.shape[0]
    return jnp.sqrt(squared).sum() / max(num * (num - 1), 1)


def motion(shown: Content) -> Float[Array, ""]:
    """Mean way of the middle from frame to frame, in sides of the picture; 0 for one frame."""
    return _length(shown, 1)


def jolt(shown: Content) -> Float[Array, ""]:
    """Mean length of the middle's second differences, in sides: how much it drifts from a straight
    and even way; 0 for two frames."""
    return _length(shown, 2)


def _length(shown: Content, order: int) -> Array:
    if shown.x.shape[0] <= order:
        return jnp.float32(0.0)
    squared = jnp.square(jnp.diff(shown.x, order)) + jnp.square(jnp.diff(shown.y, order))
    return jnp.sqrt(squared).mean()
