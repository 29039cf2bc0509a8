"""Start a new episode where one ends, for streams of steps."""

import dataclasses
from typing import Literal

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.typing import Array, Key, PyTree, Timestep, as_key
from creative_rl.wrappers.wrapper import Wrapper


class AutoResetParams(flax.struct.PyTreeNode):
    """The wrapped environment's params and the pool of starts, for `cached_pool`."""

    env: PyTree
    states: PyTree  # leaves [pool_size, ...]
    timesteps: Timestep  # leaves [pool_size, ...]


@dataclasses.dataclass(frozen=True)
class AutoReset(Wrapper):
    """Resets in the step that ends an episode.

    That step's reward, flags and info are the finished episode's; its observation and action
    mask are the next one's first. `info["final_observation"]` is always the observation that the
    step led to (and `info["final_action_mask"]` its mask, where there is one), so its value is
    the right bootstrap wherever `terminated` is False.

    Attributes:
      mode: `same_step` computes a fresh start in every step; `cached_pool` draws from
        `pool_size` starts made beforehand, for environments whose reset is dear.
      pool_size: starts in the pool.
    """

    mode: Literal["same_step", "cached_pool"] = "same_step"
    pool_size: int = 128

    def __post_init__(self):
        super().__post_init__()
        if self.mode not in ("same_step", "cached_pool"):
            raise ValueError(f"AutoReset: mode must be same_step or cached_pool, got {self.mode!r}")
        check_whole("AutoReset", "pool_size", self.pool_size, 1, 2**31 - 1)

    @property
    def default_params(self) -> PyTree:
        return self.init_params(jax.random.key(0), self.env.default_params)

    def init_params(self, key: Key, params: PyTree) -> PyTree:
        """Params for this wrapper from the wrapped environment's; the key fills the pool."""
        if self.mode == "same_step":
            return params
        keys = jax.random.split(as_key(key), self.pool_size)
        states, timesteps = jax.vmap(self.env.reset, (0, None))(keys, params)
        return AutoResetParams(params, states, timesteps)

    def env_params(self, params: PyTree) -> PyTree:
        return params if self.mode == "same_step" else params.env

    def with_env_params(self, params: PyTree, env_params: PyTree) -> PyTree:
        """The pool stays: its starts were made with the params that `init_params` was given."""
        return env_params if self.mode == "same_step" else params.replace(env=env_params)

    def reset(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        state, timestep = self._start(as_key(key), params)
        return state, with_final(timestep, timestep)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        key_step, key_reset = jax.random.split(as_key(key))
        next_state, timestep = self.env.transition(key_step, state, action, self.env_params(params))
        start_state, start = self._start(key_reset, params)
        state, observation, action_mask = jax.tree.map(
            lambda new, old: jnp.where(timestep.ended, new, old),
            (start_state, start.observation, start.action_mask),
            (next_state, timestep.observation, timestep.action_mask),
        )
        shown = timestep.replace(observation=observation, action_mask=action_mask)
        return state, with_final(shown, timestep)

    def step(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        """As `transition`: no state is ever past its end."""
        return self.transition(key, state, action, params)

    def _start(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        if self.mode == "same_step":
            return self.env.reset(key, params)
        index = jax.random.randint(key, (), 0, self.pool_size)
        return jax.tree.map(lambda leaf: leaf[index], (params.states, params.timesteps))


def with_final(shown: Timestep, final: Timestep) -> Timestep:
    """`shown` with the observation and action mask of `final` in its info."""
    info = {**shown.info, "final_observation": final.observation}
    if final.action_mask is not None:
        info["final_action_mask"] = final.action_mask
    return shown.replace(info=info)
