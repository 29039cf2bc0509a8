"""The greatest singular value of a weight matrix, by power iteration."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

_SMALLEST = 1e-12
"""Added to lengths, so that a matrix of zeros has the norm 0 and not NaN."""


def spectral_norm(
    matrix: Float[Array, "K D"], vector: Float[Array, "D"]
) -> tuple[Float[Array, ""], Float[Array, "D"]]:
    """One power iteration: the norm so far, never above the true one, and the next vector.

    Its gradient is the outer product of the singular vectors: they count as constants.

    Source: Miyato et al., arXiv 1802.05957, algorithm 1.

    Args:
      matrix: of the weights.
      vector: the last call's, at first any that is not zero.

    Example:
      >>> norm, _ = spectral_norm(jnp.diag(jnp.array([3.0, 0.0])), jnp.array([1.0, 1.0]))
      >>> norm
      Array(3., dtype=float32)
    """
    constant = jax.lax.stop_gradient(matrix)
    left = _unit(constant @ jax.lax.stop_gradient(vector))
    right = _unit(left @ constant)
    return left @ matrix @ right, right


def _unit(vector: Array) -> Array:
    return vector / (jnp.linalg.norm(vector) + _SMALLEST)
