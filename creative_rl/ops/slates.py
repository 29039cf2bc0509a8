"""Slates of items: what they are worth to a user who chooses from them, and the best of them.

A user chooses item i of a slate A with probability `s_i / (s_0 + sum of A's s)`, and nothing with
the rest, s the scores. With values q of what follows each choice, and q_0 of choosing nothing, the
slate is worth `q_0 + sum of A's s_i a_i / (s_0 + sum of A's s)`, where `a_i = q_i - q_0`: so all
functions here take the advantages `a` over choosing nothing, and scores that are not negative.

Source: Ie et al., "SlateQ" (arXiv 1905.12767), sections 4.1 and 4.3.
"""

import functools
import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from creative_rl.ops.recommendation import first_places
from creative_rl.typing import Array, Number

MOST_SLATES = 1 << 14
"""Of all slates, those that `optimal_slate` compares at most."""
_NEVER = -1e30


def slate_value(
    scores: Float[Array, " items"],
    advantages: Float[Array, " items"],
    nothing: Number,
    slate: Int[Array, " places"],
) -> Float[Array, ""]:
    """What a slate is worth beyond choosing nothing; an item that stands in it twice counts once.

    Example:
      >>> scores, advantages = jnp.array([1.0, 3.0, 2.0]), jnp.array([6.0, 2.0, 5.0])
      >>> float(slate_value(scores, advantages, 4.0, jnp.array([0, 1], jnp.int32)))
      1.5
    """
    shown = jnp.where(first_places(slate), scores[slate], 0.0)
    return _ratio(jnp.sum(shown * advantages[slate]), jnp.sum(shown) + nothing)


def top_slate(
    scores: Float[Array, " items"], advantages: Float[Array, " items"], nothing: Number, size: int
) -> Int[Array, " places"]:
    """int32[size]: the items with the largest `s a`, the largest first (section 4.3, top-k)."""
    return jax.lax.top_k(scores * advantages, size)[1].astype(jnp.int32)


def greedy_slate(
    scores: Float[Array, " items"], advantages: Float[Array, " items"], nothing: Number, size: int
) -> Int[Array, " places"]:
    """int32[size]: one item after the other, each the best beside those before (section 4.3)."""
    weighted, total = jnp.float32(0), jnp.asarray(nothing, jnp.float32)
    is_free, slate = jnp.ones(scores.shape, jnp.bool_), []
    for _ in range(size):
        value = _ratio(weighted + scores * advantages, total + scores)
        item = jnp.argmax(jnp.where(is_free, value, _NEVER)).astype(jnp.int32)
        weighted += scores[item] * advantages[item]
        total += scores[item]
        is_free &= jnp.arange(scores.shape[0], dtype=jnp.int32) != item
        slate.append(item)
    return jnp.stack(slate)


def optimal_slate(
    scores: Float[Array, " items"], advantages: Float[Array, " items"], nothing: Number, size: int
) -> Int[Array, " places"]:
    """int32[size]: the best of all slates of distinct items, which are compared one with another.

    The fractional linear program of section 4.3 has the same slates for solutions.

    Raises:
      ValueError: there are more than `MOST_SLATES`.
    """
    slates, known = all_slates(scores.shape[0], size)
    members = jnp.asarray(known)
    weighted = members @ (scores * advantages)
    value = _ratio(weighted, members @ scores + nothing)
    return jnp.asarray(slates)[jnp.argmax(value)]


def random_slate(uniform: Float[Array, " items"], size: int) -> Int[Array, " places"]:
    """int32[size]: distinct items, all slates as likely, of uniform numbers."""
    return jax.lax.top_k(uniform, size)[1].astype(jnp.int32)


Select = Callable[[Array, Array, Array, int], Array]
SELECT: dict[str, Select] = {
    "top": top_slate,
    "greedy": greedy_slate,
    "optimal": optimal_slate,
}
"""By name, how a slate is made of scores, advantages and the score of nothing."""


def num_slates(num_items: int, size: int) -> int:
    """How many slates of distinct items there are, whatever their order."""
    return math.comb(num_items, size)


@functools.lru_cache(maxsize=16)
def all_slates(num_items: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """All slates of distinct items, whatever their order; host-side.

    Returns:
      int32[N, size], in lexical order, and which items each has, float32[N, num_items].

    Raises:
      ValueError: there are none, or more than `MOST_SLATES`.

    Example:
      >>> all_slates(3, 2)[0].tolist()
      [[0, 1], [0, 2], [1, 2]]
    """
    if not 1 <= size <= num_items or num_slates(num_items, size) > MOST_SLATES:
        raise ValueError(
            f"all slates can be compared where there are 1 to {MOST_SLATES}, got "
            f"{num_slates(num_items, size)} of {size} of {num_items} items; take fewer"
        )
    slates = np.array(list(itertools.combinations(range(num_items), size)), np.int32)
    members = np.zeros((len(slates), num_items), np.float32)
    np.put_along_axis(members, slates, 1.0, axis=1)
    return slates, members


def _ratio(weighted: Array, total: Array) -> Array:
    """Zero where nothing of a slate can be chosen, not even nothing."""
    can_be: Bool[Array, ...] = total > 0.0
    return jnp.where(can_be, weighted / jnp.where(can_be, total, 1.0), 0.0)
