"""Pictures as bytes and as floats: how they are kept, and how they are computed with."""

import jax.numpy as jnp

from creative_rl.typing import Array


def as_floats(pictures: Array) -> Array:
    """Bytes as float32 in 0..1; floats as they are.

    >>> as_floats(jnp.array([0, 51, 255], jnp.uint8)).tolist()
    [0.0, 0.2..., 1.0]
    """
    return pictures.astype(jnp.float32) / 255.0 if pictures.dtype == jnp.uint8 else pictures


def as_bytes(pictures: Array) -> Array:
    """Floats in 0..1 as uint8, rounded.

    >>> as_bytes(jnp.array([0.0, 0.2, 1.0])).tolist()
    [0, 51, 255]
    """
    return jnp.round(pictures * 255.0).astype(jnp.uint8)
