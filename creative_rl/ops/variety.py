"""How varied a batch of samples is, inside compiled programs; `metrics` has the exact forms.

Nothing here needs eigenvalues, so it runs under `vmap` and in loops. Letters: `N` real and `M`
made samples, `F` features, which may be pixels.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array


def neighbour_recall(
    real: Float[Array, "N F"], made: Float[Array, "M F"], num_neighbours: int
) -> Float[Array, ""]:
    """Share of real samples that lie among the made ones, 0..1: low where modes are missing.

    A sample lies among others where it is inside the ball around one of them that reaches to
    that one's k-th nearest neighbour. With `real` and `made` swapped it is the precision.

    Source: Kynkaanniemi et al. 2019, arXiv 1904.06991, equations 1 and 2.

    Args:
      real: samples of the data.
      made: samples of the generator, more than `num_neighbours`.
      num_neighbours: k.
    """
    # The nearest of all is the sample itself. Its own distance is 0, but not in rounded numbers.
    among = squared_distances(made, made)
    among = jnp.where(jnp.eye(made.shape[0], dtype=jnp.bool_), 0.0, among)
    nearest = -jax.lax.top_k(-among, num_neighbours + 1)[0]
    inside = squared_distances(real, made) <= nearest[None, :, -1]
    return inside.any(axis=1).mean(dtype=jnp.float32)


def vendi_score(similarities: Float[Array, "M M"]) -> Float[Array, ""]:
    """Effective number of different samples, 1..M, of order 2: 1 over the mean squared similarity.

    The Vendi score of order q is the exponential of the Renyi entropy of the eigenvalues of K / M;
    with q = 2 that is 1 / tr((K / M)^2), which needs no eigenvalues.

    Source: Pasarkar and Dieng 2023, arXiv 2310.12952, definition of VS_q.

    Args:
      similarities: K, symmetric, ones on the diagonal.

    Example:
      >>> vendi_score(jnp.eye(4))
      Array(4., dtype=float32)
    """
    return 1.0 / jnp.square(similarities).mean()


def gaussian_similarities(
    made: Float[Array, "M F"], mean_square: Float[Array, ""]
) -> Float[Array, "M M"]:
    """exp(-4 d^2 / mean_square) of squared distances d^2: 0.02 at that square, 1 at 0.

    Args:
      made: samples.
      mean_square: a squared distance at which two samples are different, such as the mean of
        `squared_distances` among real ones.
    """
    scale = 4.0 / jnp.maximum(mean_square, 1e-12)
    similar = jnp.exp(-scale * squared_distances(made, made))
    return jnp.where(jnp.eye(made.shape[0], dtype=jnp.bool_), 1.0, similar)


def squared_distances(
    first: Float[Array, "N F"], second: Float[Array, "M F"]
) -> Float[Array, "N M"]:
    """Squared Euclidean distances of all pairs, at least 0, by one matrix product."""
    lengths = jnp.square(first).sum(axis=1)[:, None] + jnp.square(second).sum(axis=1)[None, :]
    return jnp.maximum(lengths - 2.0 * first @ second.T, 0.0)
