"""Users of a recommender, as equations: what they choose, and what it does to them. Unbatched.

Sources: Ie et al., "RecSim" (arXiv 1909.04847) and its released simulators of interest evolution
and of long-term satisfaction; Ie et al., "SlateQ" (arXiv 1905.12767, section 6).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from creative_rl.typing import Array, Number

NOTHING = 0
"""A choice: nothing of the slate; `1 + place` is what stands at a place."""


def topic_qualities(num_topics: int) -> np.ndarray:
    """float32[num_topics]: the mean quality of each topic's items.

    From -3 to 0 in equal steps for the first seven tenths, from 0 to 3 for the others.

    Example:
      >>> topic_qualities(10).tolist()
      [-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.0, 1.5, 3.0]
    """
    num_low = num_topics * 7 // 10
    parts = np.linspace(-3.0, 0.0, num_low), np.linspace(0.0, 3.0, num_topics - num_low)
    return np.concatenate(parts).astype(np.float32)


def first_places(slate: Int[Array, " places"]) -> Bool[Array, " places"]:
    """Where an item stands for the first time: a repeat leaves its place empty.

    Example:
      >>> first_places(jnp.array([4, 7, 4], jnp.int32)).tolist()
      [True, True, False]
    """
    num = slate.shape[0]
    earlier = np.tri(num, k=-1, dtype=bool)
    return ~((slate[:, None] == slate[None, :]) & earlier).any(axis=-1)


def proportional_choice(
    scores: Float[Array, " places"], nothing: Number, uniform: Float[Array, ""]
) -> Int[Array, ""]:
    """int32: what is chosen, each in proportion to its score; `NOTHING`, or 1 + its place.

    Args:
      scores: of the places, not negative; 0 for what cannot be chosen.
      nothing: the score of choosing nothing.
      uniform: a number in 0 .. 1, below 1.

    Example:
      >>> [int(proportional_choice(jnp.array([1.0, 0.0, 3.0]), 4.0, jnp.float32(u)))
      ...  for u in (0.0, 0.125, 0.4999, 0.5)]
      [1, 3, 3, 0]
    """
    borders = jnp.cumsum(scores)
    passed = (uniform * (borders[-1] + nothing) >= borders).sum(dtype=jnp.int32)
    return jnp.where(passed < scores.shape[0], passed + 1, NOTHING).astype(jnp.int32)


def drifted_interest(
    interest: Float[Array, ""], rises: Bool[Array, ""], drift: Number
) -> Float[Array, ""]:
    """Interest in a topic, -1 .. 1, after one of its items was watched.

    It moves by `drift (1 - |x|) (1 - x)`, up or down; it rises with probability `(x + 1) / 2`.
    """
    move = drift * (1.0 - jnp.abs(interest)) * (1.0 - interest)
    return jnp.clip(jnp.where(rises, interest + move, interest - move), -1.0, 1.0)


def satisfaction(exposure: Float[Array, ""], sensitivity: Number) -> Float[Array, ""]:
    """In 0 .. 1, of the net positive exposure; the logarithm of engagement is its multiple."""
    return jax.nn.sigmoid(sensitivity * exposure)


def exposed(
    exposure: Float[Array, ""], clickbait: Float[Array, ""], memory: Number, noise: Float[Array, ""]
) -> Float[Array, ""]:
    """Net positive exposure after an item: what is remembered, less `2 (clickbait - 0.5)`."""
    return memory * exposure - 2.0 * (clickbait - 0.5) + noise
