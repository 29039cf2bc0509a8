"""Losses of single steps, unbatched: `vmap` or broadcast, then take the mean."""

import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

Number = float | Float[Array, ""]


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
