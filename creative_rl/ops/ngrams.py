"""Runs of tokens that stand in a text twice, or in a reference: a token at a time.

L the longest text, N references of R tokens. Sources: modified n-gram precision and the brevity
penalty are those of BLEU (Papineni et al., ACL 2002, sections 2.1 and 2.2); smoothing is method 1
of Chen and Cherry (WMT 2014).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.typing import Array

ORDERS = 4
"""n-grams of 1 to 4 tokens, as BLEU counts."""
_SMOOTHING = 0.1


def common_suffixes(
    suffixes: Int[Array, "L"], tokens: Int[Array, "L"], num: Int[Array, ""], token: Int[Array, ""]
) -> Int[Array, "L"]:
    """For every earlier place how many tokens, up to it, are the text's last ones.

    An n-gram that ends the text stood in it before wherever the number is at least n.

    Args:
      suffixes: those before `token` was written; zeros at the start.
      tokens: the text, of which the first `num` are written.
      num: so many.
      token: what is written next.
    """
    before = jnp.pad(suffixes, (1, 0))[:-1]
    places = jnp.arange(tokens.shape[0], dtype=jnp.int32)
    return jnp.where((tokens == token) & (places < num), before + 1, 0)


def reference_counts(references: Int[Array, "N R"], recent: Int[Array, "M"]) -> Int[Array, "M"]:
    """How often the one reference that has it most has the n-gram that ends a text, n = 1 .. M.

    Args:
      references: tokens; negative numbers behind their ends, and nowhere else.
      recent: the text's last M tokens, the newest first; negative where there are fewer.
    """
    matches, counts = jnp.ones_like(references, jnp.bool_), []
    for age in range(recent.shape[0]):
        shifted = jnp.pad(references, ((0, 0), (age, 0)), constant_values=-1)
        earlier = shifted[:, : references.shape[1]]
        matches &= (earlier == recent[age]) & (earlier >= 0)
        counts.append(matches.sum(axis=1, dtype=jnp.int32).max())
    return jnp.stack(counts)


def bleu(
    matches: Int[Array, "M"], length: Int[Array, ""], reference_lengths: Int[Array, "N"]
) -> Float[Array, ""]:
    """BLEU in 0 .. 1 of a text of `length` tokens with so many clipped matches of each order.

    A precision of 0 counts as 0.1 over its n-grams, except that of order 1, which makes it 0. The
    nearest reference in length tells what is too short, of two the shorter.
    """
    orders = jnp.arange(1, matches.shape[0] + 1, dtype=jnp.int32)
    num_grams = jnp.maximum(length - orders + 1, 1).astype(jnp.float32)
    counted = jnp.where(matches > 0, matches.astype(jnp.float32), _SMOOTHING)
    log_precision = jnp.log(counted / num_grams).mean()
    # Twice the distance, and one more for the longer of two.
    distance = 2 * jnp.abs(reference_lengths - length) + (reference_lengths > length)
    nearest = reference_lengths[jnp.argmin(distance)].astype(jnp.float32)
    shortfall = jnp.minimum(1.0 - nearest / jnp.maximum(length, 1).astype(jnp.float32), 0.0)
    return jnp.where(matches[0] > 0, jnp.exp(log_precision + shortfall), 0.0)


def longest_repeat(suffixes: Int[Array, "L"]) -> Int[Array, ""]:
    """int32: the longest run of last tokens that stood in the text before."""
    return jax.lax.reduce_max(suffixes, (0,))
