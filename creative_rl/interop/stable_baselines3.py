"""Our environments as Stable-Baselines3's `VecEnv`. Needs the extra `sb3`.

model = PPO("MlpPolicy", to_stable_baselines3("melody-theory", num_envs=64))
model.learn(100_000)
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creative_rl.interop.construction import core_environment, require
from creative_rl.interop.gymnasium import GymnasiumVectorFace
from creative_rl.typing import PyTree

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv
else:
    VecEnv = require("stable_baselines3.common.vec_env", "sb3").VecEnv


class StableBaselinesFace(VecEnv):
    """`num_envs` environments in one program, each reset in the step that ends its episode.

    Where an episode ended, its info has `terminal_observation`, and `TimeLimit.truncated` where it
    was cut, which its learners bootstrap from. `seed` takes effect with the next `reset`.
    """

    def __init__(self, envs: GymnasiumVectorFace):
        self.envs = envs  # asked for its attributes by the line below
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Any:
        """Start all episodes; without a seed, the streams of random numbers go on."""
        seeds = None if None in self._seeds else self._seeds
        self._reset_seeds()
        return self.envs.reset(seed=seeds)[0]

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take the actions: observations, rewards, endings, and an info for each environment."""
        observations, rewards, terminated, truncated, info = self.envs.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(terminated | truncated):
            infos[index]["terminal_observation"] = info["final_obs"][index]
            infos[index]["TimeLimit.truncated"] = bool(truncated[index] and not terminated[index])
        return observations, rewards.astype(np.float32), terminated | truncated, infos

    def close(self) -> None:
        """Nothing is held outside of this process."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the batch, once for each environment."""
        return [getattr(self.envs, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: environments are values."""
        raise NotImplementedError("environments are values: make another face, with other params")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Refused: there is one program, and no object for each environment."""
        raise NotImplementedError(f"there is no object for each environment to call {method_name}")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Never: gymnasium's wrappers are around single environments."""
        return [False] * len(self._chosen(indices))

    def _chosen(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))


def to_stable_baselines3(
    env_or_id: Any, num_envs: int, params: PyTree = None
) -> StableBaselinesFace:
    """Make a batch of an environment of ours what Stable-Baselines3 calls a `VecEnv`.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      num_envs: how many run side by side.
      params: the environment's params, the same for all; None for its defaults.

    Raises:
      ValueError: the id is unknown, the environment resets itself, its actions are a `Dict`, or
        `num_envs` is below 1.
    """
    return StableBaselinesFace(GymnasiumVectorFace(core_environment(env_or_id), num_envs, params))
