"""Policies without a network, as learners that never learn: to play a work that is there already,
or uniform events."""

from collections.abc import Callable

import jax.numpy as jnp

from creative_rl.typing import Array, Key, Learner, PyTree, Timestep


def acting(choose: Callable[[PyTree, Key, Array], Array]) -> Learner:
    """A learner that acts by `choose(state, key, step) -> action` and never learns.

    Its memory counts the steps; its state is what `choose` is given to act by.
    """

    def act(state: PyTree, key: Key, timestep: Timestep, memory: Array) -> tuple[Array, Array]:
        return choose(state, key, memory), memory + 1

    def unchanged(state: PyTree) -> tuple[PyTree, dict]:
        return state, {}

    return Learner(lambda key: (), unchanged, act, lambda: jnp.int32(0), 0)
