"""What generators and discriminators optimise.

A discriminator gives every picture a score, without bounds, higher for what it takes for real.
Letters: `B` scores or pictures.
"""

from collections.abc import Callable
from typing import Literal, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

AdversarialLoss = Literal["non_saturating", "least_squares", "hinge", "wasserstein"]
_SMALLEST = 1e-12
"""Under the root of a gradient's length, whose own gradient is infinite at 0."""


def discriminator_loss(
    kind: AdversarialLoss, real_scores: Float[Array, "*B"], fake_scores: Float[Array, "*B"]
) -> Float[Array, "*B"]:
    """What the discriminator minimises, for each pair of a real and a made picture.

    - `non_saturating`: -log sigmoid(real) - log(1 - sigmoid(fake)), Goodfellow et al. 2014, arXiv
      1406.2661, equation 1;
    - `least_squares`: half the squares of (real - 1) and of fake, Mao et al. 2017, arXiv
      1611.04076, equation 9;
    - `hinge`: max(0, 1 - real) + max(0, 1 + fake), Lim and Ye 2017, arXiv 1705.02894; Miyato et
      al. 2018, arXiv 1802.05957, equation 16;
    - `wasserstein`: fake - real, Arjovsky et al. 2017, arXiv 1701.07875, equation 2.
    """
    if kind == "non_saturating":
        return jax.nn.softplus(-real_scores) + jax.nn.softplus(fake_scores)
    if kind == "least_squares":
        return 0.5 * (jnp.square(real_scores - 1.0) + jnp.square(fake_scores))
    if kind == "hinge":
        return jax.nn.relu(1.0 - real_scores) + jax.nn.relu(1.0 + fake_scores)
    if kind == "wasserstein":
        return fake_scores - real_scores
    raise _unknown(kind)


def generator_loss(kind: AdversarialLoss, fake_scores: Float[Array, "*B"]) -> Float[Array, "*B"]:
    """What the generator minimises, for each picture that it made; sources as above.

    -log sigmoid(fake) for `non_saturating` (arXiv 1406.2661, section 3), half the square of
    (fake - 1) for `least_squares`, -fake for `hinge` and `wasserstein`.
    """
    if kind == "non_saturating":
        return jax.nn.softplus(-fake_scores)
    if kind == "least_squares":
        return 0.5 * jnp.square(fake_scores - 1.0)
    if kind in ("hinge", "wasserstein"):
        return -fake_scores
    raise _unknown(kind)


def interpolated_penalty(
    score_fn: Callable[[Array], Array],
    real: Float[Array, "B *shape"],
    fake: Float[Array, "B *shape"],
    shares: Float[Array, "B"],
) -> Float[Array, ""]:
    """Mean squared distance of the score's slope from 1, between real and made pictures.

    Source: Gulrajani et al. 2017 (WGAN-GP), arXiv 1704.00028, equation 3, before its weight.

    Args:
      score_fn: pictures [B, ...] to scores float32[B], each of its own picture only.
      real: pictures.
      fake: pictures.
      shares: of the real picture in each mixture, uniform in 0..1.
    """
    shares = shares.reshape(-1, *(1,) * (real.ndim - 1))
    slopes = jnp.sqrt(_squared_slopes(score_fn, shares * real + (1.0 - shares) * fake) + _SMALLEST)
    return jnp.square(slopes - 1.0).mean()


def zero_penalty(
    score_fn: Callable[[Array], Array], real: Float[Array, "B *shape"]
) -> Float[Array, ""]:
    """R1: half the mean squared slope of the score at real pictures.

    Where a score is of other pictures too, it is the slope of the sum of all scores.

    Source: Mescheder et al. 2018, arXiv 1801.04406, equation 9, before its weight.
    """
    return 0.5 * _squared_slopes(score_fn, real).mean()


def _unknown(kind: str) -> ValueError:
    known = ", ".join(get_args(AdversarialLoss))
    return ValueError(f"adversarial: loss must be one of {known}, got {kind!r}")


def _squared_slopes(score_fn: Callable[[Array], Array], pictures: Array) -> Array:
    """float32[B]: squared lengths of the gradients of each score."""
    gradients = jax.grad(lambda x: score_fn(x).sum())(pictures)
    return jnp.square(gradients).reshape(pictures.shape[0], -1).sum(axis=-1)
