"""The base of all wrappers: an environment around an environment."""

import dataclasses
from typing import Any

from creative_rl.environment import absorbing_step
from creative_rl.spaces import Space
from creative_rl.typing import Array, Candidates, Key, PyTree, Timestep


@dataclasses.dataclass(frozen=True)
class Wrapper:
    """Passes everything on to `env`; a subclass overrides what it changes.

    One with a `__post_init__` of its own calls this one's first: it refuses what is no environment.

    A wrapper with a state of its own overrides `env_state`, one with params of its own `env_params`
    and `with_env_params`: they find and replace the wrapped environment's inside. Most others
    override `reset` and `transition`.

    Attributes:
      env: an `Environment` or another wrapper.
    """

    env: Any

    def __post_init__(self):
        is_one = all(callable(getattr(self.env, name, None)) for name in ("reset", "transition"))
        if isinstance(self.env, type) or not is_one:
            raise ValueError(
                f"{type(self).__name__}: env must be an environment, such as "
                f'make("melody-target"), got {self.env!r}'
            )

    @property
    def version(self) -> int:
        return self.env.version

    @property
    def differentiable(self) -> bool:
        return self.env.differentiable

    @property
    def observation_space(self) -> Space:
        return self.env.observation_space

    @property
    def action_space(self) -> Space:
        return self.env.action_space

    @property
    def horizon(self) -> int | None:
        return self.env.horizon

    @property
    def default_params(self) -> PyTree:
        return self.env.default_params

    @property
    def num_states(self) -> int | None:
        return self.env.num_states

    def state_index(self, observation: PyTree) -> Array:
        return self.env.state_index(observation)

    def candidates(self, observation: PyTree, params: PyTree) -> Candidates:
        return self.env.candidates(observation, self.env_params(params))

    def rule_action(self, observation: PyTree) -> Array:
        return self.env.rule_action(observation)

    @property
    def rule_sees(self) -> tuple[str, ...]:
        return self.env.rule_sees

    def examples(self, params: PyTree) -> Array:
        return self.env.examples(self.env_params(params))

    def appearance(self, state: PyTree, params: PyTree) -> Array:
        return self.env.appearance(self.env_state(state), self.env_params(params))

    def relaxed_appearance(self, actions: Array, params: PyTree) -> Array:
        return self.env.relaxed_appearance(actions, self.env_params(params))

    def env_state(self, state: PyTree) -> PyTree:
        """The wrapped environment's state inside this wrapper's."""
        return state

    def env_params(self, params: PyTree) -> PyTree:
        """The wrapped environment's params inside this wrapper's."""
        return params

    def with_env_params(self, params: PyTree, env_params: PyTree) -> PyTree:
        """This wrapper's params with other ones for the wrapped environment inside."""
        return env_params

    def update_params(self, params: PyTree, timesteps: Timestep) -> PyTree:
        """As `Environment.update_params`; the timesteps are the outermost wrapper's."""
        env_params = self.env.update_params(self.env_params(params), timesteps)
        return self.with_env_params(params, env_params)

    def reset(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        return self.env.reset(key, params)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        return self.env.transition(key, state, action, params)

    def step(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        return absorbing_step(self, key, state, action, params)

    def observe(self, state: PyTree, params: PyTree) -> PyTree:
        return self.env.observe(self.env_state(state), self.env_params(params))

    def end(self, state: PyTree, params: PyTree) -> tuple[Array, Array]:
        return self.env.end(self.env_state(state), self.env_params(params))

    def action_mask(self, state: PyTree, params: PyTree) -> Array | None:
        return self.env.action_mask(self.env_state(state), self.env_params(params))

    def work(self, state: PyTree, params: PyTree) -> PyTree:
        return self.env.work(self.env_state(state), self.env_params(params))


def with_term(timestep: Timestep, name: str, value: Array, reward: Array) -> Timestep:
    """The timestep with one more reward term, and its share of the reward.

    Raises:
      ValueError: it has a term of that name, whose value would be lost.
    """
    terms = timestep.info["reward_terms"]
    if name in terms:
        raise ValueError(
            f"a wrapper adds terms of its own, which the environment must not have, got {name!r} "
            f"beside {', '.join(terms)}"
        )
    terms = {**terms, name: value}
    return timestep.replace(
        reward=timestep.reward + reward, info={**timestep.info, "reward_terms": terms}
    )
