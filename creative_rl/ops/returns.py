"""Returns and advantages along a trajectory, time first; further axes are elementwise."""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from creative_rl.typing import Array


def generalized_advantages(
    rewards: Float[Array, "T *B"],
    values: Float[Array, "T *B"],
    next_values: Float[Array, "T *B"],
    terminated: Bool[Array, "T *B"],
    ended: Bool[Array, "T *B"],
    gamma: float | Float[Array, ""],
    gae_lambda: float | Float[Array, ""],
) -> Float[Array, "T *B"]:
    """Generalised advantage estimates that tell termination from truncation.

    Args:
      rewards: `r_t`.
      values: `V(s_t)`.
      next_values: value of the observation that step `t` led to, before any reset.
      terminated: the step ended the task, so its next value counts as zero.
      ended: the step ended the episode for any reason, so no later advantage flows back.
      gamma: discount.
      gae_lambda: decay of the estimate.

    Example:
      >>> no = jnp.array([False, False])
      >>> ones, zeros = jnp.ones(2), jnp.zeros(2)
      >>> generalized_advantages(ones, zeros, zeros, no, no, 0.5, 1.0)
      Array([1.5, 1. ], dtype=float32)

    References:
      Schulman et al., arXiv 1506.02438, equations 11 to 16.
    """
    discounts = gamma * (1.0 - terminated)
    deltas = rewards + discounts * next_values - values
    decays = gamma * gae_lambda * (1.0 - ended)

    def backward(advantage: Array, step: tuple[Array, Array]) -> tuple[Array, Array]:
        delta, decay = step
        advantage = delta + decay * advantage
        return advantage, advantage

    _, advantages = jax.lax.scan(
        backward, jnp.zeros_like(deltas[0]), (deltas, decays), reverse=True, unroll=16
    )
    return advantages
