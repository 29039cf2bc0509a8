"""Soft actor-critic with learned temperature, for continuous and discrete actions.

Sources: Haarnoja et al., "Soft Actor-Critic Algorithms and Applications" (arXiv 1812.05905),
equations 5 to 9 and 18, algorithm 1; for discrete actions Christodoulou (arXiv 1910.07207),
equations 3, 10 to 12.

Deviations: policy, critics and temperature take their steps at the same time, from one Adam; the
target entropy for A allowed discrete actions is half of log(A), not 98 percent, at which a policy
is nearly uniform; the temperature's logarithm takes the step, by the excess entropy; the first
steps are drawn from outputs of zero (a squashed standard normal, for boxes); only termination cuts
the bootstrap.
"""

import math
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl import spaces
from creative_rl.configs import SACConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model
from creative_rl.ops import distributions, losses, schedules
from creative_rl.stores import replay
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(SACConfig)


class SACState(flax.struct.PyTreeNode):
    """Everything that a run of SAC is; saving it is an exact checkpoint."""

    variables: PyTree  # of "actor", the two "critics", and "log_temperature"
    target_critics: PyTree
    opt_state: PyTree
    replay: replay.Replay  # of `Step`
    env_params: PyTree
    stream: stream.Stream
    key: Key
    num_updates: Array  # int32


class Step(NamedTuple):
    """What is replayed."""

    observation: PyTree
    action_mask: Array | None
    choice: Array
    reward: Array
    terminated: Array
    next_observation: PyTree  # what the step led to, before any reset
    next_action_mask: Array | None


def sac(env: Any, config: SACConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` or bounded `Box` actions, not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is neither, a config field is out of range, or the replay is
        smaller than a batch or than what one update adds.

    Example:
      >>> import creative_rl as crl
      >>> config = SACConfig(num_envs=4, batch_size=16, replay_size=64)
      >>> learner = sac(crl.make("melody-target-tutorial"), config)
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> float(metrics["temperature"])
      1.0
    """
    validate(config, SACConfig)
    requirements.one_of("sac", env, (spaces.Discrete, spaces.Box))
    requirements.never_resets("sac", env)
    steps_per_update = config.num_envs * config.num_steps
    requirements.at_most("sac", "batch_size", config.batch_size, "replay_size", config.replay_size)
    requirements.at_most(
        "sac", "num_envs * num_steps", steps_per_update, "replay_size", config.replay_size
    )
    head = requirements.action_head("sac", env, params)
    is_continuous = isinstance(env.action_space, spaces.Box)
    logged_env = EpisodeLog(env)
    network: dict[str, Any] = dict(activation="relu", **shared(config, Model))
    actor = Model(env.observation_space, head.num_outputs, head_scale=0.01, **network)
    if is_continuous:
        num_dimensions = math.prod(env.action_space.shape)
        squashed = spaces.Box(-1.0, 1.0, (num_dimensions,))
        critic = Model(_with_action(env.observation_space, squashed), 1, **network)
    else:
        requirements.below(
            "sac", "target_entropy_scale", config.target_entropy_scale, 2.0,
            "for Discrete actions, whose entropy is at most twice the target",
        )  # fmt: skip
        critic = Model(env.observation_space, head.num_outputs, **network)
    # One flat vector: a dozen small arrays would cost a dozen times the kernels.
    optimizer = optax.flatten(optax.adam(config.learning_rate))

    def init(key: Key) -> SACState:
        key, key_actor, *critic_keys, key_reset = jax.random.split(as_key(key), 5)
        temperature = jnp.asarray(config.temperature, jnp.float32)
        variables = {
            "actor": actor.init(key_actor, actor.space.zeros(), ()),
            "critics": [critic.init(k, critic.space.zeros(), ()) for k in critic_keys],
            "log_temperature": jnp.log(temperature),
        }
        env_params = start_params(env, params)
        current = stream.init(logged_env, key_reset, env_params, config.num_envs)
        one = jax.tree.map(lambda leaf: leaf[0], current.timestep)
        item = Step(
            observation=one.observation,
            action_mask=one.action_mask,
            choice=jnp.zeros(num_dimensions, jnp.float32) if is_continuous else jnp.int32(0),
            reward=one.reward,
            terminated=one.terminated,
            next_observation=one.observation,
            next_action_mask=one.action_mask,
        )
        return SACState(
            variables=variables,
            target_critics=jax.tree.map(jnp.copy, variables["critics"]),
            opt_state=optimizer.init(variables),
            replay=replay.init(item, config.replay_size, config.num_envs, config.num_steps),
            env_params=env_params,
            stream=current,
            key=key,
            num_updates=jnp.int32(0),
        )

    def is_learning(num_updates: Array) -> Array:
        steps = schedules.environment_steps(num_updates, steps_per_update)
        return steps >= config.learning_starts

    def policy(variables: PyTree, observation: PyTree, action_mask: Array | None) -> Array:
        outputs, _ = actor.apply(variables, observation, ())
        return distributions.mask_logits(outputs, action_mask)

    @jax.named_scope("collect")
    def collect(state: SACState, key: Key) -> tuple[SACState, Timestep]:
        is_random = ~is_learning(state.num_updates)

        def step(current: stream.Stream, randomness):
            noise, keys = randomness
            timestep = current.timestep
            outputs, _ = actor.apply(state.variables["actor"], timestep.observation, ())
            outputs = jnp.where(is_random, jnp.zeros_like(outputs), outputs)
            outputs = distributions.mask_logits(outputs, timestep.action_mask)
            choice = head.choose(outputs, noise)
            following = stream.step(
                logged_env, keys, current, head.action(choice), state.env_params
            )
            info = following.timestep.info
            collected = Step(
                observation=timestep.observation,
                action_mask=timestep.action_mask,
                choice=choice,
                reward=following.timestep.reward,
                terminated=following.timestep.terminated,
                next_observation=info["final_observation"],
                next_action_mask=info.get("final_action_mask"),
            )
            return following, (collected, following.timestep)

        key_noise, key_step = jax.random.split(key)
        shape = (config.num_steps, config.num_envs)
        randomness = (head.noise(key_noise, shape), stream.step_keys(key_step, *shape))
        current, (steps, timesteps) = jax.lax.scan(step, state.stream, randomness)
        state = state.replace(
            env_params=logged_env.update_params(state.env_params, timesteps),
            stream=current,
            replay=replay.add(state.replay, steps, timesteps.ended),
        )
        return state, timesteps

    def least_value(critics: PyTree, observation: PyTree, choice: Array) -> Array:
        """The smaller of both critics' values: [B] of a continuous choice, else [B, A] of all."""
        if is_continuous:
            observation = {"observation": observation, "action": jnp.tanh(choice)}
        first, second = (critic.apply(variables, observation, ())[0] for variables in critics)
        least = jnp.minimum(first, second)
        return least[..., 0] if is_continuous else least

    def soft_value(
        actor_variables: PyTree, critics: PyTree, temperature: Array,
        observation: PyTree, action_mask: Array | None, noise: Array,
    ) -> tuple[Array, Array]:  # fmt: skip
        """Value of the policy with its entropy, and the entropy; [B], from one draw for boxes."""
        outputs = policy(actor_variables, observation, action_mask)
        choice = head.choose(outputs, noise)
        values = least_value(critics, observation, choice)
        if is_continuous:
            entropy = -head.log_prob(outputs, choice)
        else:
            values = jnp.sum(jax.nn.softmax(outputs) * values, axis=-1)
            entropy = head.entropy(outputs)
        return values + temperature * entropy, entropy

    def target_entropy(action_mask: Array | None) -> Array:
        """The mean over a batch; what a policy can reach depends on what is allowed."""
        if is_continuous:
            return jnp.float32(-config.target_entropy_scale * num_dimensions)
        num_allowed = jnp.float32(head.num_outputs) if action_mask is None else action_mask.sum(-1)
        return config.target_entropy_scale * 0.5 * jnp.log(jnp.maximum(num_allowed, 1)).mean()

    def loss_fn(
        variables: PyTree, target_critics: PyTree, batch: Step, noises: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The losses of critics, policy and temperature: each has gradients for its own alone."""
        fixed = jax.lax.stop_gradient(variables)
        temperature = jnp.exp(fixed["log_temperature"])
        next_value, _ = soft_value(
            fixed["actor"], target_critics, temperature,
            batch.next_observation, batch.next_action_mask, noises[0],
        )  # fmt: skip
        target = losses.q_learning_target(batch.reward, batch.terminated, next_value, config.gamma)
        seen = batch.observation
        if is_continuous:
            seen = {"observation": seen, "action": jnp.tanh(batch.choice)}
        critic_loss, chosen = jnp.float32(0), []
        for critic_variables in variables["critics"]:
            values, _ = critic.apply(critic_variables, seen, ())
            if is_continuous:
                chosen.append(values[..., 0])
            else:
                chosen.append(distributions.select_action(values, batch.choice))
            critic_loss += jnp.square(chosen[-1] - target).mean()
        value, entropy = soft_value(
            variables["actor"], fixed["critics"], temperature,
            batch.observation, batch.action_mask, noises[1],
        )  # fmt: skip
        total = critic_loss - value.mean()
        if config.automatic_temperature:
            excess = jax.lax.stop_gradient(entropy.mean()) - target_entropy(batch.action_mask)
            total += variables["log_temperature"] * excess
        return total, {
            "loss": critic_loss / 2,
            "q_mean": (chosen[0].mean() + chosen[1].mean()) / 2,
            "entropy": entropy.mean(),
        }

    def gradient_step(carry, key: Key):
        variables, target_critics, opt_state, store = carry
        key_sample, key_noise = jax.random.split(key)
        batch = replay.sample(store, key_sample, config.batch_size).items
        batch = jax.tree.map(lambda leaf: leaf[0], batch)  # windows of one step
        noises = head.noise(key_noise, (2, config.batch_size))
        gradients, metrics = jax.grad(loss_fn, has_aux=True)(
            variables, target_critics, batch, noises
        )
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        variables = optax.apply_updates(variables, updates)
        target_critics = optax.incremental_update(
            variables["critics"], target_critics, config.target_tau
        )
        return (variables, target_critics, opt_state, store), metrics

    @jax.named_scope("learn")
    def learn(state: SACState, key: Key) -> tuple[PyTree, PyTree, PyTree, dict[str, Array]]:
        carry = (state.variables, state.target_critics, state.opt_state, state.replay)
        keys = jax.random.split(key, config.num_epochs)
        (*learned, _), metrics = jax.lax.scan(gradient_step, carry, keys)
        return *learned, jax.tree.map(jnp.mean, metrics)

    def wait(state: SACState, key: Key) -> tuple[PyTree, PyTree, PyTree, dict[str, Array]]:
        nothing = {name: jnp.float32(0) for name in ("loss", "q_mean", "entropy")}
        return state.variables, state.target_critics, state.opt_state, nothing

    def update(state: SACState) -> tuple[SACState, dict[str, Array]]:
        key, key_collect, key_learn = jax.random.split(state.key, 3)
        state, timesteps = collect(state.replace(key=key), key_collect)
        num_updates = state.num_updates + 1
        variables, target_critics, opt_state, metrics = jax.lax.cond(
            is_learning(num_updates), learn, wait, state, key_learn
        )
        state = state.replace(
            variables=variables,
            target_critics=target_critics,
            opt_state=opt_state,
            num_updates=num_updates,
        )
        metrics["temperature"] = jnp.exp(variables["log_temperature"])
        return state, metrics | episode_metrics(timesteps)

    def outputs(state: SACState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        actor, observation = state.variables["actor"], timestep.observation
        return policy(actor, observation, timestep.action_mask), memory

    def choose(key: Key, outputs: Array) -> Array:
        """The middle of the policy for boxes, a draw from it for discrete actions."""
        if is_continuous:
            return head.action(head.best(outputs))
        return head.draw(key, outputs)

    parts = Policy(outputs, choose)
    return Learner(init, update, parts.act, actor.init_memory, steps_per_update, policy=parts)


def _with_action(observation_space: spaces.Space, action_space: spaces.Box) -> spaces.Dict:
    return spaces.Dict((("observation", observation_space), ("action", action_space)))
