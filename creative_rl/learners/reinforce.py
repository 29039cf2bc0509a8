"""REINFORCE: whole episodes, rewards to go, and a learned baseline.

Sources: Williams, "Simple Statistical Gradient-Following Algorithms" (Machine Learning 8, 1992),
equation 4; with baseline, Sutton and Barto, Reinforcement Learning (2nd edition), section 13.4.

Every update resets its environments and plays each to its end: nothing is cut by the length of a
rollout, and where the horizon is fixed no step is computed in vain.

Deviations: the gradient of a step is not discounted by its time; one gradient step takes the mean
over all steps of a batch of episodes; what lies beyond a truncation (the environment's, or that of
`num_steps`) is the baseline's value, without a baseline nothing.

`steps_per_update` counts `num_steps` for every episode, also where some end earlier.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import spread
from creative_rl.configs import ReinforceConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model, repeat_memory
from creative_rl.ops import distributions, returns, schedules
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(ReinforceConfig)


class ReinforceState(flax.struct.PyTreeNode):
    """Everything that a run of REINFORCE is; between updates no episode is open."""

    variables: PyTree  # of "actor" and, with a baseline, "critic"
    opt_state: PyTree
    env_params: PyTree
    key: Key
    num_updates: Array  # int32


class Rollout(NamedTuple):
    """Whole episodes, leaves [T, B, ...]."""

    observation: PyTree
    action_mask: Array | None
    choice: Array
    timestep: Timestep  # what the choice led to
    played: Array  # bool: the step was not past the end


def reinforce(env: Any, config: ReinforceConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete`, `MultiDiscrete` or bounded `Box` actions, not wrapped in
        `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is none of these, a config field is out of range, or neither
        the environment has a horizon nor the config `num_steps`.

    Example:
      >>> import creative_rl as crl
      >>> learner = reinforce(crl.make("melody-target"), ReinforceConfig(num_envs=4))
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> int(metrics["num_episodes"]), float(metrics["episode_length"])
      (4, 16.0)
    """
    validate(config, ReinforceConfig)
    head = requirements.action_head("reinforce", env, params)
    requirements.never_resets("reinforce", env)
    num_steps = requirements.episode_steps("reinforce", config.num_steps, env)
    logged_env = EpisodeLog(env)
    network = dict(space=env.observation_space, **shared(config, Model))
    models = {"actor": Model(num_outputs=head.num_outputs, head_scale=0.01, **network)}
    if config.baseline:
        models["critic"] = Model(num_outputs=1, **network)
    fresh = {
        name: repeat_memory(model.init_memory(), config.num_envs) for name, model in models.items()
    }
    learning_rate = schedules.linear_decay(config.learning_rate, config.decay_updates)
    # One flat vector: a dozen small arrays would cost a dozen times the kernels.
    optimizer = optax.flatten(
        optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.adam(learning_rate))
    )

    def init(key: Key) -> ReinforceState:
        key, *model_keys = jax.random.split(as_key(key), 1 + len(models))
        observation = env.observation_space.zeros()
        variables = {
            name: model.init(model_key, observation, model.init_memory())
            for (name, model), model_key in zip(models.items(), model_keys, strict=True)
        }
        return ReinforceState(
            variables=variables,
            opt_state=optimizer.init(variables),
            env_params=start_params(env, params),
            key=key,
            num_updates=jnp.int32(0),
        )

    def play(state: ReinforceState, key: Key) -> Rollout:
        # Where all episodes have the same length, none goes past its end.
        env_step = logged_env.transition if env.horizon == num_steps else logged_env.step

        def step(carry, randomness):
            env_state, timestep, memory, played = carry
            noise, keys = randomness
            outputs, memory = models["actor"].apply(
                state.variables["actor"], timestep.observation, memory
            )
            outputs = distributions.mask_logits(outputs, timestep.action_mask)
            choice = head.choose(outputs, noise)
            env_state, following = jax.vmap(env_step, (0, 0, 0, None))(
                keys, env_state, head.action(choice), state.env_params
            )
            collected = Rollout(
                timestep.observation, timestep.action_mask, choice, following, played
            )
            return (env_state, following, memory, played & ~following.ended), collected

        key_reset, key_noise, key_step = jax.random.split(key, 3)
        shape = (num_steps, config.num_envs)
        randomness = (head.noise(key_noise, shape), jax.random.split(key_step, shape))
        env_state, timestep = jax.vmap(logged_env.reset, (0, None))(
            spread(jax.random.split(key_reset, config.num_envs), axis=0), state.env_params
        )
        carry = (env_state, timestep, fresh["actor"], ~timestep.ended)
        _, rollout = jax.lax.scan(step, carry, randomness)
        return rollout

    def unroll(name: str, variables: PyTree, rollout: Rollout) -> tuple[Array, PyTree]:
        no_starts = jnp.zeros_like(rollout.played)
        return models[name].apply(
            variables[name], rollout.observation, no_starts, fresh[name], method="unroll"
        )

    def values_beyond(variables: PyTree, rollout: Rollout, memories: PyTree) -> Array:
        """[T, B], the values of what was truncated; zeros where nothing was."""
        timestep = rollout.timestep
        cut = timestep.truncated.at[-1].set(~timestep.terminated[-1]) & rollout.played

        def values() -> Array:
            outputs: Any = models["critic"].apply(
                variables["critic"], timestep.observation, memories, method="peek"
            )
            return jnp.where(cut, outputs[..., 0], 0.0)

        return jax.lax.cond(cut.any(), values, lambda: jnp.zeros(cut.shape))

    def loss_fn(variables: PyTree, rollout: Rollout) -> tuple[Array, dict[str, Array]]:
        def mean(x: Array) -> Array:
            return jnp.where(rollout.played, x, 0.0).sum() / rollout.played.sum()

        outputs, _ = unroll("actor", variables, rollout)
        outputs = distributions.mask_logits(outputs, rollout.action_mask)
        values = beyond = jnp.zeros_like(rollout.timestep.reward)
        if config.baseline:
            values, memories = unroll("critic", variables, rollout)
            values = values[..., 0]
            beyond = jax.lax.stop_gradient(values_beyond(variables, rollout, memories))
        targets = returns.discounted_returns(
            rollout.timestep.reward,
            beyond,
            rollout.timestep.terminated,
            rollout.timestep.ended,
            config.gamma,
        )
        advantages = jax.lax.stop_gradient(targets - values)
        value_loss = 0.5 * mean(jnp.square(targets - values))
        if config.normalize_advantages:
            advantages = returns.normalized(advantages, rollout.played)
        policy_loss = -mean(head.log_prob(outputs, rollout.choice) * advantages)
        entropy = mean(head.entropy(outputs))
        total = policy_loss - config.entropy_coef * entropy
        metrics = {"policy_loss": policy_loss, "entropy": entropy}
        if config.baseline:
            total += config.value_coef * value_loss
            metrics |= {"value_loss": value_loss, "value_mean": mean(values)}
        return total, metrics

    def update(state: ReinforceState) -> tuple[ReinforceState, dict[str, Array]]:
        key, key_play = jax.random.split(state.key)
        rollout = play(state, key_play)
        gradients, metrics = jax.grad(loss_fn, has_aux=True)(state.variables, rollout)
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.variables)
        state = state.replace(
            variables=optax.apply_updates(state.variables, updates),
            opt_state=opt_state,
            env_params=logged_env.update_params(state.env_params, rollout.timestep),
            key=key,
            num_updates=state.num_updates + 1,
        )
        return state, metrics | episode_metrics(rollout.timestep, rollout.played)

    def outputs(state: ReinforceState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        outputs, memory = models["actor"].apply(
            state.variables["actor"], timestep.observation, memory
        )
        return distributions.mask_logits(outputs, timestep.action_mask), memory

    policy = Policy(outputs, head.draw)
    steps_per_update = config.num_envs * num_steps
    return Learner(
        init, update, policy.act, models["actor"].init_memory, steps_per_update, policy=policy
    )
