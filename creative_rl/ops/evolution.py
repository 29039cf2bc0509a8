"""New solutions from old ones: sequences cut and joined, and numbers drawn anew.

`B` solutions of `T` steps, each step a number or an array of them.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Int

from creative_rl.typing import Array, Key, Number


def crossed(first: Array, second: Array, starts: Int[Array, "B"], ends: Int[Array, "B"]) -> Array:
    """The first parents [B, T, ...], with the steps `starts .. ends - 1` from the second.

    Source: crossover at two points, Holland, Adaptation in Natural and Artificial Systems (1975),
    chapter 6.

    >>> parents = jnp.zeros((1, 5), jnp.int32), jnp.ones((1, 5), jnp.int32)
    >>> crossed(*parents, jnp.array([1], jnp.int32), jnp.array([3], jnp.int32)).tolist()
    [[0, 1, 1, 0, 0]]
    """
    steps = jnp.arange(first.shape[1], dtype=jnp.int32)[None]
    is_second = (steps >= starts[:, None]) & (steps < ends[:, None])
    return jnp.where(is_second.reshape(*is_second.shape, *(1,) * (first.ndim - 2)), second, first)


def cuts(
    key: Key, num: int, num_steps: int, rate: Number
) -> tuple[Int[Array, "B"], Int[Array, "B"]]:
    """Starts and ends for `crossed`: with the probability `rate` two of the T + 1 places between
    steps, drawn apart, else none, which leaves the first parent whole."""
    key_rate, key_places = jax.random.split(key)
    places = jax.random.randint(key_places, (2, num), 0, num_steps + 1, jnp.int32)
    is_cut = jax.random.uniform(key_rate, (num,), jnp.float32) < rate
    low, high = places.min(axis=0), places.max(axis=0)
    return low, jnp.where(is_cut, high, low)


def resampled(key: Key, solutions: Array, fresh: Array, rate: Number) -> Array:
    """The solutions, with each number replaced by the fresh one with the probability `rate`.

    The mutation of genetic algorithms, number by number (Holland 1975, chapter 6).
    """
    is_new = jax.random.uniform(key, solutions.shape, jnp.float32) < rate
    return jnp.where(is_new, fresh, solutions)
