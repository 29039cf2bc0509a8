"""Losses, and the targets, weights and priorities that go with them.

Of single steps, unbatched: `vmap` or broadcast, then take the mean.
"""

import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from creative_rl.typing import Array, Number


def clipped_surrogate_loss(
    log_prob: Float[Array, "*B"],
    old_log_prob: Float[Array, "*B"],
    advantage: Float[Array, "*B"],
    clip_eps: Number,
) -> Float[Array, "*B"]:
    """PPO's pessimistic policy loss (Schulman et al., arXiv 1707.06347, equation 7)."""
    ratio = jnp.exp(log_prob - old_log_prob)
    clipped = jnp.clip(ratio, 1.0 - clip_eps, 1.0 + clip_eps)
    return -jnp.minimum(ratio * advantage, clipped * advantage)


def clipped_value_loss(
    value: Float[Array, "*B"],
    old_value: Float[Array, "*B"],
    target: Float[Array, "*B"],
    clip_eps: Number,
) -> Float[Array, "*B"]:
    """Half the larger squared error of the value and of the value kept near the old one."""
    clipped = old_value + jnp.clip(value - old_value, -clip_eps, clip_eps)
    return 0.5 * jnp.maximum(jnp.square(value - target), jnp.square(clipped - target))


def q_learning_target(
    reward: Float[Array, "*B"],
    terminated: Array,
    next_value: Float[Array, "*B"],
    gamma: Number,
) -> Float[Array, "*B"]:
    """One-step target: the reward, and the discounted next value unless the task ended."""
    return reward + gamma * (1.0 - terminated) * next_value


def approximate_kl(
    log_prob: Float[Array, "*B"], old_log_prob: Float[Array, "*B"]
) -> Float[Array, "*B"]:
    """Estimate of KL(old || new) from one draw of the old: never negative, and unbiased.

    `(r - 1) - log r` with the probability ratio r (Schulman 2020, "Approximating KL Divergence").
    """
    log_ratio = log_prob - old_log_prob
    return jnp.expm1(log_ratio) - log_ratio


def importance_weights(
    shares: Float[Array, "N"], size: Int[Array, ""], exponent: Number
) -> Float[Array, "N"]:
    """Weights that undo the bias of what is drawn unevenly, the largest of them 1.

    `(size * share)^-exponent`, for items drawn with these shares out of `size` (Schaul et al.,
    arXiv 1511.05952, section 3.4).
    """
    weights = (size * shares) ** -exponent
    return weights / weights.max()


def sequence_priority(
    errors: Float[Array, "T *B"], counts: Bool[Array, "T *B"]
) -> Float[Array, "*B"]:
    """0.9 of the largest error and 0.1 of the mean (Kapturowski et al., R2D2, ICLR 2019).

    Args:
      errors: absolute, zero where they do not count.
      counts: which do.
    """
    mean = errors.sum(0) / jnp.maximum(counts.sum(0), 1)
    return 0.9 * errors.max(0) + 0.1 * mean
