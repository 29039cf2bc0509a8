"""The environments that a learner steps through side by side, episode after episode."""

from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.axes import PER_ENVIRONMENT
from creative_rl.networks import last_memory
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.auto_reset import with_final


class Stream(flax.struct.PyTreeNode):
    """Where the environments stand."""

    env_state: PyTree = flax.struct.field(metadata=PER_ENVIRONMENT)  # leaves [B, ...]
    # leaves [B, ...], what the next actions answer to
    timestep: Timestep = flax.struct.field(metadata=PER_ENVIRONMENT)
    # bool[B]: the timestep is the first of its episode
    starts: Array = flax.struct.field(metadata=PER_ENVIRONMENT)


def init(env: Any, key: Key, params: PyTree, num_envs: int) -> Stream:
    """Start `num_envs` episodes."""
    env_state, timestep = jax.vmap(env.reset, (0, None))(jax.random.split(key, num_envs), params)
    started = Stream(env_state, with_final(timestep, timestep), jnp.ones(num_envs, jnp.bool_))
    return jax.tree.map(jnp.copy, started)  # a state is donated, and the observation is in it twice


def step_keys(key: Key, num_steps: int, num_envs: int) -> Key:
    """Keys [T, B, 2] for as many calls of `step`: made at once, they cost next to nothing."""
    return jax.random.split(key, (num_steps, num_envs, 2))


def step(env: Any, keys: Key, stream: Stream, action: Array, params: PyTree) -> Stream:
    """Take an action in each environment; the timestep tells what it led to.

    As `wrappers.AutoReset`, the reward, flags and info are the step's, `info["final_observation"]`
    (and `final_action_mask`) what it led to, and the observation is the next episode's first where
    one ended. But starts are computed only when some episode ends, which a single environment
    under `vmap` could not know.

    Args:
      env: without resets of its own.
      keys: [B, 2], see `step_keys`.
      stream: where the environments stand.
      action: leaves [B, ...].
      params: of the environment.
    """
    env_state, timestep = jax.vmap(env.transition, (0, 0, 0, None))(
        keys[:, 0], stream.env_state, action, params
    )
    timestep = with_final(timestep, timestep)
    here = (env_state, timestep.observation, timestep.action_mask)

    def with_starts() -> PyTree:
        start_state, start = jax.vmap(env.reset, (0, None))(keys[:, 1], params)
        fresh = (start_state, start.observation, start.action_mask)

        def choose(new: Array, old: Array) -> Array:
            ended = timestep.ended.reshape(-1, *(1,) * (new.ndim - 1))
            return jnp.where(ended, new, old)

        return jax.tree.map(choose, fresh, here)

    env_state, observation, action_mask = jax.lax.cond(
        timestep.ended.any(), with_starts, lambda: here
    )
    shown = timestep.replace(observation=observation, action_mask=action_mask)
    return Stream(env_state, shown, timestep.ended)


def next_values(
    value_fn: Callable[[PyTree, PyTree], Array],
    values: Array,
    memories: PyTree,
    timesteps: Timestep,
) -> Array:
    """The value that each step of a rollout led to, [T, B]: inside an episode, the next step's.

    Where an episode was truncated the true last observation is not among the steps, and is valued
    only when that happened at all.

    Args:
      value_fn: values of observations, given the memory or memories from before them.
      values: [T, B], of the observations that the steps answered to.
      memories: those of `Model.unroll`, after each of the steps.
      timesteps: leaves [T, B, ...], what `step` showed.
    """
    last, truncated = timesteps.info["final_observation"], timesteps.truncated
    last_value = value_fn(jax.tree.map(lambda leaf: leaf[-1], last), last_memory(memories))
    following = jnp.concatenate([values[1:], last_value[None]])
    return jax.lax.cond(
        truncated.any(),
        lambda: jnp.where(truncated, value_fn(last, memories), following),
        lambda: following,
    )
