"""Episodes for tables, and policies without a network to play them: a work that is there already,
or uniform events."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
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


def episode(
    env: Any, params: PyTree, learner: Learner, state: PyTree, key: Key
) -> tuple[PyTree, tuple[Array, Mapping[str, Array]]]:
    """One episode of an environment with a horizon T, as `learner.act` plays it with `state`.

    Returns:
      The environment's last state, and what its steps were paid: rewards and terms, float32[T].
    """
    key_reset, key_steps = jax.random.split(key)
    env_state, timestep = env.reset(key_reset, params)

    def step(carry: PyTree, keys: Key) -> tuple[PyTree, Any]:
        env_state, timestep, memory = carry
        action, memory = learner.act(state, keys[0], timestep, memory)
        env_state, timestep = env.transition(keys[1], env_state, action, params)
        return (env_state, timestep, memory), (timestep.reward, timestep.info["reward_terms"])

    carry = (env_state, timestep, learner.init_memory())
    keys = jax.random.split(key_steps, (env.horizon, 2))
    (env_state, _, _), paid = jax.lax.scan(step, carry, keys)
    return env_state, paid
