"""Random changes of pictures, differentiable, for discriminators that see few examples.

Real and made pictures pass through them alike on their way to the discriminator, so that it
cannot learn the examples by heart, and the generator is not taught the changes.
Source: Zhao et al. 2020, "Differentiable Augmentation", arXiv 2006.10738: its brightness and
translation, in their amounts.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array, Key, Number

_LARGEST_SHIFT = 1 / 8
"""Of the height and of the width."""
_BRIGHTNESS_RANGE = 0.5
"""From the least change to the greatest; the source has 1 for pictures in -1..1."""


def augment(
    key: Key, pictures: Float[Array, "B H W C"], share: Number = 1.0
) -> Float[Array, "B H W C"]:
    """Each picture, with a probability, brighter or darker and moved by whole pixels.

    Where a picture moves away it leaves zeros.

    Args:
      key: of all changes.
      pictures: in 0..1; what comes out may leave that range by a quarter.
      share: probability that a picture is changed, for each of the two changes.
    """
    key_brightness, key_shift = jax.random.split(key)
    return shift(key_shift, brighten(key_brightness, pictures, share), share)


def brighten(
    key: Key, pictures: Float[Array, "B H W C"], share: Number = 1.0
) -> Float[Array, "B H W C"]:
    """Add one number in -0.25..0.25 to all of a picture."""
    key_amount, key_share = jax.random.split(key)
    shape = (pictures.shape[0], 1, 1, 1)
    amount = _BRIGHTNESS_RANGE * (jax.random.uniform(key_amount, shape, jnp.float32) - 0.5)
    return pictures + jnp.where(jax.random.bernoulli(key_share, share, shape), amount, 0.0)


def shift(
    key: Key, pictures: Float[Array, "B H W C"], share: Number = 1.0
) -> Float[Array, "B H W C"]:
    """Move a picture by up to an eighth (and at least up to one pixel) of its height and width."""
    key_rows, key_columns, key_share = jax.random.split(key, 3)
    batch, height, width, _ = pictures.shape
    is_moved = jax.random.bernoulli(key_share, share, (batch,))
    rows = jnp.where(is_moved, _steps(key_rows, batch, height), 0)
    columns = jnp.where(is_moved, _steps(key_columns, batch, width), 0)
    # Products with shifted unit matrices: gathers, and the scatters of their gradients, are slow.
    moved = jnp.einsum("bij,bjwc->biwc", _shift_matrices(rows, height), pictures)
    return jnp.einsum("bvw,biwc->bivc", _shift_matrices(columns, width), moved)


def _steps(key: Key, batch: int, size: int) -> Array:
    largest = max(1, round(size * _LARGEST_SHIFT))
    return jax.random.randint(key, (batch,), -largest, largest + 1, jnp.int32)


def _shift_matrices(steps: Array, size: int) -> Array:
    """float32[B, size, size] that move vectors up by `steps` places."""
    places = jnp.arange(size, dtype=jnp.int32)
    offsets = places[:, None] - places[None, :]
    return (offsets[None] == steps[:, None, None]).astype(jnp.float32)
