"""Our environments as `gymnasium.Env` and `gymnasium.vector.VectorEnv`, stepped by XLA.

Everything handed out is a NumPy array (or a Python number) of the consumer's own: it may write
there. Needs the extra `gym`.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from creative_rl import spaces
from creative_rl.interop.construction import core_environment, require
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers import AutoReset

if TYPE_CHECKING:
    import gymnasium
else:
    gymnasium = require("gymnasium", "gym")


class GymnasiumFace(gymnasium.Env):
    """One environment. Past the end of an episode it stays there, with zero reward.

    `info` holds `reward_terms` and, where the environment has one, `action_mask`; `work()` gives
    the artefact so far. There is no rendering: a work displays and writes itself.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (gymnasium declares it so)
    render_mode = None

    def __init__(self, env: Any, params: PyTree = None):
        self.env = env
        self._actions = _array_actions(env)
        self.params = env.default_params if params is None else params
        self.observation_space = gymnasium_space(env.observation_space)
        self.action_space = gymnasium_space(env.action_space)
        self._key: Key | None = None
        self._state: PyTree = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; without a seed, the stream of random numbers goes on."""
        super().reset(seed=seed)
        if seed is not None or self._key is None:
            self._key = jax.random.key(_seed(self.np_random))
        self._key, self._state, timestep = _reset(self.env, self._key, self.params)
        timestep = jax.device_get(timestep)
        return self._observation(timestep), _step_info(timestep)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take `action`, an element of `action_space`."""
        if self._state is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        action = np.asarray(action, self._actions.dtype)
        self._key, self._state, timestep = _step(
            self.env, self._key, self._state, action, self.params
        )
        timestep = jax.device_get(timestep)
        return (
            self._observation(timestep),
            float(timestep.reward),
            bool(timestep.terminated),
            bool(timestep.truncated),
            _step_info(timestep),
        )

    def work(self) -> PyTree:
        """The artefact so far, as arrays on the host."""
        if self._state is None:
            raise gymnasium.error.ResetNeeded("call reset() before work()")
        return jax.device_get(self.env.work(self._state, self.params))

    def _observation(self, timestep: Timestep) -> Any:
        return _to_numpy(self.observation_space, timestep.observation)


class GymnasiumVectorFace(gymnasium.vector.VectorEnv):
    """`num_envs` environments in one program, each reset in the step that ends its episode.

    Where episodes ended, `info["final_obs"]` (an object array under the mask `_final_obs`) has
    the observation that the step led to, and `info["final_info"]` the step's info. Reward, flags
    and `info["reward_terms"]` are always the step's own; the observation and
    `info["action_mask"]` are what the next action is chosen from.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (gymnasium declares it so)
        "render_modes": [],
        "autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP,
    }

    def __init__(self, env: Any, num_envs: int, params: PyTree = None):
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.num_envs = num_envs
        self.env = AutoReset(env)
        self._actions = _array_actions(env)
        self.params = env.default_params if params is None else params
        self.single_observation_space = gymnasium_space(env.observation_space)
        self.single_action_space = gymnasium_space(env.action_space)
        batch_space = gymnasium.vector.utils.batch_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._keys: Key | None = None
        self._states: PyTree = None

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start all episodes; without a seed, the streams of random numbers go on.

        A sequence of seeds starts each environment as `GymnasiumFace.reset` does.
        """
        if options and "reset_mask" in options:
            raise ValueError(
                "reset_mask is for vector environments without autoreset; this one resets in the "
                "step that ends an episode"
            )
        if seed is not None or self._keys is None:
            self._keys = jax.vmap(jax.random.key)(self._seeds(seed))
        self._keys, self._states, timesteps = _reset_all(self.env, self._keys, self.params)
        timesteps, _ = _on_host(timesteps)
        info = _masked(_step_info(timesteps), np.ones(self.num_envs, np.bool_))
        return _to_numpy(self.observation_space, timesteps.observation), info

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in every environment: a batch in `action_space`."""
        if self._states is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        actions = np.asarray(actions, self._actions.dtype)
        expected = (self.num_envs, *self._actions.shape)
        if actions.shape != expected:
            raise ValueError(f"actions must have the shape {expected}, got {actions.shape}")
        self._keys, self._states, timesteps = _step_all(
            self.env, self._keys, self._states, actions, self.params
        )
        timesteps, final_observation = _on_host(timesteps)
        info = _masked(_step_info(timesteps), np.ones(self.num_envs, np.bool_))
        ended = np.asarray(timesteps.ended)
        if ended.any():
            info.update(self._endings(timesteps, final_observation, ended))
        return (
            _to_numpy(self.observation_space, timesteps.observation),
            np.array(timesteps.reward, np.float64),
            np.array(timesteps.terminated),
            np.array(timesteps.truncated),
            info,
        )

    def _endings(
        self, timesteps: Timestep, final_observation: PyTree, ended: np.ndarray
    ) -> dict[str, Any]:
        """What gymnasium tells of the episodes that ended: info under the mask `ended`."""
        batch = jax.device_get(final_observation)
        observations = np.full(self.num_envs, None, dtype=object)
        for index in np.flatnonzero(ended):
            one = jax.tree.map(lambda leaf, index=index: leaf[index], batch)
            observations[index] = _to_numpy(self.single_observation_space, one)
        info = _step_info(timesteps)
        info.pop("action_mask", None)  # of the next episode already
        return {
            "final_obs": observations,
            "_final_obs": ended.copy(),
            "final_info": _masked(info, ended),
            "_final_info": ended.copy(),
        }

    def _seeds(self, seed: int | Sequence[int | None] | None) -> np.ndarray:
        """uint32[num_envs]: where each stream of random numbers starts."""
        if seed is None or isinstance(seed, (int, np.integer)):
            super().reset(seed=seed)
            return self.np_random.integers(2**32, size=self.num_envs, dtype=np.uint32)
        if len(seed) != self.num_envs:
            raise ValueError(
                f"seeds must be one number or {self.num_envs}, one each; got {len(seed)}"
            )
        generators = [gymnasium.utils.seeding.np_random(one)[0] for one in seed]
        return np.asarray([_seed(generator) for generator in generators], np.uint32)


def to_gymnasium(env_or_id: Any, params: PyTree = None) -> GymnasiumFace:
    """Make an environment of ours a `gymnasium.Env`.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      params: the environment's params; None for its defaults.

    Raises:
      ValueError: the id is unknown, the environment resets itself, or its actions are a `Dict`.

    Example:
      >>> env = to_gymnasium("melody-target-tutorial")
      >>> observation, info = env.reset(seed=0)
      >>> env.step(0)[:4]
      (np.int64(1), 1.0, False, False)
    """
    return GymnasiumFace(core_environment(env_or_id), params)


def to_gymnasium_vector(
    env_or_id: Any, num_envs: int, params: PyTree = None
) -> GymnasiumVectorFace:
    """Make a batch of an environment of ours a `gymnasium.vector.VectorEnv`.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      num_envs: how many run side by side.
      params: the environment's params, the same for all; None for its defaults.

    Raises:
      ValueError: as `to_gymnasium`, or `num_envs` is below 1.

    Example:
      >>> envs = to_gymnasium_vector("melody-target", 3)
      >>> observations, info = envs.reset(seed=0)
      >>> envs.step([0, 0, 1])[1]
      array([1., 1., 0.])
    """
    return GymnasiumVectorFace(core_environment(env_or_id), num_envs, params)


def gymnasium_space(space: spaces.Space) -> Any:
    """The gymnasium space with the same elements."""
    theirs = gymnasium.spaces
    if isinstance(space, spaces.Discrete):
        return theirs.Discrete(space.num)
    if isinstance(space, spaces.MultiDiscrete):
        return theirs.MultiDiscrete(list(space.nums), np.dtype(space.dtype))
    if isinstance(space, spaces.Box):
        dtype = np.dtype(space.dtype)
        bound = int if np.issubdtype(dtype, np.integer) else float
        return theirs.Box(bound(space.low), bound(space.high), space.shape, dtype)
    return theirs.Dict({name: gymnasium_space(part) for name, part in space.items()})


@functools.partial(jax.jit, static_argnums=0)
def _reset(env: Any, key: Key, params: PyTree) -> tuple[Key, PyTree, Timestep]:
    key, key_reset = jax.random.split(key)
    return key, *env.reset(key_reset, params)


@functools.partial(jax.jit, static_argnums=0)
def _step(
    env: Any, key: Key, state: PyTree, action: Array, params: PyTree
) -> tuple[Key, PyTree, Timestep]:
    key, key_step = jax.random.split(key)
    return key, *env.step(key_step, state, action, params)


@functools.partial(jax.jit, static_argnums=0)
def _reset_all(env: Any, keys: Key, params: PyTree) -> tuple[Key, PyTree, Timestep]:
    return jax.vmap(functools.partial(_reset, env), (0, None))(keys, params)


@functools.partial(jax.jit, static_argnums=0)
def _step_all(
    env: Any, keys: Key, states: PyTree, actions: Array, params: PyTree
) -> tuple[Key, PyTree, Timestep]:
    step = functools.partial(_step, env)
    return jax.vmap(step, (0, 0, 0, None))(keys, states, actions, params)


def _array_actions(env: Any) -> spaces.Discrete | spaces.MultiDiscrete | spaces.Box:
    """The action space, whose elements must be single arrays."""
    if isinstance(env.action_space, spaces.Dict):
        raise ValueError(
            f"{type(env).__name__}: an action must be one array for gymnasium (Discrete, "
            f"MultiDiscrete or Box), got {env.action_space}"
        )
    return env.action_space


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**32, dtype=np.uint32))


def _to_numpy(space: Any, element: PyTree) -> Any:
    """A copy of an element of `space` in the types that gymnasium expects."""
    if isinstance(space, gymnasium.spaces.Dict):
        return {name: _to_numpy(part, element[name]) for name, part in space.items()}
    if isinstance(space, gymnasium.spaces.Discrete):
        return np.int64(element)
    return np.array(element, space.dtype)


def _on_host(timesteps: Timestep) -> tuple[Timestep, PyTree]:
    """The batch as read-only NumPy arrays; and, still on the device, the last observations."""
    info = dict(timesteps.info)
    final_observation = info.pop("final_observation")
    return jax.device_get(timesteps.replace(info=info)), final_observation


def _step_info(timestep: Timestep) -> dict[str, Any]:
    """The info and the action mask: copies of arrays, and Python numbers for scalars."""
    info = dict(timestep.info)
    if timestep.action_mask is not None:
        info["action_mask"] = timestep.action_mask
    return jax.tree.map(lambda leaf: leaf.item() if leaf.ndim == 0 else np.array(leaf), info)


def _masked(info: dict[str, PyTree], mask: np.ndarray) -> dict[str, Any]:
    """`info` with, beside every entry, the mask of the environments that it is for."""
    masked = {}
    for name, value in info.items():
        masked[name] = _masked(value, mask) if isinstance(value, dict) else value
        masked[f"_{name}"] = mask.copy()
    return masked
