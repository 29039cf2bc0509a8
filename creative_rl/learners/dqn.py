"""Deep Q-learning with replay on the device, feed-forward or recurrent.

Sources: Mnih et al., Nature 518 (2015), algorithm 1; double targets by van Hasselt et al.
(arXiv 1509.06461, equation 4); recurrent replay of sequences with stored memory by Kapturowski
et al. (R2D2, ICLR 2019, section 3).

Deviations: only termination cuts the bootstrap, so a truncated step learns from its true last
observation; the loss is squared, not clipped, and gradients are clipped by their global norm.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import DQNConfig, validate
from creative_rl.learners import requirements
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model, clear_memory, repeat_memory
from creative_rl.ops import distributions, losses
from creative_rl.stores import replay
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import AutoReset, EpisodeLog

jax.tree_util.register_dataclass(DQNConfig)


class DQNState(flax.struct.PyTreeNode):
    """Everything that a run of DQN is; saving it is an exact checkpoint."""

    variables: PyTree
    target_variables: PyTree
    opt_state: PyTree
    replay: replay.Replay  # of `Sequence`
    env_params: PyTree
    env_state: PyTree  # leaves [B, ...]
    timestep: Timestep  # leaves [B, ...], what the next actions answer to
    starts: Array  # bool[B]: the timestep is the first of its episode
    memory: PyTree  # leaves [B, ...], from before the timestep
    key: Key
    num_updates: Array  # int32


class Sequence(NamedTuple):
    """Replayed steps, leaves [L, ...]; feed-forward, L is 1."""

    observation: PyTree
    starts: Array
    action: Array
    reward: Array
    terminated: Array
    next_observation: PyTree  # what the step led to, before any reset
    next_action_mask: Array | None
    memory: PyTree  # from before the first step; no axis L


def dqn(env: Any, config: DQNConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` actions, not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is not `Discrete`, a config field is out of range, or the
        replay is smaller than a batch or than what one update adds.
    """
    validate(config, DQNConfig)
    num_actions = requirements.num_actions("dqn", env)
    requirements.never_resets("dqn", env)
    is_recurrent = config.recurrent != "none"
    length = config.num_steps if is_recurrent else 1
    steps_per_update = config.num_envs * config.num_steps
    add_size = steps_per_update // length
    requirements.at_most("dqn", "batch_size", config.batch_size, "replay_size", config.replay_size)
    requirements.at_most(
        "dqn", "items added by one update", add_size, "replay_size", config.replay_size
    )
    stream = AutoReset(EpisodeLog(env))
    model = Model(
        space=env.observation_space,
        num_outputs=num_actions,
        hidden_sizes=config.hidden_sizes,
        recurrent=config.recurrent,
        memory_size=config.memory_size,
        activation="relu",
    )
    # One flat vector: a handful of small arrays would cost as many times the kernels.
    optimizer = optax.flatten(
        optax.chain(
            optax.clip_by_global_norm(config.max_grad_norm), optax.adam(config.learning_rate)
        )
    )

    def init(key: Key) -> DQNState:
        key, key_model, key_reset = jax.random.split(as_key(key), 3)
        observation = env.observation_space.zeros()
        variables = model.init(key_model, observation, model.init_memory())
        env_params = env.default_params if params is None else params
        env_state, timestep = jax.vmap(stream.reset, (0, None))(
            jax.random.split(key_reset, config.num_envs), env_params
        )
        one = jax.tree.map(lambda leaf: leaf[0], timestep)
        item = Sequence(
            observation=one.observation,
            starts=jnp.bool_(False),
            action=jnp.int32(0),
            reward=one.reward,
            terminated=one.terminated,
            next_observation=one.observation,
            next_action_mask=one.action_mask,
            memory=(),
        )
        item = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (length, *leaf.shape)), item)
        item = item._replace(memory=model.init_memory())
        return DQNState(
            variables=variables,
            target_variables=jax.tree.map(jnp.copy, variables),
            opt_state=optimizer.init(variables),
            replay=replay.init(item, config.replay_size, add_size),
            env_params=env_params,
            env_state=env_state,
            timestep=timestep,
            starts=jnp.ones(config.num_envs, jnp.bool_),
            memory=repeat_memory(model.init_memory(), config.num_envs),
            key=key,
            num_updates=jnp.int32(0),
        )

    def num_steps(num_updates: Array) -> Array:
        """Environment steps, as a float: their number outgrows 32 bits."""
        return num_updates.astype(jnp.float32) * steps_per_update

    def epsilon(num_updates: Array) -> Array:
        share = num_steps(num_updates) / jnp.maximum(config.epsilon_steps, 1)
        span = config.epsilon_end - config.epsilon_start
        return config.epsilon_start + span * jnp.clip(share, 0.0, 1.0)

    def explore(key: Key, values: Array, action_mask: Array | None, epsilon: Array) -> Array:
        """Random allowed actions with probability epsilon, else the best."""
        key_choice, key_action = jax.random.split(key)
        if action_mask is None:
            random = env.action_space.sample(key_action, values.shape[:-1])
        else:
            allowed = distributions.mask_logits(jnp.zeros_like(values), action_mask)
            random = distributions.categorical_sample(key_action, allowed)
        best = jnp.argmax(distributions.mask_logits(values, action_mask), axis=-1)
        is_random = jax.random.uniform(key_choice, best.shape) < epsilon
        return jnp.where(is_random, random, best.astype(jnp.int32))

    def collect(state: DQNState, key: Key) -> tuple[DQNState, Timestep]:
        fresh = model.init_memory()

        def step(carry, keys):
            env_state, timestep, starts, memory = carry
            memory = clear_memory(memory, fresh, starts)
            values, memory = model.apply(state.variables, timestep.observation, memory)
            action = explore(keys[0], values, timestep.action_mask, epsilon(state.num_updates))
            env_state, next_timestep = jax.vmap(stream.step, (0, 0, 0, None))(
                keys[1:], env_state, action, state.env_params
            )
            info = next_timestep.info
            collected = Sequence(
                observation=timestep.observation,
                starts=starts,
                action=action,
                reward=next_timestep.reward,
                terminated=next_timestep.terminated,
                next_observation=info["final_observation"],
                next_action_mask=info.get("final_action_mask"),
                memory=(),
            )
            return (env_state, next_timestep, next_timestep.ended, memory), (
                collected,
                next_timestep,
            )

        keys = jax.random.split(key, (config.num_steps, 1 + config.num_envs))
        carry = (state.env_state, state.timestep, state.starts, state.memory)
        (env_state, timestep, starts, memory), (steps, timesteps) = jax.lax.scan(step, carry, keys)
        if is_recurrent:  # [T, B, ...] to B sequences of T steps
            items = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), steps)
            items = items._replace(memory=state.memory)
        else:  # T * B sequences of one step
            items = jax.tree.map(lambda leaf: leaf.reshape(add_size, 1, *leaf.shape[2:]), steps)
        state = state.replace(
            env_state=env_state, timestep=timestep, starts=starts, memory=memory,
            replay=replay.add(state.replay, items),
        )  # fmt: skip
        return state, timesteps

    def loss_fn(
        variables: PyTree, target_variables: PyTree, batch: Sequence
    ) -> tuple[Array, dict[str, Array]]:
        unroll = (batch.observation, batch.starts, batch.memory)
        values, memories = model.apply(variables, *unroll, method="unroll")
        target_memories = memories
        if is_recurrent:
            _, target_memories = model.apply(target_variables, *unroll, method="unroll")
        next_values, _ = model.apply(target_variables, batch.next_observation, target_memories)
        guide = next_values
        if config.double:
            guide, _ = model.apply(variables, batch.next_observation, memories)
        best = jnp.argmax(distributions.mask_logits(guide, batch.next_action_mask), axis=-1)
        target = losses.q_learning_target(
            batch.reward,
            batch.terminated,
            distributions.select_action(next_values, best),
            config.gamma,
        )
        chosen = distributions.select_action(values, batch.action)
        loss = jnp.square(chosen - jax.lax.stop_gradient(target)).mean()
        return loss, {"loss": loss, "q_mean": chosen.mean()}

    def gradient_step(carry, key):
        variables, opt_state, store, target_variables = carry
        batch = replay.sample(store, key, config.batch_size)
        memory = batch.memory
        batch = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), batch._replace(memory=()))
        gradients, metrics = jax.grad(loss_fn, has_aux=True)(
            variables, target_variables, batch._replace(memory=memory)
        )
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        variables = optax.apply_updates(variables, updates)
        return (variables, opt_state, store, target_variables), metrics

    def learn(state: DQNState, key: Key) -> tuple[PyTree, PyTree, dict[str, Array]]:
        carry = (state.variables, state.opt_state, state.replay, state.target_variables)
        keys = jax.random.split(key, config.num_epochs)
        (variables, opt_state, _, _), metrics = jax.lax.scan(gradient_step, carry, keys)
        return variables, opt_state, jax.tree.map(jnp.mean, metrics)

    def wait(state: DQNState, key: Key) -> tuple[PyTree, PyTree, dict[str, Array]]:
        nothing = {"loss": jnp.float32(0), "q_mean": jnp.float32(0)}
        return state.variables, state.opt_state, nothing

    def update(state: DQNState) -> tuple[DQNState, dict[str, Array]]:
        key, key_collect, key_learn = jax.random.split(state.key, 3)
        state, timesteps = collect(state.replace(key=key), key_collect)
        num_updates = state.num_updates + 1
        is_learning = num_steps(num_updates) >= config.learning_starts
        variables, opt_state, metrics = jax.lax.cond(is_learning, learn, wait, state, key_learn)
        tau = jnp.where(num_updates % config.target_interval == 0, config.target_tau, 0.0)
        target_variables = optax.incremental_update(variables, state.target_variables, tau)
        metrics |= episode_metrics(timesteps) | {"epsilon": epsilon(state.num_updates)}
        state = state.replace(
            variables=variables,
            target_variables=target_variables,
            opt_state=opt_state,
            num_updates=num_updates,
        )
        return state, metrics

    def act(state: DQNState, key: Key, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        """The best action; the key is not needed."""
        values, memory = model.apply(state.variables, timestep.observation, memory)
        values = distributions.mask_logits(values, timestep.action_mask)
        return jnp.argmax(values, axis=-1).astype(jnp.int32), memory

    return Learner(init, update, act, model.init_memory, steps_per_update)
