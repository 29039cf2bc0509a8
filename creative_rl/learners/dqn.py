"""Deep Q-learning with replay on the device, feed-forward or recurrent, and its kin.

Sources: Mnih et al., Nature 518 (2015), algorithm 1. Options: `double`, van Hasselt et al. (arXiv
1509.06461, equation 4); `dueling`, Wang et al. (arXiv 1511.06581, equation 9); `n_step`, Sutton
(1988) as in Hessel et al. (arXiv 1710.02298, section 3); `prioritized`, Schaul et al. (arXiv
1511.05952, algorithm 1, proportional); `recurrent` with stored memory and `burn_in`, Kapturowski et
al. (R2D2, ICLR 2019, section 3); `target` psi and g, Jaques et al. (arXiv 1611.02796, section 3.2,
equations 6 to 9), with values in units of the reward: our Q is c times their Psi or G;
`warm_start_steps` of the environment's own rule, Li et al. (arXiv 1703.01008, section 3.3).

For psi-learning a likelihood reward whose weight is `temperature` makes up the paper's reward. For
G-learning the prior comes with the observation (`LikelihoodReward(..., observe_prior=True)`, its
weight 0); without one it is uniform over the allowed actions.

Deviations: only termination cuts the bootstrap, so a truncated step learns from its true last
observation; the loss is squared, not clipped, and gradients are clipped by their global norm;
replayed sequences may start at any step, end with the episode, and gradients flow through their
burn-in.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import PER_ENVIRONMENT
from creative_rl.configs import DQNConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model, clear_memory, repeat_memory
from creative_rl.ops import distributions, losses, returns, schedules
from creative_rl.spaces import Dict
from creative_rl.stores import priorities, replay
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(DQNConfig)

_LEAST_ERROR = 1e-6
"""Keeps the priority of a step that is predicted exactly above zero."""


class DQNState(flax.struct.PyTreeNode):
    """Everything that a run of DQN is; saving it is an exact checkpoint."""

    variables: PyTree
    target_variables: PyTree
    opt_state: PyTree
    replay: replay.Replay  # of `Step`
    priorities: priorities.Priorities | None  # of windows, by the slot of their first step
    env_params: PyTree
    stream: stream.Stream
    memory: PyTree = flax.struct.field(metadata=PER_ENVIRONMENT)  # from before the timestep
    key: Key
    num_updates: Array  # int32


class Step(NamedTuple):
    """What is replayed."""

    observation: PyTree
    starts: Array  # the first of its episode
    action: Array
    reward: Array
    terminated: Array
    next_observation: PyTree  # what the step led to, before any reset
    next_action_mask: Array | None
    memory: PyTree  # from before the step


def dqn(
    env: Any, config: DQNConfig, params: PyTree = None, prior_variables: PyTree = None
) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` actions, not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.
      prior_variables: variables that the Q-network starts from, such as those of a likelihood
        model with the same memory.

    Raises:
      ValueError: the action space is not `Discrete`, a config field is out of range, the replay
        is smaller than a batch, than what one update adds or than a replayed sequence, a prior is
        to start a dueling network, or the environment has no rule for `warm_start_steps`.
    """
    validate(config, DQNConfig)
    num_actions = requirements.num_actions("dqn", env)
    requirements.never_resets("dqn", env)
    if config.dueling and prior_variables is not None:
        raise ValueError("dqn: a prior's network has no dueling streams; leave dueling out")
    if config.warm_start_steps:
        requirements.has_rule("dqn", env)
    is_recurrent = config.recurrent != "none"
    length = _window_length(config)
    steps_per_update = config.num_envs * config.num_steps
    logged_env, action_type = EpisodeLog(env), env.action_space.dtype
    seen_space = env.observation_space
    parts = dict(seen_space.items()) if isinstance(seen_space, Dict) else {}
    shows_prior = config.target == "g" and "prior_log_probs" in parts
    if shows_prior:
        seen_space = parts["observation"]
    model = Model(
        space=seen_space,
        num_outputs=num_actions,
        activation="relu",
        **shared(config, Model),
    )
    # One flat vector: a handful of small arrays would cost as many times the kernels.
    clip = optax.clip_by_global_norm(config.max_grad_norm)
    optimizer = optax.flatten(optax.chain(clip, optax.adam(config.learning_rate)))

    def init(key: Key) -> DQNState:
        key, key_model, key_reset = jax.random.split(as_key(key), 3)
        if prior_variables is None:
            variables = model.init(key_model, seen_space.zeros(), model.init_memory())
        else:
            variables = jax.tree.map(jnp.copy, prior_variables)
        env_params = start_params(env, params)
        current = stream.init(logged_env, key_reset, env_params, config.num_envs)
        one = jax.tree.map(lambda leaf: leaf[0], current.timestep)
        item = Step(
            observation=one.observation,
            starts=jnp.bool_(True),
            action=jnp.int32(0),
            reward=one.reward,
            terminated=one.terminated,
            next_observation=one.observation,
            next_action_mask=one.action_mask,
            memory=model.init_memory(),
        )
        return DQNState(
            variables=variables,
            target_variables=jax.tree.map(jnp.copy, variables),
            opt_state=optimizer.init(variables),
            replay=replay.init(item, config.replay_size, config.num_envs, config.num_steps),
            priorities=priorities.init(config.replay_size) if config.prioritized else None,
            env_params=env_params,
            stream=current,
            memory=repeat_memory(model.init_memory(), config.num_envs),
            key=key,
            num_updates=jnp.int32(0),
        )

    def seen(observation: PyTree) -> PyTree:
        return observation["observation"] if shows_prior else observation

    def num_steps(num_updates: Array) -> Array:
        return schedules.environment_steps(num_updates, steps_per_update)

    def epsilon(num_updates: Array) -> Array:
        own = jnp.maximum(num_steps(num_updates) - config.warm_start_steps, 0)
        return schedules.linear(config.epsilon_start, config.epsilon_end, config.epsilon_steps, own)

    def logits(values: Array, observation: PyTree, action_mask: Array | None) -> Array:
        """Of the policy that the values stand for; the largest is the best action's."""
        values = values / config.temperature
        if shows_prior:
            values += observation["prior_log_probs"]
        return distributions.mask_logits(values, action_mask)

    def explore_noise(key: Key) -> Array:
        shape = (config.num_steps, config.num_envs)
        if config.exploration == "boltzmann":
            return jax.random.gumbel(key, (*shape, num_actions))
        return jax.random.uniform(key, (*shape, 2))

    def explore(logits: Array, action_mask: Array | None, noise: Array, epsilon: Array) -> Array:
        if config.exploration == "boltzmann":
            return distributions.most_likely(logits + noise)
        random = distributions.uniform_action(noise[..., 1], num_actions, action_mask)
        return jnp.where(noise[..., 0] < epsilon, random, distributions.most_likely(logits))

    @jax.named_scope("collect")
    def collect(state: DQNState, key_noise: Key, key_step: Key) -> tuple[DQNState, Timestep]:
        fresh = model.init_memory()
        share = epsilon(state.num_updates)

        def step(carry, randomness):
            current, memory = carry
            noise, keys = randomness
            timestep = current.timestep
            memory = clear_memory(memory, fresh, current.starts)
            values, next_memory = model.apply(state.variables, seen(timestep.observation), memory)
            preferences = logits(values, timestep.observation, timestep.action_mask)
            action = explore(preferences, timestep.action_mask, noise, share)
            if config.warm_start_steps:
                ruled = jax.vmap(env.rule_action)(seen(timestep.observation))
                is_ruled = num_steps(state.num_updates) < config.warm_start_steps
                action = jnp.where(is_ruled, ruled, action)
            following = stream.step(
                logged_env, keys, current, action.astype(action_type), state.env_params
            )
            info = following.timestep.info
            collected = Step(
                observation=timestep.observation,
                starts=current.starts,
                action=action,
                reward=following.timestep.reward,
                terminated=following.timestep.terminated,
                next_observation=info["final_observation"],
                next_action_mask=info.get("final_action_mask"),
                memory=memory,
            )
            return (following, next_memory), (collected, following.timestep)

        # All randomness at once: in the loop, small draws would cost more than the network.
        keys = stream.step_keys(key_step, config.num_steps, config.num_envs)
        (current, memory), (steps, timesteps) = jax.lax.scan(
            step, (state.stream, state.memory), (explore_noise(key_noise), keys)
        )
        state = state.replace(
            env_params=logged_env.update_params(state.env_params, timesteps),
            stream=current,
            memory=memory,
            replay=replay.add(state.replay, steps, timesteps.ended),
        )
        order = state.priorities
        if order is not None:  # what was overwritten goes; new windows come first
            added, complete = replay.changed(state.replay, length)
            order = priorities.assign(order, added, jnp.zeros(added.shape))
            new = jnp.broadcast_to(order.largest, complete.shape)
            state = state.replace(priorities=priorities.assign(order, complete, new))
        return state, timesteps

    def next_value(
        values: Array, guide: Array, observation: PyTree, action_mask: Array | None
    ) -> Array:
        """Of the target network's `values`, for the policy that is learned; [*B]."""
        if config.target == "q":
            best = distributions.most_likely(distributions.mask_logits(guide, action_mask))
            return distributions.select_action(values, best)
        preferences = logits(values, observation, action_mask)
        value = config.temperature * jax.nn.logsumexp(preferences, axis=-1)
        if config.target == "psi" or shows_prior:
            return value
        num_allowed = num_actions if action_mask is None else action_mask.sum(-1)
        return value - config.temperature * jnp.log(jnp.maximum(num_allowed, 1))

    def feed_forward_errors(
        variables: PyTree, target_variables: PyTree, windows: replay.Windows
    ) -> tuple[Array, Array]:
        """Values of the windows' first actions and their targets, [1, N]."""
        steps, mask = windows.items, windows.mask
        first = jax.tree.map(lambda leaf: leaf[:1], steps)
        last = first if length == 1 else replay.last_steps(windows)
        values, _ = model.apply(variables, seen(first.observation), ())
        following = seen(last.next_observation)
        next_values, _ = model.apply(target_variables, following, ())
        guide = next_values
        if config.double and config.target == "q":
            guide, _ = model.apply(variables, following, ())
        value = next_value(next_values, guide, last.next_observation, last.next_action_mask)
        target = returns.n_step_targets(
            steps.reward, jnp.broadcast_to(value, mask.shape), steps.terminated, mask,
            config.gamma, config.n_step,
        )[:1]  # fmt: skip
        return distributions.select_action(values, first.action), target

    def recurrent_errors(
        variables: PyTree, target_variables: PyTree, windows: replay.Windows
    ) -> tuple[Array, Array]:
        """Values of the windows' actions and their targets, [L, N]."""
        steps, mask = windows.items, windows.mask
        # No window crosses an episode's end, so that memory is cleared nowhere.
        memory = jax.tree.map(lambda leaf: leaf[0], steps.memory)
        unroll = (seen(steps.observation), jnp.zeros_like(mask), memory)
        values, memories = model.apply(variables, *unroll, method="unroll")
        _, target_memories = model.apply(target_variables, *unroll, method="unroll")
        following = seen(steps.next_observation)
        next_values, _ = model.apply(target_variables, following, target_memories)
        guide = next_values
        if config.double and config.target == "q":
            guide, _ = model.apply(variables, following, memories)
        value = next_value(next_values, guide, steps.next_observation, steps.next_action_mask)
        target = returns.n_step_targets(
            steps.reward, value, steps.terminated, mask, config.gamma, config.n_step
        )
        return distributions.select_action(values, steps.action), target

    def learned_from(windows: replay.Windows) -> Array:
        """bool: steps that count in the loss. An episode's first step needs no burn-in."""
        if not is_recurrent:
            return windows.mask[:1]
        is_warm = jnp.arange(length) >= config.burn_in
        return windows.mask & (is_warm[:, None] | windows.items.starts[:1])

    def loss_fn(
        variables: PyTree, target_variables: PyTree, windows: replay.Windows, weights: Array
    ) -> tuple[Array, dict[str, Array]]:
        errors_of = recurrent_errors if is_recurrent else feed_forward_errors
        chosen, target = errors_of(variables, target_variables, windows)
        counts = learned_from(windows)
        total = jnp.maximum(counts.sum(), 1)
        error = jnp.where(counts, chosen - jax.lax.stop_gradient(target), 0.0)
        metrics = {
            "loss": jnp.square(error).sum() / total,
            "q_mean": jnp.where(counts, chosen, 0.0).sum() / total,
        }
        if config.prioritized:
            metrics["priority"] = losses.sequence_priority(jnp.abs(error), counts)
        return (weights * jnp.square(error)).sum() / total, metrics

    def gradient_step(state: DQNState, carry, key: Key):
        variables, opt_state, order = carry
        weights = jnp.ones((1, config.batch_size))
        if config.prioritized:
            slots = priorities.sample(order, key, config.batch_size)
            shares = priorities.probability(order, slots)
            exponent = schedules.linear(
                config.importance_exponent, 1.0, config.importance_steps,
                num_steps(state.num_updates),
            )  # fmt: skip
            weights = losses.importance_weights(shares, state.replay.size, exponent)[None]
            windows = replay.take(state.replay, slots, length)
        else:
            windows = replay.sample(state.replay, key, config.batch_size, length)
        gradients, metrics = jax.grad(loss_fn, has_aux=True)(
            variables, state.target_variables, windows, weights
        )
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        variables = optax.apply_updates(variables, updates)
        if config.prioritized:
            priority = (metrics.pop("priority") + _LEAST_ERROR) ** config.priority_exponent
            # Tied to the shares, so that they are read before the write that happens in place.
            order = priorities.assign(order, jnp.where(shares >= 0, slots, -1), priority)
        return (variables, opt_state, order), metrics

    @jax.named_scope("learn")
    def learn(state: DQNState, keys: Key) -> tuple[PyTree, PyTree, PyTree, dict[str, Array]]:
        carry = (state.variables, state.opt_state, state.priorities)
        learned, metrics = jax.lax.scan(
            lambda carry, key: gradient_step(state, carry, key), carry, keys
        )
        return *learned, jax.tree.map(jnp.mean, metrics)

    def wait(state: DQNState, keys: Key) -> tuple[PyTree, PyTree, PyTree, dict[str, Array]]:
        nothing = {"loss": jnp.float32(0), "q_mean": jnp.float32(0)}
        return state.variables, state.opt_state, state.priorities, nothing

    def update(state: DQNState) -> tuple[DQNState, dict[str, Array]]:
        # One call for all keys: each has the price of a layer of the network.
        keys = jax.random.split(state.key, 3 + config.num_epochs)
        share = epsilon(state.num_updates)
        state, timesteps = collect(state.replace(key=keys[0]), keys[1], keys[2])
        num_updates = state.num_updates + 1
        first = jnp.maximum(config.learning_starts, length * config.num_envs)  # a whole window
        is_learning = num_steps(num_updates) >= first
        variables, opt_state, order, metrics = jax.lax.cond(
            is_learning, learn, wait, state, keys[3:]
        )
        tau = jnp.where(num_updates % config.target_interval == 0, config.target_tau, 0.0)
        state = state.replace(
            variables=variables,
            target_variables=optax.incremental_update(variables, state.target_variables, tau),
            opt_state=opt_state,
            priorities=order,
            num_updates=num_updates,
        )
        return state, metrics | episode_metrics(timesteps) | {"epsilon": share}

    def outputs(state: DQNState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        values, memory = model.apply(state.variables, seen(timestep.observation), memory)
        return logits(values, timestep.observation, timestep.action_mask), memory

    def choose(key: Key, outputs: Array) -> Array:
        """The best action; of psi- and G-learning, a draw from the policy."""
        if config.target == "q":
            return distributions.most_likely(outputs).astype(action_type)
        return distributions.categorical_sample(as_key(key), outputs).astype(action_type)

    policy = Policy(outputs, choose)
    return Learner(init, update, policy.act, model.init_memory, steps_per_update, policy=policy)


def _window_length(config: DQNConfig) -> int:
    """Steps of what is replayed; sizes that do not fit each other are refused."""
    is_recurrent = config.recurrent != "none"
    length = config.burn_in + config.sequence_length if is_recurrent else config.n_step
    window = "(burn_in + sequence_length)" if is_recurrent else "n_step"
    for name, size in (
        ("batch_size", config.batch_size),
        ("num_envs * num_steps", config.num_envs * config.num_steps),
        (f"num_envs * {window}", config.num_envs * length),
    ):
        requirements.at_most("dqn", name, size, "replay_size", config.replay_size)
    if is_recurrent:
        requirements.at_most(
            "dqn", "n_step", config.n_step, "sequence_length", config.sequence_length
        )
    elif config.burn_in:
        raise ValueError(
            f"dqn: burn_in warms up a memory, got {config.burn_in} with recurrent='none'; "
            "leave it out"
        )
    return length
