"""Whole episodes of a trained learner."""

import functools
from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import Array, Key, Learner, PyTree, as_key

BATCH_SIZE = 1024
MAX_STEPS = 1000
"""Steps after which an episode is left where it is, in environments without a horizon."""


class Episodes(flax.struct.PyTreeNode):
    """What happened in N episodes, leaves [N, ...] on the host."""

    works: PyTree
    episode_return: Array  # float32[N], undiscounted
    episode_length: Array  # int32[N]
    reward_terms: dict[str, Array]  # float32[N] each: sums before their weights
    ended: Array  # bool[N]: the episode came to its own end


def rollout(
    env: Any,
    params: PyTree,
    learner: Learner,
    state: PyTree,
    key: Key,
    num: int,
    *,
    max_steps: int = MAX_STEPS,
) -> Episodes:
    """Play `num` episodes with `learner.act`.

    Episode i is the same whatever `num` is. At most `BATCH_SIZE` run at a time, in one program.

    Args:
      env: the environment.
      params: its params.
      learner: acts as it does after training (PPO samples, DQN takes the best).
      state: the learner's, of one seed.
      key: of all episodes.
      num: episodes, at least 1.
      max_steps: longest episode where the environment has no horizon.

    Raises:
      ValueError: `num` or `max_steps` is below 1.
    """
    if num < 1 or max_steps < 1:
        raise ValueError(
            f"rollout: num and max_steps must be at least 1, got num={num}, max_steps={max_steps}"
        )
    play = _compiled(env, learner.act, learner.init_memory, env.horizon or max_steps)
    size = min(num, BATCH_SIZE)
    batches = [
        jax.device_get(play(params, state, as_key(key), jnp.arange(start, start + size)))
        for start in range(0, num, size)
    ]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:num], *batches)


def starts(env: Any, params: PyTree, key: Key, num: int) -> PyTree:
    """States in which the first `num` episodes of `rollout` with this key begin, on the host.

    Leaves [num, ...].
    """

    def start(params: PyTree, key: Key, index: Array) -> PyTree:
        return env.reset(_episode_keys(key, index)[0], params)[0]

    begin = jax.jit(jax.vmap(start, (None, None, 0)))
    return jax.device_get(begin(params, as_key(key), jnp.arange(num, dtype=jnp.int32)))


def _episode_keys(key: Key, index: Array) -> tuple[Key, Key]:
    """Of an episode the keys of its reset and of its steps."""
    key_reset, key_steps = jax.random.split(jax.random.fold_in(key, index))
    return key_reset, key_steps


@functools.lru_cache(maxsize=8)
def _compiled(env: Any, act: Callable, init_memory: Callable, num_steps: int) -> Callable:
    """`(params, state, key, indices) -> Episodes`, one for each index."""

    def play(params: PyTree, state: PyTree, key: Key, index: Array) -> Episodes:
        key_reset, key_steps = _episode_keys(key, index)
        env_state, timestep = env.reset(key_reset, params)
        episode = Episodes(
            works=(),
            episode_return=jnp.float32(0),
            episode_length=jnp.int32(0),
            reward_terms=jax.tree.map(jnp.zeros_like, timestep.info["reward_terms"]),
            ended=timestep.ended,
        )

        def advance(carry: PyTree, keys: Key) -> tuple[PyTree, None]:
            env_state, timestep, memory, episode = carry
            action, memory = act(state, keys[0], timestep, memory)
            env_state, timestep = step(keys[1], env_state, action, params)
            episode = Episodes(
                works=(),
                episode_return=episode.episode_return + timestep.reward,
                episode_length=episode.episode_length + ~episode.ended,
                reward_terms=jax.tree.map(
                    jnp.add, episode.reward_terms, timestep.info["reward_terms"]
                ),
                ended=timestep.ended,
            )
            return (env_state, timestep, memory, episode), None

        # With a fixed horizon no episode goes past its end: the raw transition will do.
        step = env.step if env.horizon is None else env.transition
        keys = jax.random.split(key_steps, (num_steps, 2))
        carry = (env_state, timestep, init_memory(), episode)
        (env_state, _, _, episode), _ = jax.lax.scan(advance, carry, keys)
        return episode.replace(works=env.work(env_state, params))

    return jax.jit(jax.vmap(play, (None, None, None, 0)))
