"""Categorical distributions over logits, with masks; finite values and gradients everywhere.

Masked actions get a large negative logit, not minus infinity: their probability is exactly
zero, and neither the entropy nor its gradient turns into NaN.
"""

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
