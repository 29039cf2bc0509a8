"""Tabular Q-learning: many environments, one table.

Source: Watkins and Dayan, "Q-learning" (Machine Learning 8, 1992), equation 1; in Sutton and
Barto's notation (Reinforcement Learning, 2018, equation 6.8)

    Q(S, A) <- Q(S, A) + learning_rate (R + gamma max_a Q(S', a) - Q(S, A)).

Deviations: environments step side by side and learn at the same moment, so the errors of those
that visit one entry in one step are averaged, and a rate of 1 stays stable; only termination cuts
the bootstrap, so a truncated step learns from its true last observation; the rate is constant,
which finds the values exactly where outcomes are certain, and else hovers about them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.configs import QLearningConfig, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.ops import distributions, losses, schedules
from creative_rl.spaces import Discrete
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(QLearningConfig)


class QLearningState(flax.struct.PyTreeNode):
    """Everything that a run of Q-learning is; saving it is an exact checkpoint."""

    table: Array  # float32[S, A]: what each action is worth in each state
    env_params: PyTree
    stream: stream.Stream
    key: Key
    num_updates: Array  # int32


def q_learning(env: Any, config: QLearningConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` actions whose observations are `Discrete` or numbered by
        its `num_states` and `state_index`; not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is not `Discrete`, the observations are not numbered, or a
        config field is out of range.

    Example:
      >>> import creative_rl as crl
      >>> learner = q_learning(crl.make("grid-path"), QLearningConfig(num_envs=4))
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> state.table.shape
      (25, 4)
    """
    validate(config, QLearningConfig)
    num_actions = requirements.num_actions("q_learning", env)
    requirements.never_resets("q_learning", env)
    num_states, state_index = _numbering(env)
    logged_env = EpisodeLog(env)
    steps_per_update = config.num_envs * config.num_steps

    def init(key: Key) -> QLearningState:
        key, key_reset = jax.random.split(as_key(key))
        env_params = start_params(env, params)
        return QLearningState(
            table=jnp.full((num_states, num_actions), config.initial_value, jnp.float32),
            env_params=env_params,
            stream=stream.init(logged_env, key_reset, env_params, config.num_envs),
            key=key,
            num_updates=jnp.int32(0),
        )

    def epsilon(num_updates: Array) -> Array:
        num_steps = schedules.environment_steps(num_updates, steps_per_update)
        return schedules.linear(
            config.epsilon_start, config.epsilon_end, config.epsilon_steps, num_steps
        )

    def best(values: Array, action_mask: Array | None) -> Array:
        return distributions.most_likely(distributions.mask_logits(values, action_mask))

    def target(table: Array, after: Timestep) -> Array:
        """What the chosen actions turned out to be worth, by the table as it is; [B]."""
        values = table[jax.vmap(state_index)(after.info["final_observation"])]
        next_value = distributions.select_action(
            values, best(values, after.info.get("final_action_mask"))
        )
        return losses.q_learning_target(after.reward, after.terminated, next_value, config.gamma)

    def update(state: QLearningState) -> tuple[QLearningState, dict[str, Array]]:
        key, key_is_random, key_random, key_step = jax.random.split(state.key, 4)

        def step(carry, randomness):
            table, current = carry
            is_random, noise, keys = randomness
            observation, action_mask = current.timestep.observation, current.timestep.action_mask
            states = jax.vmap(state_index)(observation)
            values = table[states]
            action = jnp.where(
                is_random,
                distributions.uniform_action(noise, num_actions, action_mask),
                best(values, action_mask),
            )
            following = stream.step(
                logged_env, keys, current, action.astype(env.action_space.dtype), state.env_params
            )
            chosen = distributions.select_action(values, action)
            errors = target(table, following.timestep) - chosen
            move = _mean_of_same(errors, states * num_actions + action, table.size)
            table = table.at[states, action].set(chosen + config.learning_rate * move)
            return (table, following), (following.timestep, chosen, errors)

        # All randomness at once: in the loop, small draws would cost more than the table.
        shape = (config.num_steps, config.num_envs)
        share = epsilon(state.num_updates)
        randomness = (
            jax.random.uniform(key_is_random, shape) < share,
            jax.random.uniform(key_random, shape),
            stream.step_keys(key_step, *shape),
        )
        (table, current), (timesteps, chosen, errors) = jax.lax.scan(
            step, (state.table, state.stream), randomness
        )
        metrics = {"loss": jnp.square(errors).mean(), "q_mean": chosen.mean(), "epsilon": share}
        state = state.replace(
            table=table,
            env_params=logged_env.update_params(state.env_params, timesteps),
            stream=current,
            key=key,
            num_updates=state.num_updates + 1,
        )
        return state, metrics | episode_metrics(timesteps)

    def act(state: QLearningState, key: Key, timestep: Timestep, memory: PyTree):
        """The best action, the first of equals; the key is not needed."""
        values = state.table[state_index(timestep.observation)]
        action = best(values, timestep.action_mask)
        return action.astype(env.action_space.dtype), memory

    return Learner(init, update, act, tuple, steps_per_update)


def _numbering(env: Any) -> tuple[int, Callable[[PyTree], Array]]:
    """How many observations there are, and the function that gives each its number."""
    if isinstance(env.observation_space, Discrete):
        return env.observation_space.num, lambda observation: observation.astype(jnp.int32)
    if env.num_states is None:
        raise ValueError(
            "q_learning keeps a table over observations that are numbered, got "
            f"{env.observation_space}; give the environment num_states and state_index, or take "
            "a learner with a network"
        )
    return env.num_states, env.state_index


def _mean_of_same(
    errors: Float[Array, "B"], entries: Int[Array, "B"], num_entries: int
) -> Float[Array, "B"]:
    """For each error, the mean over those of the same entry, `0 .. num_entries - 1`.

    Both forms give all errors of an entry the same number, so that it does not matter which is
    written last, and are the same to the bit when run again: accelerators scatter sums in an order
    of their own, so there each error is compared with all.
    """
    if num_entries > 20 * errors.size**2:  # clearing the table would cost more than comparing
        return _mean_by_pairs(errors, entries)
    return jax.lax.platform_dependent(
        errors, entries, cpu=partial(_mean_by_table, num_entries), default=_mean_by_pairs
    )


def _mean_by_table(num_entries: int, errors: Array, entries: Array) -> Array:
    """By scattered sums, which are exact to the bit only where they are added in order."""
    sums = jnp.zeros(num_entries, jnp.float32).at[entries].add(errors)
    counts = jnp.zeros(num_entries, jnp.int32).at[entries].add(1)
    return sums[entries] / counts[entries]


def _mean_by_pairs(errors: Array, entries: Array) -> Array:
    """By comparing each with all."""
    same = entries[:, None] == entries[None, :]
    return jnp.where(same, errors[None, :], 0.0).sum(axis=-1) / same.sum(axis=-1)
