"""A policy that draws and a discriminator that judges, trained together: SPIRAL.

Source: Ganin et al., "Synthesizing Programs for Images using Reinforced Adversarial Learning"
(SPIRAL, ICML 2018, arXiv 1804.01118), section 3: the policy is paid for how real the discriminator
takes its picture to be. The discriminator is the environment's (`rewards.judge`), and is trained in
`update_params`; so any learner on a drawing with the goal style is this game, and this one adds
what belongs to the pair: its own discriminator for each seed, their losses, and works.

Deviations: PPO or DQN in place of a distributed actor-critic; the reward is the gain of the
discriminator's probability in every stroke, as in Learning to Paint, and not its score at the end.
"""

from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.configs import DQNConfig, PPOConfig, SpiralConfig, shared, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.learners.dqn import dqn
from creative_rl.learners.picture_learning import check_num_probes, probe_metrics, sample_examples
from creative_rl.learners.ppo import ppo
from creative_rl.spaces import Box, Discrete
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import Wrapper

jax.tree_util.register_dataclass(SpiralConfig)


class SpiralState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is; saving it is an exact checkpoint."""

    policy: PyTree
    """state of the policy's learner; its env_params hold the discriminator"""
    key: Key

    @property
    def env_params(self) -> PyTree:
        """With the discriminator as it is now."""
        return self.policy.env_params


def spiral(env: Any, config: SpiralConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: drawing with the goal style and a fixed horizon, such as `drawing-style`; the policy
        `dqn` takes one with `Discrete` actions.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the environment has no discriminator, its actions are not the policy's, or a
        config field is out of range.
    """
    validate(config, SpiralConfig)
    requirements.one_of("spiral", env, (Discrete, Box))
    requirements.never_resets("spiral", env)
    given = env.default_params if params is None else params
    if isinstance(env, Wrapper) or getattr(given, "judge", None) is None:
        raise ValueError(
            "spiral takes an environment with a discriminator, such as drawing-style or another "
            f"drawing with goal='style', got {type(env).__name__} "
            f"{'around one; leave it out' if isinstance(env, Wrapper) else 'without one'}"
        )
    requirements.fixed_horizon("spiral", env)
    check_num_probes("spiral", "num_probes", config.num_probes)
    policies: dict[str, tuple[Any, type]] = {"ppo": (ppo, PPOConfig), "dqn": (dqn, DQNConfig)}
    make, config_class = policies[config.policy]
    policy_config = config_class(**shared(config, config_class))
    try:
        policy = make(env, policy_config, given)
    except ValueError as error:
        raise ValueError(f"spiral with policy={config.policy!r}: {error}") from None

    def init(key: Key) -> SpiralState:
        key, key_policy, key_judge = jax.random.split(as_key(key), 3)
        judge = env.init_judge(key_judge).replace(
            learning_rate=jnp.asarray(config.discriminator_learning_rate, jnp.float32),
            penalty_coef=jnp.asarray(config.penalty_coef, jnp.float32),
        )
        # Made again, because a learner takes params when it is built, and this seed has a judge.
        started = make(env, policy_config, given.replace(judge=judge))
        return SpiralState(started.init(key_policy), key)

    def update(state: SpiralState) -> tuple[SpiralState, dict[str, Array]]:
        key, key_works, key_rows = jax.random.split(state.key, 3)
        trained, metrics = policy.update(state.policy)
        state = SpiralState(trained, key)
        judge = trained.env_params.judge
        made = generate(state, key_works, config.num_probes).pixels
        real = sample_examples(key_rows, env.examples(state.env_params), config.num_probes)
        metrics |= probe_metrics(real, made.astype(jnp.float32) / 255.0)
        return state, metrics | {
            "discriminator_loss": judge.loss,
            "real_score": judge.real_score,
            "fake_score": judge.fake_score,
        }

    def act(
        state: SpiralState, key: Key, timestep: Timestep, memory: PyTree
    ) -> tuple[Array, PyTree]:
        return policy.act(state.policy, key, timestep, memory)

    def generate(state: SpiralState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...]."""
        params = state.env_params
        return compose(env, params, partial(act, state), policy.init_memory, key, num)

    return Learner(init, update, act, policy.init_memory, policy.steps_per_update, generate)
