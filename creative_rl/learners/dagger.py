"""DAgger: imitation of an environment's own rule, on the observations that the learner comes to.

Source: Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning" (AISTATS 2011, arXiv 1011.0686), algorithm 3.1 with its parameter-free
mixture: at first the rule plays (which is cloning), then the policy does, and all the while the
rule says what it would do; the policy is fitted to all that was said so far. The rule may see more
than the policy: what is in `env.rule_sees` is hidden from it, when it learns and when it acts.

Deviation: a round is a few steps and a few gradients on the newest `replay_size` of all steps, and
not whole episodes and a fit to everything.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import DAggerConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model
from creative_rl.ops import distributions, schedules
from creative_rl.spaces import Dict, Space
from creative_rl.stores import replay
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(DAggerConfig)


class DAggerState(flax.struct.PyTreeNode):
    """Everything that a run of DAgger is; saving it is an exact checkpoint."""

    variables: PyTree
    opt_state: PyTree
    replay: replay.Replay  # of `Step`
    env_params: PyTree
    stream: stream.Stream
    key: Key
    num_updates: Array  # int32


class Step(NamedTuple):
    """What is kept of a step."""

    observation: PyTree  # without what is hidden
    action_mask: Array | None
    action: Array  # the rule's, whoever played


def dagger(env: Any, config: DAggerConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with a rule and `Discrete` actions, not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Returns:
      The learner, whose `act` also takes observations without what is hidden.

    Raises:
      ValueError: the environment has no rule or other actions, a config field is out of range, or
        the replay is smaller than a batch or than what one update adds.
    """
    validate(config, DAggerConfig)
    num_actions = requirements.num_actions("dagger", env)
    requirements.never_resets("dagger", env)
    requirements.has_rule("dagger", env)
    steps_per_update = config.num_envs * config.num_steps
    for name, number in (
        ("batch_size", config.batch_size),
        ("num_envs * num_steps", steps_per_update),
    ):
        requirements.at_most("dagger", name, number, "replay_size", config.replay_size)
    logged_env, action_type = EpisodeLog(env), env.action_space.dtype
    space = _shown_space(env)
    model = Model(space=space, num_outputs=num_actions, head_scale=0.01, **shared(config, Model))
    learning_rate = schedules.linear_decay(
        config.learning_rate, config.decay_updates, config.num_epochs
    )
    # One flat vector: a handful of small arrays would cost as many times the kernels.
    optimizer = optax.flatten(
        optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.adam(learning_rate))
    )

    def init(key: Key) -> DAggerState:
        key, key_model, key_reset = jax.random.split(as_key(key), 3)
        variables = model.init(key_model, space.zeros(), ())
        env_params = start_params(env, params)
        current = stream.init(logged_env, key_reset, env_params, config.num_envs)
        one = jax.tree.map(lambda leaf: leaf[0], current.timestep)
        item = Step(_shown(space, one.observation), one.action_mask, jnp.int32(0))
        return DAggerState(
            variables=variables,
            opt_state=optimizer.init(variables),
            replay=replay.init(item, config.replay_size, config.num_envs, config.num_steps),
            env_params=env_params,
            stream=current,
            key=key,
            num_updates=jnp.int32(0),
        )

    def logits_of(variables: PyTree, observation: PyTree, action_mask: Array | None) -> Array:
        logits, _ = model.apply(variables, _shown(space, observation), ())
        return distributions.mask_logits(logits, action_mask)

    @jax.named_scope("collect")
    def collect(state: DAggerState, key: Key) -> tuple[DAggerState, Timestep, dict[str, Array]]:
        num_steps = schedules.environment_steps(state.num_updates, steps_per_update)
        is_ruled = num_steps < config.rule_steps

        def step(current, keys):
            timestep = current.timestep
            logits = logits_of(state.variables, timestep.observation, timestep.action_mask)
            ruled = jax.vmap(env.rule_action)(timestep.observation).astype(jnp.int32)
            own = distributions.most_likely(logits)
            action = jnp.where(is_ruled, ruled, own).astype(action_type)
            following = stream.step(logged_env, keys, current, action, state.env_params)
            said = Step(_shown(space, timestep.observation), timestep.action_mask, ruled)
            return following, (said, following.timestep, own == ruled)

        keys = stream.step_keys(key, config.num_steps, config.num_envs)
        current, (steps, timesteps, agrees) = jax.lax.scan(step, state.stream, keys)
        state = state.replace(
            env_params=logged_env.update_params(state.env_params, timesteps),
            stream=current,
            replay=replay.add(state.replay, steps, timesteps.ended),
        )
        agreement = agrees.astype(jnp.float32).mean()
        return state, timesteps, {"agreement": agreement, "ruled": is_ruled.astype(jnp.float32)}

    def loss_fn(variables: PyTree, steps: Step) -> Array:
        """Mean nats that the rule's actions cost."""
        logits = logits_of(variables, steps.observation, steps.action_mask)
        return -distributions.categorical_log_prob(logits, steps.action).mean()

    @jax.named_scope("learn")
    def learn(state: DAggerState, keys: Key) -> tuple[DAggerState, Array]:
        def gradient_step(carry, key):
            variables, opt_state = carry
            windows = replay.sample(state.replay, key, config.batch_size)
            steps = jax.tree.map(lambda leaf: leaf[0], windows.items)
            loss, gradients = jax.value_and_grad(loss_fn)(variables, steps)
            updates, opt_state = optimizer.update(gradients, opt_state, variables)
            return (optax.apply_updates(variables, updates), opt_state), loss

        carry = (state.variables, state.opt_state)
        (variables, opt_state), losses = jax.lax.scan(gradient_step, carry, keys)
        return state.replace(variables=variables, opt_state=opt_state), losses.mean()

    def update(state: DAggerState) -> tuple[DAggerState, dict[str, Array]]:
        keys = jax.random.split(state.key, 2 + config.num_epochs)
        state, timesteps, metrics = collect(state.replace(key=keys[0]), keys[1])
        state, loss = learn(state, keys[2:])
        state = state.replace(num_updates=state.num_updates + 1)
        return state, {"loss": loss, **metrics} | episode_metrics(timesteps)

    def outputs(state: DAggerState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        logits = logits_of(state.variables, timestep.observation, timestep.action_mask)
        return logits, memory

    def choose(key: Key, outputs: Array) -> Array:
        return distributions.most_likely(outputs).astype(action_type)

    policy = Policy(outputs, choose)
    return Learner(init, update, policy.act, tuple, steps_per_update, policy=policy)


def _shown_space(env: Any) -> Space:
    """What the policy observes."""
    space = env.observation_space
    if not env.rule_sees:
        return space
    return Dict({name: part for name, part in space.items() if name not in env.rule_sees})


def _shown(space: Space, observation: PyTree) -> PyTree:
    """Of an observation what belongs to the space."""
    if not isinstance(space, Dict):
        return observation
    return {name: observation[name] for name, _ in space.items()}
