"""Start a new episode where one ends, for streams of steps."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.ops import listing
from creative_rl.typing import Array, Key, PyTree, Timestep, as_key
from creative_rl.wrappers.wrapper import Wrapper

_MODES = ("same_step", "where_ended", "cached_pool")
_FEWEST_STARTS = 16
"""Starts that `where_ended` computes side by side, at least."""


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
      mode: `same_step` computes a fresh start in every step; `where_ended` the same, but under
        `jax.vmap` only for the environments whose episode has ended, some at a time, for
        environments whose reset is dear and whose episodes differ in length; `cached_pool` draws
        from `pool_size` starts made beforehand.
      pool_size: starts in the pool.
    """

    mode: Literal["same_step", "where_ended", "cached_pool"] = "same_step"
    pool_size: int = 128

    def __post_init__(self):
        super().__post_init__()
        if self.mode not in _MODES:
            raise ValueError(
                f"AutoReset: mode must be {', '.join(_MODES[:-1])} or {_MODES[-1]}, "
                f"got {self.mode!r}"
            )
        check_whole("AutoReset", "pool_size", self.pool_size, 1, 2**31 - 1)

    @property
    def default_params(self) -> PyTree:
        return self.init_params(jax.random.key(0), self.env.default_params)

    def init_params(self, key: Key, params: PyTree) -> PyTree:
        """Params for this wrapper from the wrapped environment's; the key fills the pool."""
        if self.mode != "cached_pool":
            return params
        keys = jax.random.split(as_key(key), self.pool_size)
        states, timesteps = jax.vmap(self.env.reset, (0, None))(keys, params)
        return AutoResetParams(params, states, timesteps)

    def env_params(self, params: PyTree) -> PyTree:
        return params.env if self.mode == "cached_pool" else params

    def with_env_params(self, params: PyTree, env_params: PyTree) -> PyTree:
        """The pool stays: its starts were made with the params that `init_params` was given."""
        return params.replace(env=env_params) if self.mode == "cached_pool" else env_params

    def reset(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        state, timestep = self._start(as_key(key), params)
        return state, with_final(timestep, timestep)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        key_step, key_reset = jax.random.split(as_key(key))
        next_state, timestep = self.env.transition(key_step, state, action, self.env_params(params))
        here = (next_state, timestep.observation, timestep.action_mask)
        if self.mode == "where_ended":
            shown = _restart_listed(self.env)(timestep.ended, key_reset, here, params)
        else:
            shown = _chosen(timestep.ended, _shown(*self._start(key_reset, params)), here)
        state, observation, action_mask = shown
        return state, with_final(
            timestep.replace(observation=observation, action_mask=action_mask), timestep
        )

    def step(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        """As `transition`: no state is ever past its end."""
        return self.transition(key, state, action, params)

    def _start(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        if self.mode != "cached_pool":
            return self.env.reset(key, params)
        index = jax.random.randint(key, (), 0, self.pool_size)
        return jax.tree.map(lambda leaf: leaf[index], (params.states, params.timesteps))


def with_final(shown: Timestep, final: Timestep) -> Timestep:
    """`shown` with the observation and action mask of `final` in its info."""
    info = {**shown.info, "final_observation": final.observation}
    if final.action_mask is not None:
        info["final_action_mask"] = final.action_mask
    return shown.replace(info=info)


def _shown(state: PyTree, timestep: Timestep) -> PyTree:
    """What a start puts in the place of what a step led to."""
    return state, timestep.observation, timestep.action_mask


def _chosen(ended: Array, start: PyTree, here: PyTree) -> PyTree:
    return jax.tree.map(lambda new, old: jnp.where(ended, new, old), start, here)


@functools.cache
def _restart_listed(env: Any) -> Callable[[Array, Key, PyTree, PyTree], PyTree]:
    """`_chosen` with a fresh start, which `jax.vmap` computes only where it is chosen."""

    @jax.custom_batching.custom_vmap
    def restarted(ended: Array, key: Key, here: PyTree, params: PyTree) -> PyTree:
        return _chosen(ended, _shown(*env.reset(key, params)), here)

    @restarted.def_vmap
    def _(size: int, are_batched: PyTree, *values: PyTree):
        ended, key, here = jax.tree.map(
            lambda leaf, batched: leaf if batched else jnp.broadcast_to(leaf, (size, *leaf.shape)),
            values[:3],
            tuple(are_batched[:3]),
        )
        params, are_rows = values[3], are_batched[3]
        num = min(size, max(_FEWEST_STARTS, size // 64))
        places = listing.places(ended, size + num)
        resets = jax.vmap(env.reset, (0, jax.tree.map(lambda rows: 0 if rows else None, are_rows)))

        def some(now: tuple[Array, PyTree]) -> tuple[Array, PyTree]:
            begin, here = now
            chosen = jax.lax.dynamic_slice(places, (begin,), (num,))
            rows = jax.tree.map(
                lambda leaf, is_row: leaf.at[chosen].get(mode="clip") if is_row else leaf,
                params,
                are_rows,
            )
            starts = _shown(*resets(key.at[chosen].get(mode="clip"), rows))
            here = jax.tree.map(lambda old, new: old.at[chosen].set(new, mode="drop"), here, starts)
            return begin + num, here

        count = ended.sum(dtype=jnp.int32)
        here = jax.lax.while_loop(lambda now: now[0] < count, some, (jnp.int32(0), here))[1]
        return here, jax.tree.map(lambda _: True, here)

    return restarted
