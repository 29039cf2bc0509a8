"""The environments that a learner steps through side by side, episode after episode."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers import AutoReset, EpisodeLog


class Stream(flax.struct.PyTreeNode):
    """Where the environments stand."""

    env_state: PyTree  # leaves [B, ...]
    timestep: Timestep  # leaves [B, ...], what the next actions answer to
    starts: Array  # bool[B]: the timestep is the first of its episode


def endless(env: Any) -> AutoReset:
    """`env` with episodes that follow each other and are logged."""
    return AutoReset(EpisodeLog(env))


def init(endless_env: AutoReset, key: Key, params: PyTree, num_envs: int) -> Stream:
    """Start `num_envs` episodes."""
    env_state, timestep = jax.vmap(endless_env.reset, (0, None))(
        jax.random.split(key, num_envs), params
    )
    return Stream(env_state, timestep, jnp.ones(num_envs, jnp.bool_))


def step(
    endless_env: AutoReset, keys: Key, stream: Stream, action: Array, params: PyTree
) -> Stream:
    """Take an action in each environment (keys and actions [B]); the timestep tells what it led to.

    Its observation is the next episode's first where one ended: see `AutoReset`.
    """
    env_state, timestep = jax.vmap(endless_env.step, (0, 0, 0, None))(
        keys, stream.env_state, action, params
    )
    return Stream(env_state, timestep, timestep.ended)
