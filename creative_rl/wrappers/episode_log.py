"""Return and length of the running episode."""

import dataclasses

import flax.struct
import jax.numpy as jnp

from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper


class EpisodeLogState(flax.struct.PyTreeNode):
    """The wrapped environment's state and the running sums."""

    env: PyTree
    episode_return: Array  # float32: undiscounted sum of rewards so far
    episode_length: Array  # int32


@dataclasses.dataclass(frozen=True)
class EpisodeLog(Wrapper):
    """Adds `info["episode"]` with `return` and `length` so far; whole where the episode ends.

    Put `AutoReset` outside: `AutoReset(EpisodeLog(env))`.
    """

    def env_state(self, state: EpisodeLogState) -> PyTree:
        return state.env

    def reset(self, key: Key, params: PyTree) -> tuple[EpisodeLogState, Timestep]:
        env_state, timestep = self.env.reset(key, params)
        state = EpisodeLogState(env_state, jnp.float32(0), jnp.int32(0))
        return state, _with_episode(timestep, state)

    def transition(
        self, key: Key, state: EpisodeLogState, action: Array, params: PyTree
    ) -> tuple[EpisodeLogState, Timestep]:
        env_state, timestep = self.env.transition(key, state.env, action, params)
        state = EpisodeLogState(
            env_state, state.episode_return + timestep.reward, state.episode_length + 1
        )
        return state, _with_episode(timestep, state)


def _with_episode(timestep: Timestep, state: EpisodeLogState) -> Timestep:
    episode = {"return": state.episode_return, "length": state.episode_length}
    return timestep.replace(info={**timestep.info, "episode": episode})
