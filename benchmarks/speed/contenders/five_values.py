"""A gymnax 1.x environment with the five values of gymnax 0.x, which older trainers unpack."""

from typing import Any

from gymnax import make as make_six_values


class FiveValues:
    """Forwards to the environment; `done` is either way to end.

    The info is reduced to what gymnax 0.x had, because trainers stack it over all steps.
    """

    def __init__(self, env: Any):
        self._env = env

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_env":  # copying asks before `_env` is there
            raise AttributeError(name)
        return getattr(self._env, name)

    def __deepcopy__(self, memo: dict) -> "FiveValues":
        return self

    def step(self, key: Any, state: Any, action: Any, params: Any = None) -> tuple[Any, ...]:
        observation, state, reward, terminated, truncated, info = self._env.step(
            key, state, action, params
        )
        info = {name: value for name, value in info.items() if name == "discount"}
        return observation, state, reward, terminated | truncated, info


def make(name: str) -> tuple[FiveValues, Any]:
    """As `gymnax.make`: the environment and its params."""
    env, params = make_six_values(name)
    return FiveValues(env), params
