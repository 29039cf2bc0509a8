"""Numbers that change as training goes on."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Int

from creative_rl.typing import Array, Number, PyTree

Count = int | Int[Array, ""]


def linear_decay(
    start: Number, decay_updates: Count, steps_per_update: int = 1
) -> Callable[[Array], Array]:
    """A learning rate that falls to zero in a line.

    Args:
      start: the first value.
      decay_updates: updates from there to zero; 0 keeps the first value.
      steps_per_update: optimiser steps that share a value.

    Returns:
      Function of the number of optimiser steps so far.

    Example:
      >>> rate = linear_decay(0.5, 4)
      >>> [float(rate(jnp.int32(step))) for step in (0, 2, 9)]
      [0.5, 0.25, 0.0]
    """

    def value(count: Array) -> Array:
        share = (count // steps_per_update) / jnp.maximum(decay_updates, 1)
        left = jnp.maximum(1.0 - share, 0.0)
        return start * jnp.where(decay_updates > 0, left, 1.0)

    return value


def linear(start: Number, end: Number, length: Count, count: Array) -> Array:
    """From `start` to `end` in `length` counts, then `end`.

    Example:
      >>> float(linear(1.0, 0.0, 10, jnp.float32(5)))
      0.5
    """
    return start + (end - start) * jnp.clip(count / jnp.maximum(length, 1), 0.0, 1.0)


def environment_steps(num_updates: Array, steps_per_update: int) -> Array:
    """Environment steps in so many updates, as a float: their number outgrows 32 bits."""
    return num_updates.astype(jnp.float32) * steps_per_update


def moved_mean(mean: PyTree, new: PyTree, decay: Number, num_steps: Count) -> PyTree:
    """The running mean of weights after a step.

    At first it keeps less than `decay`, (1 + n) / (10 + n) after n steps, and so forgets the
    random start.

    Source: TensorFlow's `tf.train.ExponentialMovingAverage`, with its `num_updates`.

    Example:
      >>> float(moved_mean(jnp.float32(1), jnp.float32(2), 0.99, 0))
      1.899999976158142
    """
    kept = jnp.minimum(decay, (1.0 + num_steps) / (10.0 + num_steps)).astype(jnp.float32)
    return jax.tree.map(lambda old, leaf: kept * old + (1.0 - kept) * leaf, mean, new)
