"""Our environments for trainers that speak gymnax, 1.x (six values a step) or 0.x (five)."""

import dataclasses
import functools
import math
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import spaces
from creative_rl.interop.construction import core_environment, fingerprint, require
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers import AutoReset, Wrapper

NO_LIMIT = 2**31 - 1
"""`max_steps_in_episode` of an environment without a fixed horizon."""


class FaceParams(flax.struct.PyTreeNode):
    """What gymnax calls the environment's params: ours, and the time limit that trainers read.

    Every field is a pytree of numbers, so params can be vmapped, whole or in part.
    """

    env: PyTree
    max_steps_in_episode: int


class TimedState(flax.struct.PyTreeNode):
    """Our environment's state and the steps taken in this episode."""

    env: PyTree
    time: Array  # int32


@dataclasses.dataclass(frozen=True)
class TimeLimit(Wrapper):
    """Truncates an episode that is still going after `params.max_steps_in_episode` steps.

    By default the limit is the horizon, where the environment ends by itself.
    """

    @property
    def default_params(self) -> FaceParams:
        return self.init_params(self.env.default_params)

    def init_params(self, params: PyTree) -> FaceParams:
        """Params from the wrapped environment's, with its horizon as the limit."""
        return FaceParams(params, self.env.horizon or NO_LIMIT)

    def env_state(self, state: TimedState) -> PyTree:
        return state.env

    def env_params(self, params: FaceParams) -> PyTree:
        return params.env

    def with_env_params(self, params: FaceParams, env_params: PyTree) -> FaceParams:
        return params.replace(env=env_params)

    def reset(self, key: Key, params: FaceParams) -> tuple[TimedState, Timestep]:
        env_state, timestep = self.env.reset(key, params.env)
        return TimedState(env_state, jnp.int32(0)), timestep

    def transition(
        self, key: Key, state: TimedState, action: Array, params: FaceParams
    ) -> tuple[TimedState, Timestep]:
        env_state, timestep = self.env.transition(key, state.env, action, params.env)
        state = TimedState(env_state, state.time + 1)
        late = (state.time >= params.max_steps_in_episode) & ~timestep.terminated
        return state, timestep.replace(truncated=timestep.truncated | late)

    def end(self, state: TimedState, params: FaceParams) -> tuple[Array, Array]:
        terminated, truncated = super().end(state, params)
        late = (state.time >= params.max_steps_in_episode) & ~terminated
        return terminated, truncated | late


@dataclasses.dataclass(frozen=True)
class GymnaxFace:
    """An environment of ours with the methods of a gymnax 1.x environment.

    `step` resets in the step that ends an episode, and keeps what that step led to in
    `info["final_observation"]`; only `info["terminated"]` (and so `info["discount"]` 0) cuts the
    bootstrap. `info` also holds `truncated`, `reward_terms` and, where there is one, the
    `action_mask` of the returned observation. Keys may be typed or raw.

    Two faces of equal environments are equal and share one compilation.

    Attributes:
      env: an `Environment` or a wrapper, without `AutoReset`.
      env_params: params of `env` for `default_params`; None for its own defaults.
    """

    env: Any
    env_params: PyTree = dataclasses.field(default=None, compare=False, repr=False)
    default_params: FaceParams = dataclasses.field(init=False, compare=False, repr=False)
    params_key: str = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        _check_action_space(self.env)
        with jax.ensure_compile_time_eval():
            given = self.env_params is not None
            params = self.env_params if given else self.env.default_params
            object.__setattr__(self, "default_params", self.core.init_params(params))
            object.__setattr__(self, "params_key", fingerprint(params) if given else "")

    @property
    def core(self) -> TimeLimit:
        """The environment below: never resets itself."""
        return TimeLimit(self.env)

    @property
    def name(self) -> str:
        return f"{type(_innermost(self.env)).__name__}-v{self.env.version}"

    @property
    def num_actions(self) -> int:
        """How many actions there are; with a `Box`, how many numbers make one action."""
        space = self.env.action_space
        return space.num if isinstance(space, spaces.Discrete) else math.prod(space.shape)

    def action_space(self, params: FaceParams | None = None) -> Any:
        """A gymnax `Discrete` or `Box`."""
        return gymnax_space(self.env.action_space)

    def observation_space(self, params: FaceParams | None = None) -> Any:
        """A gymnax `Discrete`, `Box` or `Dict`; a `MultiDiscrete` shows as a `Box` of integers."""
        return gymnax_space(self.env.observation_space)

    def reset(self, key: Key, params: FaceParams | None = None) -> tuple[PyTree, TimedState]:
        """Start an episode: `(observation, state)`."""
        return _reset(self.core, key, self._params(params))

    def step(
        self, key: Key, state: TimedState, action: Array, params: FaceParams | None = None
    ) -> tuple[Any, ...]:
        """`(observation, state, reward, terminated, truncated, info)`, reset where one ended."""
        state, timestep = _step(AutoReset(self.core), key, state, action, self._params(params))
        return (
            timestep.observation,
            state,
            timestep.reward,
            timestep.terminated,
            timestep.truncated,
            _info(timestep),
        )

    def reset_env(self, key: Key, params: FaceParams | None = None) -> tuple[PyTree, TimedState]:
        """As `reset`; gymnax's name for it below the automatic reset."""
        return self.reset(key, params)

    def step_env(
        self, key: Key, state: TimedState, action: Array, params: FaceParams | None = None
    ) -> tuple[Any, ...]:
        """`(observation, state, reward, terminated, info)`, without a reset.

        Ask `is_truncated` for the other way to end.
        """
        state, timestep = _step(self.core, key, state, action, self._params(params))
        return timestep.observation, state, timestep.reward, timestep.terminated, _info(timestep)

    def is_terminated(self, state: TimedState, params: FaceParams | None = None) -> Array:
        return self.core.end(state, self._params(params))[0]

    def is_truncated(self, state: TimedState, params: FaceParams | None = None) -> Array:
        return self.core.end(state, self._params(params))[1]

    def action_mask(self, state: TimedState, params: FaceParams | None = None) -> Array | None:
        """bool[A], True = allowed, as after `reset`, which has no info; None without a mask."""
        return self.core.action_mask(state, self._params(params))

    def work(self, state: TimedState, params: FaceParams | None = None) -> PyTree:
        """The artefact so far."""
        return self.core.work(state, self._params(params))

    def _params(self, params: FaceParams | None) -> FaceParams:
        if params is None:
            return self.default_params
        if not isinstance(params, FaceParams):
            raise ValueError(
                f"{self.name}: params must be FaceParams, got {type(params).__name__}; "
                "write face.default_params.replace(env=params)"
            )
        return params


@dataclasses.dataclass(frozen=True)
class LegacyGymnaxFace(GymnaxFace):
    """As `GymnaxFace`, with the five values of gymnax 0.x: `done` is either way to end.

    The info still tells them apart, for trainers that look.
    """

    def step(
        self, key: Key, state: TimedState, action: Array, params: FaceParams | None = None
    ) -> tuple[Any, ...]:
        """`(observation, state, reward, done, info)`, reset where an episode ended."""
        observation, state, reward, terminated, truncated, info = super().step(
            key, state, action, params
        )
        return observation, state, reward, terminated | truncated, info

    def step_env(
        self, key: Key, state: TimedState, action: Array, params: FaceParams | None = None
    ) -> tuple[Any, ...]:
        """`(observation, state, reward, done, info)`, without a reset."""
        observation, state, reward, _, info = super().step_env(key, state, action, params)
        return observation, state, reward, info["terminated"] | info["truncated"], info


def to_gymnax(env_or_id: Any, params: PyTree = None, *, legacy: bool = False) -> GymnaxFace:
    """Make an environment of ours look like a gymnax environment.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      params: the environment's params, for `default_params`; None for its defaults.
      legacy: five values a step, as gymnax 0.x, rejax and purejaxrl-style trainers unpack.

    Raises:
      ImportError: gymnax is not installed.
      ValueError: the action space is not `Discrete` or `Box`, or the environment resets itself.

    Example:
      >>> env = to_gymnax("melody-target")
      >>> observation, state = env.reset(jax.random.key(0), env.default_params)
      >>> observation, state, reward, terminated, truncated, info = env.step(
      ...     jax.random.key(1), state, 0, env.default_params)
      >>> float(reward), int(info["final_observation"])
      (1.0, 1)
    """
    require("gymnax", "gymnax")
    face = LegacyGymnaxFace if legacy else GymnaxFace
    return face(core_environment(env_or_id), params)


def gymnax_space(space: spaces.Space) -> Any:
    """The gymnax space with the same elements."""
    theirs = require("gymnax.environments.spaces", "gymnax")
    if isinstance(space, spaces.Discrete):
        return theirs.Discrete(space.num)
    if isinstance(space, spaces.MultiDiscrete):
        high = np.asarray(space.nums, np.dtype(space.dtype)) - 1
        return theirs.Box(np.zeros_like(high), high, space.shape, space.dtype)
    if isinstance(space, spaces.Box):
        return theirs.Box(space.low, space.high, space.shape, space.dtype)
    return theirs.Dict({name: gymnax_space(part) for name, part in space.items()})


@functools.partial(jax.jit, static_argnums=0)
def _reset(env: TimeLimit, key: Key, params: FaceParams) -> tuple[PyTree, TimedState]:
    state, timestep = env.reset(key, params)
    return timestep.observation, state


@functools.partial(jax.jit, static_argnums=0)
def _step(
    env: Wrapper, key: Key, state: TimedState, action: Array, params: FaceParams
) -> tuple[TimedState, Timestep]:
    space: Any = env.action_space  # Discrete or Box, which have a dtype
    return env.transition(key, state, jnp.asarray(action, space.dtype), params)


def _info(timestep: Timestep) -> dict[str, PyTree]:
    info = {
        **timestep.info,
        "terminated": timestep.terminated,
        "truncated": timestep.truncated,
        "discount": jnp.where(timestep.terminated, jnp.float32(0), jnp.float32(1)),
    }
    if timestep.action_mask is not None:
        info["action_mask"] = timestep.action_mask
    return info


def _check_action_space(env: Any) -> None:
    space = env.action_space
    if not isinstance(space, (spaces.Discrete, spaces.Box)):
        hint = "; wrap it in FlattenActions" if isinstance(space, spaces.MultiDiscrete) else ""
        raise ValueError(
            f"{type(env).__name__}: gymnax trainers take Discrete or Box actions, got {space}{hint}"
        )


def _innermost(env: Any) -> Any:
    while isinstance(env, Wrapper):
        env = env.env
    return env
