"""The two sides of the likelihood bound of variational autoencoders, in nats an entry.

Source: Kingma and Welling 2014, arXiv 1312.6114, equation 10 and appendices B and C.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array, Number


def standard_normal_kl(
    mean: Float[Array, "*B"], log_variance: Float[Array, "*B"]
) -> Float[Array, "*B"]:
    """KL(N(mean, variance) || N(0, 1)), never negative (appendix B)."""
    return 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1.0 - log_variance)


def beyond_free(divergence: Float[Array, "*B"], free: float | Array) -> Float[Array, "*B"]:
    """What of a divergence in nats is above a free amount, never negative.

    Up to there the code costs nothing, so that it is not given up early: the free bits of Kingma et
    al. 2016, arXiv 1606.04934, counted from zero as in Roberts et al. 2018, arXiv 1803.05428.
    """
    return jnp.maximum(divergence - free, 0.0)


def bernoulli_nll(logits: Float[Array, "*B"], target: Float[Array, "*B"]) -> Float[Array, "*B"]:
    """Cross-entropy of `target` in 0..1 to sigmoid(logits) (appendix C.1).

    For targets between 0 and 1 it is not the likelihood of a density, but it is least where the
    probability is the target.
    """
    return jax.nn.softplus(logits) - target * logits


def gaussian_nll(
    mean: Float[Array, "*B"], target: Float[Array, "*B"], scale: Number
) -> Float[Array, "*B"]:
    """-log N(target; mean, scale^2), of fixed standard deviation `scale` (appendix C.2)."""
    scaled = (target - mean) / scale
    return 0.5 * jnp.square(scaled) + jnp.log(scale) + 0.5 * math.log(2 * math.pi)
