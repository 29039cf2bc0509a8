"""Proximal policy optimisation, feed-forward or recurrent.

Source: Schulman et al., "Proximal Policy Optimization Algorithms" (arXiv 1707.06347), equations 7
and 9, algorithm 1.

Options beyond it: `kl_early_stop` ends the gradient steps of an update once the policy has moved
by `target_kl`; a likelihood reward of weight c in the environment with `entropy_reward_coef = c`
makes the objective E[reward] - c KL(pi || prior), per step, which is the KL control of Jaques et
al. (arXiv 1611.02796). `robust_steps` trains against perturbed observations: the loss gets
`robust_coef` times the mean of KL(pi(o) || pi(o')), where o' is the worst that projected gradient
finds within `robust_radius` of what the policy's network sees (SA-PPO: Zhang et al., arXiv
2003.08938, section 3.2). What it sees are the features of the observation (`networks.features`):
numbers in their own units, pixels in 0..1, integers as one-hot entries, each of which moves by
itself, so that under a radius of 0.5 the largest is still the right one.

Deviations: advantages tell truncation from termination (a truncated step bootstraps from its
true last observation); weights start from variance-scaling instead of orthogonal draws; actions of
a box are squashed normals, whose deviations depend on the observation. SA-PPO searches by Langevin
steps or bounds the KL by convex relaxation; here it is the search of Madry et al. (arXiv
1706.06083).
"""

from functools import partial
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import PER_ENVIRONMENT, spread
from creative_rl.configs import PPOConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import (
    Model,
    clear_memory,
    feature_space,
    features,
    last_memory,
    repeat_memory,
)
from creative_rl.ops import distributions, losses, perturbation, returns, schedules
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(PPOConfig)


class PPOState(flax.struct.PyTreeNode):
    """Everything that a run of PPO is; saving it is an exact checkpoint."""

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
    log_prob: Array
    timestep: Timestep  # what the choice led to


class Batch(NamedTuple):
    """What the losses read, leaves [T, B, ...] or, feed-forward, [1, T * B, ...]."""

    observation: PyTree
    action_mask: Array | None
    starts: Array
    choice: Array
    log_prob: Array
    value: Array
    advantage: Array


def ppo(
    env: Any, config: PPOConfig, params: PyTree = None, prior_variables: PyTree = None
) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete`, `MultiDiscrete` or bounded `Box` actions, not wrapped in
        `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.
      prior_variables: variables that the policy starts from, such as those of a likelihood
        model with the same memory.

    Raises:
      ValueError: the action space is none of these, a config field is out of range,
        `num_minibatches` does not divide the batch (with memory: `num_envs`), or `by_tile` is asked
        of what is no map, has other actions, or needs a memory or features.

    Example:
      >>> import creative_rl as crl
      >>> learner = ppo(crl.make("melody-target"), PPOConfig(num_envs=4))
      >>> state = learner.init(jax.random.key(0))
      >>> state, metrics = learner.update(state)
      >>> int(metrics["num_episodes"])
      8
    """
    validate(config, PPOConfig)
    head = requirements.action_head("ppo", env, params)
    requirements.never_resets("ppo", env)
    requirements.by_tile("ppo", config, env)
    is_recurrent = config.recurrent != "none"
    batch_size = config.num_envs * config.num_steps
    # With memory the episodes of an environment stay together.
    whole = ("num_envs", config.num_envs) if is_recurrent else ("num_envs * num_steps", batch_size)
    requirements.divides("ppo", "num_minibatches", config.num_minibatches, *whole)
    logged_env = EpisodeLog(env)
    network = dict(space=env.observation_space, **shared(config, Model))
    models = {
        "actor": Model(num_outputs=head.num_outputs, head_scale=0.01, **network),
        "critic": Model(num_outputs=1, **{**network, "by_tile": False}),
    }
    seeing = models["actor"].clone(space=feature_space(env.observation_space))
    fresh = {name: model.init_memory() for name, model in models.items()}
    learning_rate = schedules.linear_decay(
        config.learning_rate, config.decay_updates, config.num_epochs * config.num_minibatches
    )
    # One flat vector: a dozen small arrays would cost a dozen times the kernels.
    optimizer = optax.flatten(
        optax.chain(
            optax.clip_by_global_norm(config.max_grad_norm), optax.adam(learning_rate, eps=1e-5)
        )
    )

    def init(key: Key) -> PPOState:
        key, key_actor, key_critic, key_reset = jax.random.split(as_key(key), 4)
        observation = env.observation_space.zeros()
        variables = {
            name: models[name].init(key_model, observation, fresh[name])
            for name, key_model in (("actor", key_actor), ("critic", key_critic))
        }
        if prior_variables is not None:
            variables["actor"] = jax.tree.map(jnp.copy, prior_variables)
        env_params = start_params(env, params)
        return PPOState(
            variables=variables,
            opt_state=optimizer.init(variables),
            env_params=env_params,
            stream=stream.init(logged_env, key_reset, env_params, config.num_envs),
            memory=repeat_memory(fresh, config.num_envs),
            key=key,
            num_updates=jnp.int32(0),
        )

    @jax.named_scope("collect")
    def collect(state: PPOState, key: Key) -> tuple[PPOState, Rollout]:
        def step(carry, randomness):
            current, memory = carry
            noise, keys = randomness
            timestep = current.timestep
            memory = clear_memory(memory, fresh["actor"], current.starts)
            outputs, memory = models["actor"].apply(
                state.variables["actor"], timestep.observation, memory
            )
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
                head.log_prob(outputs, choice),
                following.timestep,
            )
            return (following, memory), collected

        # All randomness at once: in the loop, small draws would cost more than the network.
        key_noise, key_step = jax.random.split(key)
        shape = (config.num_steps, config.num_envs)
        randomness = (head.noise(key_noise, shape), stream.step_keys(key_step, *shape))
        carry = (state.stream, state.memory["actor"])
        (current, memory), rollout = jax.lax.scan(step, carry, randomness)
        state = state.replace(stream=current, memory={**state.memory, "actor": memory})
        return state, rollout

    @jax.named_scope("evaluate")
    def evaluate(
        variables: PyTree, memory: PyTree, rollout: Rollout
    ) -> tuple[PyTree, Array, Array]:
        """The critic's memory after the rollout, `V(s_t)` and the value that step `t` led to."""
        critic = models["critic"]

        def value(observation: PyTree, memory: PyTree) -> Array:
            outputs: Any = critic.apply(variables, observation, memory, method="peek")
            return outputs[..., 0]

        values, memories = critic.apply(
            variables, rollout.observation, rollout.starts, memory, method="unroll"
        )
        values = values[..., 0]
        next_values = stream.next_values(value, values, memories, rollout.timestep)
        return last_memory(memories), values, next_values

    def divergence_loss(
        variables: PyTree, outputs: Array, batch: Batch, memory: PyTree, key: Key
    ) -> Array:
        """How far the policy is, in nats, from the one of the worst features near by."""

        def divergence(variables: PyTree, outputs: Array, seen: Array) -> Array:
            moved, _ = seeing.apply(variables, seen, batch.starts, memory, method="unroll")
            return head.divergence(outputs, distributions.mask_logits(moved, batch.action_mask))

        fixed = jax.lax.stop_gradient((variables, outputs))
        worst = perturbation.projected_gradient(
            key,
            lambda seen: divergence(*fixed, seen).sum(),
            features(env.observation_space, batch.observation),
            config.robust_radius,
            config.robust_steps,
        )
        return divergence(variables, outputs, worst).mean()

    def loss_fn(
        variables: PyTree, batch: Batch, memory: PyTree, key: Key | None
    ) -> tuple[Array, dict[str, Array]]:
        outputs, _ = models["actor"].apply(
            variables["actor"], batch.observation, batch.starts, memory["actor"], method="unroll"
        )
        outputs = distributions.mask_logits(outputs, batch.action_mask)
        value, _ = models["critic"].apply(
            variables["critic"], batch.observation, batch.starts, memory["critic"], method="unroll"
        )
        log_prob = head.log_prob(outputs, batch.choice)
        advantage = batch.advantage
        if config.normalize_advantages:
            advantage = returns.normalized(advantage)
        policy_loss = losses.clipped_surrogate_loss(
            log_prob, batch.log_prob, advantage, config.clip_eps
        ).mean()
        goal = batch.value + batch.advantage
        if config.clip_value_loss:
            value_loss = losses.clipped_value_loss(
                value[..., 0], batch.value, goal, config.value_clip_eps
            ).mean()
        else:
            value_loss = 0.5 * jnp.square(value[..., 0] - goal).mean()
        entropy = head.entropy(outputs).mean()
        total = policy_loss + config.value_coef * value_loss - config.entropy_coef * entropy
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "approximate_kl": losses.approximate_kl(log_prob, batch.log_prob).mean(),
        }
        if key is not None:
            divergence = divergence_loss(variables["actor"], outputs, batch, memory["actor"], key)
            total += config.robust_coef * divergence
            metrics["robust_divergence"] = divergence
        return total, metrics

    @jax.named_scope("learn")
    def learn(
        state: PPOState, batch: Batch, memory: PyTree, key: Key
    ) -> tuple[PPOState, dict[str, Array]]:
        if not is_recurrent:  # no order to keep: one long row of steps
            batch = jax.tree.map(lambda leaf: leaf.reshape(1, -1, *leaf.shape[2:]), batch)
        num_columns = batch.starts.shape[1]
        minibatch_size = num_columns // config.num_minibatches

        def minibatch_step(carry, minibatch: tuple[Batch, PyTree, Key | None]):
            variables, opt_state, stopped = carry
            gradients, metrics = jax.grad(loss_fn, has_aux=True)(variables, *minibatch)
            updates, new_opt_state = optimizer.update(gradients, opt_state, variables)
            new = (optax.apply_updates(variables, updates), new_opt_state)
            if not config.kl_early_stop:
                return (*new, stopped), metrics
            stopped |= metrics["approximate_kl"] > config.target_kl
            new = jax.tree.map(partial(jnp.where, stopped), (variables, opt_state), new)
            return (*new, stopped), metrics | {"stopped": stopped.astype(jnp.float32)}

        def epoch(carry, key: Key):
            keys_attack = None
            if config.robust_steps:
                key, key_attack = jax.random.split(key)
                keys_attack = jax.random.split(key_attack, config.num_minibatches)
            order = jax.random.permutation(key, num_columns)

            def shuffle(leaf: Array, axis: int) -> Array:
                """Minibatches along a new first axis."""
                leaf = jnp.take(leaf, order, axis=axis)
                shape = (*leaf.shape[:axis], config.num_minibatches, minibatch_size)
                leaf = leaf.reshape(*shape, *leaf.shape[axis + 1 :])
                return spread(jnp.moveaxis(leaf, axis, 0), axis + 1)

            minibatches = (
                jax.tree.map(lambda leaf: shuffle(leaf, 1), batch),
                jax.tree.map(lambda leaf: shuffle(leaf, 0), memory),
                keys_attack,
            )
            return jax.lax.scan(minibatch_step, carry, minibatches)

        carry = (state.variables, state.opt_state, jnp.bool_(False))
        (variables, opt_state, _), metrics = jax.lax.scan(
            epoch, carry, jax.random.split(key, config.num_epochs)
        )
        state = state.replace(variables=variables, opt_state=opt_state)
        return state, jax.tree.map(jnp.mean, metrics)

    def update(state: PPOState) -> tuple[PPOState, dict[str, Array]]:
        key, key_collect, key_learn = jax.random.split(state.key, 3)
        memory = state.memory
        state, rollout = collect(state.replace(key=key), key_collect)
        critic_memory, values, next_values = evaluate(
            state.variables["critic"], memory["critic"], rollout
        )
        surprise = -config.entropy_reward_coef * rollout.log_prob
        advantages = returns.generalized_advantages(
            rollout.timestep.reward + surprise,
            values,
            next_values,
            rollout.timestep.terminated,
            rollout.timestep.ended,
            config.gamma,
            config.gae_lambda,
        )
        batch = Batch(
            observation=rollout.observation,
            action_mask=rollout.action_mask,
            starts=rollout.starts,
            choice=rollout.choice,
            log_prob=rollout.log_prob,
            value=values,
            advantage=advantages,
        )
        state, metrics = learn(state, batch, memory, key_learn)
        state = state.replace(
            env_params=logged_env.update_params(state.env_params, rollout.timestep),
            memory={**state.memory, "critic": critic_memory},
            num_updates=state.num_updates + 1,
        )
        return state, metrics | episode_metrics(rollout.timestep) | {"value_mean": values.mean()}

    def outputs(state: PPOState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        outputs, memory = models["actor"].apply(
            state.variables["actor"], timestep.observation, memory
        )
        return distributions.mask_logits(outputs, timestep.action_mask), memory

    policy = Policy(outputs, head.draw)
    return Learner(init, update, policy.act, models["actor"].init_memory, batch_size, policy=policy)
