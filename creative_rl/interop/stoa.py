"""Our environments as stoa environments, for Stoix and trainers like it. Needs the extra `stoa`.

What stoa's own wrappers ask of an environment decides the form:

- the state is stoa's `StateWithKey`, because every automatic reset draws from `state.rng_key`;
- truncation is a step type, and only a terminated step has the discount 0;
- the action mask is `extras["action_mask"]`, where stoa's `AddActionMaskWrapper` looks for it. Put
  that wrapper inside the automatic reset, so that the mask changes with the observation: extras
  are the finished episode's.
- `AutoResetWrapper` resets without `env_params`: give changed params to `to_stoa`.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import spaces
from creative_rl.interop.construction import core_environment, fingerprint, require
from creative_rl.typing import Array, Key, PyTree, Timestep

if TYPE_CHECKING:
    import stoa
else:
    stoa = require("stoa", "stoa")


def _concrete(method: Callable[..., Any]) -> Callable[..., Any]:
    """Stoa's spaces look at the numbers of their bounds, which nothing may trace."""

    @functools.wraps(method)
    def untraced(*args: Any, **kwargs: Any) -> Any:
        with jax.ensure_compile_time_eval():
            return method(*args, **kwargs)

    return untraced


class StoaFace(stoa.Environment):
    """An environment of ours with the methods of a stoa environment. It never resets itself.

    `TimeStep.extras` is our `Timestep.info` (with `reward_terms`) and, where there is one, the
    `action_mask`: the same entries from `reset` and `step`. Past the end an episode stays there,
    with zero reward. Keys may be typed or raw; the state's is of the kind that was given.

    Two faces of equal environments are equal and share one compilation.

    Attributes:
      env: an `Environment` or a wrapper, without `AutoReset`.
      env_params: its params where a call gives none.
    """

    def __init__(self, env: Any, env_params: PyTree = None):
        self.env = env
        with jax.ensure_compile_time_eval():
            given = env_params is not None
            self.env_params = env_params if given else env.default_params
            self._params_key = fingerprint(env_params) if given else ""

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.env!r})"

    def __bool__(self) -> bool:
        """True: stoa's base class is a mapping, and this one would be empty."""
        return True

    @property
    def _identity(self) -> tuple[Any, str]:
        return self.env, self._params_key

    def reset(self, rng_key: Key, env_params: PyTree = None) -> tuple[Any, Any]:
        """Start an episode: `(state, TimeStep)`, its step type FIRST."""
        key_reset, rng_key = jax.random.split(rng_key)
        state, timestep = self.env.reset(key_reset, self._params(env_params))
        first = jnp.asarray(stoa.StepType.FIRST)
        return stoa.StateWithKey(state, rng_key), _stoa_timestep(timestep, first)

    def step(self, state: Any, action: Array, env_params: PyTree = None) -> tuple[Any, Any]:
        """Take `action`: `(state, TimeStep)`, its step type MID, TERMINATED or TRUNCATED."""
        key_step, rng_key = jax.random.split(state.rng_key)
        action = jnp.asarray(action, self.env.action_space.dtype)
        env_state, timestep = self.env.step(
            key_step, state.base_env_state, action, self._params(env_params)
        )
        step_type = jnp.where(
            timestep.truncated, stoa.StepType.TRUNCATED, jnp.asarray(stoa.StepType.MID)
        )
        step_type = jnp.where(timestep.terminated, stoa.StepType.TERMINATED, step_type)
        return stoa.StateWithKey(env_state, rng_key), _stoa_timestep(timestep, step_type)

    def work(self, state: Any, env_params: PyTree = None) -> PyTree:
        """The artefact so far; also through stoa's wrappers and with their states."""
        return self.env.work(state.unwrapped_state, self._params(env_params))

    @_concrete
    def observation_space(self, env_params: PyTree = None) -> Any:
        return stoa_space(self.env.observation_space, "observation")

    @_concrete
    def action_space(self, env_params: PyTree = None) -> Any:
        return stoa_space(self.env.action_space, "action")

    @_concrete
    def reward_space(self, env_params: PyTree = None) -> Any:
        """Any float32."""
        return super().reward_space(env_params)

    @_concrete
    def discount_space(self, env_params: PyTree = None) -> Any:
        """float32 in 0 .. 1; it is 0 or 1."""
        return super().discount_space(env_params)

    @_concrete
    def state_space(self, env_params: PyTree = None) -> Any:
        """A `DictSpace` of the state's arrays by their path, its key a raw one."""
        key = jax.random.key_data(jax.random.key(0))
        state, _ = jax.eval_shape(self.reset, key, self._params(env_params))
        leaves = jax.tree_util.tree_leaves_with_path(state)
        names = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
        arrays = {
            name: stoa.ArraySpace(leaf.shape, leaf.dtype, name)
            for name, (_, leaf) in zip(names, leaves, strict=True)
        }
        return stoa.DictSpace(arrays, "state")

    def _params(self, env_params: PyTree) -> PyTree:
        return self.env_params if env_params is None else env_params


def to_stoa(env_or_id: Any, params: PyTree = None) -> StoaFace:
    """Make an environment of ours look like a stoa environment.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      params: the environment's params where a call gives none; None for its defaults.

    Raises:
      ImportError: stoa is not installed (its package is called stoa-env).
      ValueError: the id is unknown, the environment resets itself, or its actions are named parts.

    Example:
      >>> env = to_stoa("melody-target")
      >>> state, timestep = env.reset(jax.random.key(0))
      >>> state, timestep = env.step(state, 0)
      >>> float(timestep.reward), float(timestep.discount), bool(timestep.mid())
      (1.0, 1.0, True)
    """
    env = core_environment(env_or_id, resetter="stoa's AutoResetWrapper does the resets")
    if isinstance(env.action_space, spaces.Dict):
        raise ValueError(
            f"{type(env).__name__}: stoa trainers take Discrete, MultiDiscrete or Box actions, "
            f"got {env.action_space}"
        )
    return StoaFace(env, params)


def stoa_space(space: spaces.Space, name: str = "") -> Any:
    """The stoa space with the same elements."""
    if isinstance(space, spaces.Discrete):
        return stoa.DiscreteSpace(space.num, space.dtype, name)
    if isinstance(space, spaces.MultiDiscrete):
        return stoa.MultiDiscreteSpace(space.nums, space.dtype, name)
    if isinstance(space, spaces.Box):
        if np.isinf(space.low) and np.isinf(space.high):
            return stoa.ArraySpace(space.shape, space.dtype, name)
        return stoa.BoundedArraySpace(space.shape, space.dtype, space.low, space.high, name)
    return stoa.DictSpace({part: stoa_space(inner, part) for part, inner in space.items()}, name)


def _stoa_timestep(timestep: Timestep, step_type: Array) -> Any:
    extras = dict(timestep.info)
    if timestep.action_mask is not None:
        extras["action_mask"] = timestep.action_mask
    discount = jnp.where(timestep.terminated, jnp.float32(0), jnp.float32(1))
    return stoa.TimeStep(step_type, timestep.reward, discount, timestep.observation, extras)
