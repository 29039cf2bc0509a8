"""A learned reward: the log-likelihood of each action under a sequence model."""

import dataclasses
import math
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.spaces import Box, Dict, Discrete, Space
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper, with_term


class LikelihoodRewardState(flax.struct.PyTreeNode):
    """The wrapped environment's state and what the model expects next."""

    env: PyTree
    memory: PyTree
    log_probs: Array  # float32[A], of the next action


class LikelihoodRewardParams(flax.struct.PyTreeNode):
    """The wrapped environment's params, the model's variables and the term's weight."""

    env: PyTree
    variables: PyTree
    weight: Array  # float32


@dataclasses.dataclass(frozen=True)
class LikelihoodReward(Wrapper):
    """Adds `weight * log p(action | what was observed)`, the term `log_likelihood`.

    With the same weight as `entropy_reward_coef` in `PPOConfig`, the two make KL control towards
    the model: reward - weight KL(policy || model) (Jaques et al., arXiv 1611.02796).

    Attributes:
      model: flax module with `init_memory()` and `__call__(observation, memory) -> (logits,
        memory)`, over the environment's observations and `Discrete` actions.
      observe_prior: observations become a dict of the wrapped `observation` and
        `prior_log_probs` (float32[A]), the model's log-probabilities of the next action, which
        G-learning needs.
    """

    model: Any
    observe_prior: bool = False

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.env.action_space, Discrete):
            raise ValueError(
                "LikelihoodReward: actions must be Discrete, since a model gives each a "
                f"probability, got {self.env.action_space}"
            )

    @property
    def observation_space(self) -> Space:
        if not self.observe_prior:
            return self.env.observation_space
        log_probs = Box(-math.inf, 0.0, (self.env.action_space.num,))
        return Dict({"observation": self.env.observation_space, "prior_log_probs": log_probs})

    @property
    def default_params(self) -> LikelihoodRewardParams:
        observation = self.env.observation_space.zeros()
        variables = self.model.init(jax.random.key(0), observation, self.model.init_memory())
        return self.init_params(self.env.default_params, variables)

    def init_params(
        self, params: PyTree, variables: PyTree, weight: float = 1.0
    ) -> LikelihoodRewardParams:
        """Params from the wrapped environment's and the model's variables."""
        return LikelihoodRewardParams(params, variables, jnp.asarray(weight, jnp.float32))

    def env_state(self, state: LikelihoodRewardState) -> PyTree:
        return state.env

    def env_params(self, params: LikelihoodRewardParams) -> PyTree:
        return params.env

    def with_env_params(
        self, params: LikelihoodRewardParams, env_params: PyTree
    ) -> LikelihoodRewardParams:
        return params.replace(env=env_params)

    def reset(
        self, key: Key, params: LikelihoodRewardParams
    ) -> tuple[LikelihoodRewardState, Timestep]:
        env_state, timestep = self.env.reset(key, params.env)
        memory = self.model.init_memory()
        state = self._listen(env_state, timestep, memory, params)
        timestep = timestep.replace(observation=self._shown(timestep.observation, state))
        return state, with_term(timestep, "log_likelihood", jnp.float32(0), jnp.float32(0))

    def transition(
        self, key: Key, state: LikelihoodRewardState, action: Array, params: LikelihoodRewardParams
    ) -> tuple[LikelihoodRewardState, Timestep]:
        env_state, timestep = self.env.transition(key, state.env, action, params.env)
        log_likelihood = state.log_probs[action]
        state = self._listen(env_state, timestep, state.memory, params)
        timestep = timestep.replace(observation=self._shown(timestep.observation, state))
        return state, with_term(
            timestep, "log_likelihood", log_likelihood, params.weight * log_likelihood
        )

    def observe(self, state: LikelihoodRewardState, params: LikelihoodRewardParams) -> PyTree:
        return self._shown(self.env.observe(state.env, params.env), state)

    def _shown(self, observation: PyTree, state: LikelihoodRewardState) -> PyTree:
        if not self.observe_prior:
            return observation
        return {"observation": observation, "prior_log_probs": state.log_probs}

    def _listen(
        self, env_state: PyTree, timestep: Timestep, memory: PyTree, params: LikelihoodRewardParams
    ) -> LikelihoodRewardState:
        logits, memory = self.model.apply(params.variables, timestep.observation, memory)
        return LikelihoodRewardState(env_state, memory, jax.nn.log_softmax(logits))
