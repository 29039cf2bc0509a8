"""Categorical distributions over logits, with masks; finite values and gradients everywhere.

Masked actions get a large negative logit, not minus infinity: their probability is exactly
zero, and neither the entropy nor its gradient turns into NaN.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from creative_rl.typing import Array, Key

_MASKED = -1e9


def mask_logits(
    logits: Float[Array, "*B A"], action_mask: Bool[Array, "*B A"] | None
) -> Float[Array, "*B A"]:
    """Logits in which forbidden actions (mask False) have no probability.

    With no action allowed the distribution is uniform over all.
    """
    return logits if action_mask is None else jnp.where(action_mask, logits, _MASKED)


def categorical_sample(key: Key, logits: Float[Array, "*B A"]) -> Int[Array, "*B"]:
    """int32 draws from the softmax of the logits, independent along the leading axes."""
    return jax.random.categorical(key, logits).astype(jnp.int32)


def categorical_from_uniform(
    logits: Float[Array, "*B A"], uniform: Float[Array, "*B"]
) -> Int[Array, "*B"]:
    """int32 draws from the softmax of the logits, one for each number in 0 .. 1.

    By inversion: the first action up to which the probabilities sum to more than the number. Of
    thousands of actions it is many times as fast as `categorical_sample`, which draws a number for
    each of them; sums are of blocks, then inside one of them.
    """
    num = logits.shape[-1]
    width = _block_width(num)
    weights = jnp.exp(logits - logits.max(axis=-1, keepdims=True))
    ends = [(0, 0)] * (logits.ndim - 1) + [(0, -num % width)]
    blocks = jnp.pad(weights, ends).reshape(*uniform.shape, -1, width)
    block, left = _place(blocks.sum(axis=-1), uniform, None)
    inside = jnp.take_along_axis(blocks, block[..., None, None], axis=-2)[..., 0, :]
    place, _ = _place(inside, uniform, left)
    return block * width + place


def most_likely(logits: Float[Array, "*B A"]) -> Int[Array, "*B"]:
    """int32: the action with the largest logit; with Gumbel noise added to the logits, a draw."""
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)


def uniform_action(
    uniform: Float[Array, "*B"], num_actions: int, action_mask: Bool[Array, "*B A"] | None
) -> Int[Array, "*B"]:
    """int32: numbers in 0 .. 1 to actions, each allowed one with the same share of the interval.

    With no action allowed it is action 0.
    """
    if action_mask is None:
        return jnp.minimum((uniform * num_actions).astype(jnp.int32), num_actions - 1)
    num_allowed = action_mask.sum(-1, dtype=jnp.int32)
    rank = jnp.minimum((uniform * num_allowed).astype(jnp.int32), num_allowed - 1)
    place = jnp.cumsum(action_mask, axis=-1, dtype=jnp.int32) - 1
    return jnp.argmax(action_mask & (place == rank[..., None]), axis=-1).astype(jnp.int32)


def categorical_log_prob(
    logits: Float[Array, "*B A"], action: Int[Array, "*B"]
) -> Float[Array, "*B"]:
    """Log-probability of `action`."""
    return select_action(jax.nn.log_softmax(logits), action)


def categorical_entropy(logits: Float[Array, "*B A"]) -> Float[Array, "*B"]:
    """Entropy in nats."""
    log_probs = jax.nn.log_softmax(logits)
    return -jnp.sum(jnp.exp(log_probs) * log_probs, axis=-1)


def categorical_kl(logits: Float[Array, "*B A"], other: Float[Array, "*B A"]) -> Float[Array, "*B"]:
    """KL(softmax(logits) || softmax(other)) in nats; both with the same mask."""
    log_probs = jax.nn.log_softmax(logits)
    return jnp.sum(jnp.exp(log_probs) * (log_probs - jax.nn.log_softmax(other)), axis=-1)


def select_action(values: Float[Array, "*B A"], action: Int[Array, "*B"]) -> Float[Array, "*B"]:
    """The entry of each row that `action` names.

    A sum over a one-hot comparison, because the gradient of a gather is a slow scatter.
    """
    chosen = jax.nn.one_hot(action, values.shape[-1], dtype=jnp.bool_)
    return jnp.sum(jnp.where(chosen, values, 0.0), axis=-1)


def _block_width(num: int) -> int:
    """Near the square root, and a divisor where there is one, so that nothing is padded."""
    root = math.isqrt(num)
    near = [width for width in range(max(root // 2, 1), 2 * root + 1) if num % width == 0]
    return min(near, key=lambda width: abs(width - root)) if near else root


def _place(weights: Array, uniform: Array, target: Array | None) -> tuple[Array, Array]:
    """int32[*B]: the first of the weights float32[*B, N] up to which they sum to more than the
    target, and how far the target lies above the sum before it.

    Where rounding leads beyond the last that is not zero, it is that one. A target of None is the
    share `uniform` of the sum.
    """
    sums = jnp.cumsum(weights, axis=-1)
    target = uniform * sums[..., -1] if target is None else target
    beyond = (sums <= target[..., None]).sum(axis=-1, dtype=jnp.int32)
    places = jax.lax.broadcasted_iota(jnp.int32, weights.shape, weights.ndim - 1)
    last = jnp.where(weights > 0, places, 0).max(axis=-1)
    place = jnp.minimum(beyond, last)
    before = jnp.take_along_axis(sums - weights, place[..., None], axis=-1)[..., 0]
    return place, target - before
