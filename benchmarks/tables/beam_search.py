"""The actions with the highest return that a search finds: what a reward asks for, if nothing else.

A beam keeps the `width` best returns so far, of all actions from all beams. Environments whose
steps draw no random numbers are searched truly; others only along one draw.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key, PyTree


@functools.partial(jax.jit, static_argnums=(0, 3))
def beam_search(env: Any, params: PyTree, key: Key, width: int) -> tuple[Array, Array]:
    """The beams at the end, best first: returns float32[width], and actions int[width, T].

    Args:
      env: with `Discrete` actions and a fixed horizon T.
      params: its params, by whose weighted reward works are ranked.
      key: of the start.
      width: beams, at least 1.
    """
    num_actions, horizon = env.action_space.num, env.horizon
    key_reset, key_step = jax.random.split(key)
    state, _ = env.reset(key_reset, params)
    actions = jnp.arange(num_actions, dtype=env.action_space.dtype)
    step = jax.vmap(jax.vmap(env.transition, (None, None, 0, None)), (None, 0, None, None))

    def extend(carry: tuple[PyTree, Array, Array], inputs: tuple[Array, Key]):
        states, returns, made = carry
        time, key = inputs
        states, timesteps = step(key, states, actions, params)
        returns = (returns[:, None] + timesteps.reward).reshape(-1)
        best, places = jax.lax.top_k(returns, width)
        beam, action = places // num_actions, places % num_actions
        states = jax.tree.map(lambda leaf: leaf[beam, action], states)
        made = made[beam].at[:, time].set(actions[action])
        return (states, best, made), None

    states = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (width, *leaf.shape)), state)
    # All beams start the same: but for the first they must not count.
    returns = jnp.where(jnp.arange(width) == 0, 0.0, -jnp.inf)
    made = jnp.zeros((width, horizon), env.action_space.dtype)
    times = (jnp.arange(horizon), jax.random.split(key_step, horizon))
    (_, returns, made), _ = jax.lax.scan(extend, (states, returns, made), times)
    return returns, made
