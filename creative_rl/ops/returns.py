"""Returns and advantages along a trajectory, time first; further axes are elementwise."""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from creative_rl.typing import Array, Number

_SMALLEST_DEVIATION = 1e-8
"""Keeps advantages that are all the same finite."""


def generalized_advantages(
    rewards: Float[Array, "T *B"],
    values: Float[Array, "T *B"],
    next_values: Float[Array, "T *B"],
    terminated: Bool[Array, "T *B"],
    ended: Bool[Array, "T *B"],
    gamma: Number,
    gae_lambda: Number,
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


def discounted_returns(
    rewards: Float[Array, "T *B"],
    next_values: Float[Array, "T *B"],
    terminated: Bool[Array, "T *B"],
    ended: Bool[Array, "T *B"],
    gamma: Number,
) -> Float[Array, "T *B"]:
    """Rewards to go, discounted; where they are cut short, a value stands in for the rest.

    Args:
      rewards: `r_t`.
      next_values: value of what step `t` led to; read where the episode was truncated and at `T`.
      terminated: the step ended the task: nothing follows.
      ended: the step ended the episode for any reason.
      gamma: discount.

    Example:
      >>> no, zeros = jnp.array([False, False]), jnp.zeros(2)
      >>> discounted_returns(jnp.ones(2), zeros, no, no, 0.5)
      Array([1.5, 1. ], dtype=float32)

    References:
      Sutton and Barto, Reinforcement Learning (2nd edition), equation 3.9.
    """

    def backward(later: Array, step: tuple[Array, ...]) -> tuple[Array, Array]:
        reward, next_value, terminated, ended = step
        later = jnp.where(terminated, 0.0, jnp.where(ended, next_value, later))
        total = reward + gamma * later
        return total, total

    steps = (rewards, next_values, terminated, ended)
    _, totals = jax.lax.scan(backward, next_values[-1], steps, reverse=True, unroll=16)
    return totals


def n_step_targets(
    rewards: Float[Array, "T *B"],
    next_values: Float[Array, "T *B"],
    terminated: Bool[Array, "T *B"],
    mask: Bool[Array, "T *B"],
    gamma: Number,
    n: int,
) -> Float[Array, "T *B"]:
    """Sums of up to `n` discounted rewards and the value of what came after them.

    Args:
      rewards: `r_t`.
      next_values: value of the observation that step `t` led to.
      terminated: the step ended the task, so its next value counts as zero.
      mask: True for the steps of one episode, from the first on; sums end with the last of them.
      gamma: discount.
      n: most rewards in a sum.

    Example:
      >>> yes = jnp.array([True, True, True])
      >>> n_step_targets(jnp.ones(3), jnp.full(3, 8.0), ~yes, yes, 0.5, 2)
      Array([3.5, 3.5, 5. ], dtype=float32)

    References:
      Sutton and Barto, Reinforcement Learning (2nd edition), equation 7.1.
    """
    continues = jnp.concatenate([mask[1:], jnp.zeros_like(mask[:1])])
    beyond = (1.0 - terminated) * next_values
    targets = rewards + gamma * beyond
    for _ in range(n - 1):
        later = jnp.concatenate([targets[1:], targets[-1:]])
        targets = rewards + gamma * jnp.where(continues, later, beyond)
    return targets


def normalized(
    advantages: Float[Array, "*B"], mask: Bool[Array, "*B"] | None = None
) -> Float[Array, "*B"]:
    """Advantages less their mean, over their standard deviation.

    Args:
      advantages: of a batch.
      mask: those that count; None where all do. The others are moved and scaled alike.

    Example:
      >>> normalized(jnp.array([1.0, 3.0]))
      Array([-1.,  1.], dtype=float32)

    References:
      Huang et al., "The 37 Implementation Details of Proximal Policy Optimization" (ICLR Blog Track
      2022), detail 7.
    """
    if mask is None:
        return (advantages - advantages.mean()) / (advantages.std() + _SMALLEST_DEVIATION)

    def mean(x: Array) -> Array:
        return jnp.where(mask, x, 0.0).sum() / mask.sum()

    centred = advantages - mean(advantages)
    return centred / (jnp.sqrt(mean(jnp.square(centred))) + _SMALLEST_DEVIATION)
