"""What is done with the latent vectors of an autoencoder, unbatched.

Letters: `L` width of a latent vector, `N` vectors, `K` places of an interpolation.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from creative_rl.typing import Array, Number

_LEAST_SINE = 1e-4
"""Below it two directions count as one line, on which the great circle is not told."""


def slerp(start: Float[Array, " L"], end: Float[Array, " L"], share: Number) -> Float[Array, " L"]:
    """Spherical interpolation: on the great circle from one direction to another.

    Draws from a normal prior of many dimensions lie near a sphere, which a straight line leaves:
    its middle is shorter than any draw. Where the directions are the same or opposite, or a vector
    is zero, the line is straight. The ends are exact.

    Source: White 2016, arXiv 1609.04468; MusicVAE interpolates so too (arXiv 1803.05428).

    Args:
      start: at share 0.
      end: at share 1.
      share: how far from start to end, in 0..1.

    Example:
      >>> slerp(jnp.float32([2, 0]), jnp.float32([0, 2]), 0.5).round(3).tolist()
      [1.41..., 1.41...]
    """
    lengths = jnp.linalg.norm(start) * jnp.linalg.norm(end)
    cosine = jnp.clip(jnp.dot(start, end) / jnp.where(lengths > 0, lengths, 1.0), -1.0, 1.0)
    angle = jnp.arccos(cosine)
    sine = jnp.sin(angle)
    is_line = (lengths <= 0) | (sine < _LEAST_SINE)
    safe = jnp.where(is_line, 1.0, sine)
    from_start = jnp.where(is_line, 1.0 - share, jnp.sin((1.0 - share) * angle) / safe)
    from_end = jnp.where(is_line, share, jnp.sin(share * angle) / safe)
    mixed = from_start * start + from_end * end
    return jnp.where(share <= 0, start, jnp.where(share >= 1, end, mixed))


def interpolate(
    start: Float[Array, " L"], end: Float[Array, " L"], num: int
) -> Float[Array, "K L"]:
    """`num` latent vectors from start to end, both among them, at equal angles (`slerp`).

    Raises:
      ValueError: `num` is below 2.
    """
    if num < 2:
        raise ValueError(f"interpolate: num must be at least 2, both ends among them, got {num}")
    shares = jnp.linspace(0.0, 1.0, num, dtype=jnp.float32)
    return jax.vmap(slerp, (None, None, 0))(start, end, shares)


def attribute_vector(
    latents: Float[Array, "N L"], has_attribute: Bool[Array, " N"]
) -> Float[Array, " L"]:
    """The mean latent vector of those that have an attribute minus that of those that do not.

    Added to a latent vector it gives what is decoded more of the attribute. Zero where all have it,
    or none.

    Source: MusicVAE (arXiv 1803.05428, section 5.4), where those that have an attribute are the
    upper quartile of a measure, and the others the lower one.

    Example:
      >>> latents = jnp.float32([[1, 0], [3, 0], [0, 1]])
      >>> attribute_vector(latents, jnp.array([True, True, False])).tolist()
      [2.0, -1.0]
    """
    num_with = has_attribute.sum(dtype=jnp.float32)
    num_without = has_attribute.shape[0] - num_with
    with_it = jnp.where(has_attribute[:, None], latents, 0.0).sum(axis=0)
    without = jnp.where(has_attribute[:, None], 0.0, latents).sum(axis=0)
    found = with_it / jnp.maximum(num_with, 1.0) - without / jnp.maximum(num_without, 1.0)
    return jnp.where((num_with > 0) & (num_without > 0), found, 0.0)
