"""Advantage actor-critic: one gradient step on every rollout, feed-forward or recurrent.

Source: Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (arXiv 1602.01783),
algorithm S3, with all actors in step; the entropy bonus of its section 4.

Deviations: actors wait for each other instead of racing; policy and value have networks of their
own; advantages tell truncation from termination (a truncated step bootstraps from its true last
observation); `gae_lambda` below 1 makes them generalised estimates (arXiv 1506.02438).
"""

from functools import partial
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import PER_ENVIRONMENT
from creative_rl.configs import A2CConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model, clear_memory, last_memory, repeat_memory
from creative_rl.ops import distributions, returns, schedules
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(A2CConfig)


class A2CState(flax.struct.PyTreeNode):
    """Everything that a run of A2C is; saving it is an exact checkpoint."""

    variables: PyTree  # of "actor" and "critic"
    opt_state: PyTree
    env_params: PyTree
    stream: stream.Stream
    # of "actor" and "critic", from before the timestep
    memory: PyTree = flax.struct.field(metadata=PER_ENVIRONMENT)
    key: Key
    num_updates: Array  # int32


class Rollout(NamedTuple):
    """Collected steps, leaves [T, B, ...]."""

    observation: PyTree
    action_mask: Array | None
    starts: Array
    choice: Array
    timestep: Timestep  # what the choice led to


def a2c(env: Any, config: A2CConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete`, `MultiDiscrete` or bounded `Box` actions, not wrapped in
        `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is none of these, or a config field is out of range.

    Example:
      >>> import creative_rl as crl
      >>> learner = a2c(crl.make("melody-target"), A2CConfig(num_envs=4, num_steps=16))
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> int(metrics["num_episodes"])
      4
    """
    validate(config, A2CConfig)
    head = requirements.action_head("a2c", env, params)
    requirements.never_resets("a2c", env)
    logged_env = EpisodeLog(env)
    network = dict(space=env.observation_space, **shared(config, Model))
    models = {
        "actor": Model(num_outputs=head.num_outputs, head_scale=0.01, **network),
        "critic": Model(num_outputs=1, **network),
    }
    fresh = {name: model.init_memory() for name, model in models.items()}
    learning_rate = schedules.linear_decay(config.learning_rate, config.decay_updates)
    # One flat vector: a dozen small arrays would cost a dozen times the kernels.
    optimizer = optax.flatten(
        optax.chain(
            optax.clip_by_global_norm(config.max_grad_norm),
            optax.rmsprop(learning_rate, decay=config.rms_decay, eps=1e-5, eps_in_sqrt=False),
        )
    )

    def init(key: Key) -> A2CState:
        key, key_actor, key_critic, key_reset = jax.random.split(as_key(key), 4)
        observation = env.observation_space.zeros()
        variables = {
            name: models[name].init(key_model, observation, fresh[name])
            for name, key_model in (("actor", key_actor), ("critic", key_critic))
        }
        env_params = start_params(env, params)
        return A2CState(
            variables=variables,
            opt_state=optimizer.init(variables),
            env_params=env_params,
            stream=stream.init(logged_env, key_reset, env_params, config.num_envs),
            memory=repeat_memory(fresh, config.num_envs),
            key=key,
            num_updates=jnp.int32(0),
        )

    @jax.named_scope("collect")
    def collect(state: A2CState, key: Key) -> tuple[stream.Stream, PyTree, Rollout]:
        """The stream and the actor's memory after the rollout, and the rollout."""
        model, variables = models["actor"], state.variables["actor"]

        def step(carry, randomness):
            current, memory = carry
            noise, keys = randomness
            timestep = current.timestep
            memory = clear_memory(memory, fresh["actor"], current.starts)
            outputs, memory = model.apply(variables, timestep.observation, memory)
            outputs = distributions.mask_logits(outputs, timestep.action_mask)
            choice = head.choose(outputs, noise)
            following = stream.step(
                logged_env, keys, current, head.action(choice), state.env_params
            )
            collected = Rollout(
                timestep.observation,
                timestep.action_mask,
                current.starts,
                choice,
                following.timestep,
            )
            return (following, memory), collected

        # All randomness at once: in the loop, small draws would cost more than the network.
        key_noise, key_step = jax.random.split(key)
        shape = (config.num_steps, config.num_envs)
        randomness = (head.noise(key_noise, shape), stream.step_keys(key_step, *shape))
        carry = (state.stream, state.memory["actor"])
        (current, memory), rollout = jax.lax.scan(step, carry, randomness)
        return current, memory, rollout

    def value(variables: PyTree, observation: PyTree, memory: PyTree) -> Array:
        outputs: Any = models["critic"].apply(variables, observation, memory, method="peek")
        return outputs[..., 0]

    def loss_fn(
        variables: PyTree, rollout: Rollout, memory: PyTree
    ) -> tuple[Array, tuple[PyTree, dict[str, Array]]]:
        outputs, _ = models["actor"].apply(
            variables["actor"], rollout.observation, rollout.starts, memory["actor"],
            method="unroll",
        )  # fmt: skip
        outputs = distributions.mask_logits(outputs, rollout.action_mask)
        values, memories = models["critic"].apply(
            variables["critic"], rollout.observation, rollout.starts, memory["critic"],
            method="unroll",
        )  # fmt: skip
        values = values[..., 0]
        critic, baseline, fixed_memories = jax.lax.stop_gradient(
            (variables["critic"], values, memories)
        )
        next_values = stream.next_values(
            partial(value, critic), baseline, fixed_memories, rollout.timestep
        )
        advantages = returns.generalized_advantages(
            rollout.timestep.reward,
            baseline,
            next_values,
            rollout.timestep.terminated,
            rollout.timestep.ended,
            config.gamma,
            config.gae_lambda,
        )
        value_loss = 0.5 * jnp.square(baseline + advantages - values).mean()
        if config.normalize_advantages:
            advantages = returns.normalized(advantages)
        policy_loss = -(head.log_prob(outputs, rollout.choice) * advantages).mean()
        entropy = head.entropy(outputs).mean()
        total = policy_loss + config.value_coef * value_loss - config.entropy_coef * entropy
        return total, (last_memory(memories), {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "value_mean": values.mean(),
        })  # fmt: skip

    def update(state: A2CState) -> tuple[A2CState, dict[str, Array]]:
        key, key_collect = jax.random.split(state.key)
        current, actor_memory, rollout = collect(state, key_collect)
        gradients, (critic_memory, metrics) = jax.grad(loss_fn, has_aux=True)(
            state.variables, rollout, state.memory
        )
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.variables)
        state = state.replace(
            variables=optax.apply_updates(state.variables, updates),
            opt_state=opt_state,
            env_params=logged_env.update_params(state.env_params, rollout.timestep),
            stream=current,
            memory={"actor": actor_memory, "critic": critic_memory},
            key=key,
            num_updates=state.num_updates + 1,
        )
        return state, metrics | episode_metrics(rollout.timestep)

    def outputs(state: A2CState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        outputs, memory = models["actor"].apply(
            state.variables["actor"], timestep.observation, memory
        )
        return distributions.mask_logits(outputs, timestep.action_mask), memory

    policy = Policy(outputs, head.draw)
    batch_size = config.num_envs * config.num_steps
    return Learner(init, update, policy.act, models["actor"].init_memory, batch_size, policy=policy)
