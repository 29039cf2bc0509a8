"""Opinions made one: distributions over actions, and rewards, of several members with weights.

Shapes: `M` members, `A` actions. Weights are at least 0 and sum to 1.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array


def mixture_logits(logits: Float[Array, "M A"], weights: Float[Array, " M"]) -> Float[Array, " A"]:
    """Log-probabilities of the weighted mean of the members' probabilities.

    The linear pool of Genest and Zidek, "Combining probability distributions" (Statistical Science
    1(1), 1986); of policies the Boltzmann addition of Wiering and van Hasselt, "Ensemble algorithms
    in reinforcement learning" (IEEE Trans. SMC-B 38(4), 2008). It allows what any member does.
    """
    log_probs = jax.nn.log_softmax(logits)
    return jax.nn.logsumexp(log_probs, axis=0, b=weights[:, None])


def product_logits(logits: Float[Array, "M A"], weights: Float[Array, " M"]) -> Float[Array, " A"]:
    """Log-probabilities of the weighted geometric mean of the members' probabilities, normalised.

    The logarithmic pool of Genest and Zidek (1986); of policies the Boltzmann multiplication of
    Wiering and van Hasselt (2008), in which members of equal weights have an M-th of a say each. It
    allows what no member rules out. Of action values the largest is that of the weighted mean.
    """
    return jax.nn.log_softmax(weights @ jax.nn.log_softmax(logits))


def uncertainty_weighted(
    rewards: Float[Array, " M"], weights: Float[Array, " M"], penalty: Float[Array, ""]
) -> Float[Array, ""]:
    """The weighted mean of rewards, less `penalty` times their weighted variance.

    Coste et al., "Reward model ensembles help mitigate overoptimization" (arXiv 2310.02743): their
    mean optimisation with a penalty of 0, their uncertainty-weighted optimisation above.
    """
    mean = jnp.dot(weights, rewards)
    return mean - penalty * jnp.dot(weights, jnp.square(rewards - mean))
