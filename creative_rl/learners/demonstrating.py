"""Who knows what to do: episodes from known actions, to learn from, and rules of environments."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.learners import requirements
from creative_rl.stores.demonstrations import Examples
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key


def demonstrate(
    env: Any, params: PyTree, actions: Array, key: Key, *, params_axis: int | None = 0
) -> tuple[Examples, PyTree]:
    """Play actions that are known, all episodes side by side in one program.

    Args:
      env: environment with `Discrete` actions.
      params: of every episode, leaves [N, ...], where each has data of its own, such as the melody
        that it accompanies; one for all where `params_axis` is None.
      actions: int[N, T], T at most the horizon.
      key: of what the episodes draw: their params should leave nothing to chance that the actions
        were chosen by.
      params_axis: 0 or None.

    Returns:
      The examples, and the environment's states after the last action, leaves [N, ...]: for
      `env.work` or `env.appearance`.

    Raises:
      ValueError: the actions are no [N, T] integers, or longer than an episode.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-target-tutorial")
      >>> actions = jnp.array([[0, 1, 2, 3, 0]], jnp.int32)
      >>> examples, states = demonstrate(
      ...     env, env.default_params, actions, jax.random.key(0), params_axis=None
      ... )
      >>> examples.actions.tolist(), examples.observations.shape
      ([[0, 1, 2, 3, 0]], (1, 5))
    """
    actions = jnp.asarray(actions)
    if actions.ndim != 2 or not jnp.issubdtype(actions.dtype, jnp.integer):
        raise ValueError(
            "demonstrate: actions must be integers [N, T], got "
            f"{actions.dtype}{list(actions.shape)}"
        )
    if env.horizon is not None and actions.shape[1] > env.horizon:
        raise ValueError(
            f"demonstrate: episodes have at most horizon = {env.horizon} steps, got "
            f"{actions.shape[1]} actions"
        )

    actions = actions.astype(jnp.int32)
    keys = jax.random.split(as_key(key), actions.shape[0])
    observations, states = _play(env, params_axis, params, actions, keys)
    return Examples(observations, actions), states


def rule_policy(env: Any) -> Learner:
    """The environment's own rule as a learner that never learns, for `rollout` and `evaluate`.

    Its state is empty.

    Raises:
      ValueError: the environment has no rule.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("dialogue")
      >>> _, timestep = env.reset(jax.random.key(0), env.default_params)
      >>> action, _ = rule_policy(env).act((), jax.random.key(1), timestep, ())
      >>> bool(env.action_space.contains(action))
      True
    """
    requirements.has_rule("rule_policy", env)

    def act(state: PyTree, key: Key, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        return env.rule_action(timestep.observation), memory

    def unchanged(state: PyTree) -> tuple[PyTree, dict[str, Array]]:
        return state, {}

    return Learner(lambda key: (), unchanged, act, lambda: (), 0)


@partial(jax.jit, static_argnums=(0, 1))
def _play(
    env: Any, params_axis: int | None, params: PyTree, actions: Array, keys: Key
) -> tuple[PyTree, PyTree]:
    """Observations, leaves [N, T, ...], and the last states, leaves [N, ...]."""

    def episode(params: PyTree, actions: Array, key: Key) -> tuple[PyTree, PyTree]:
        key_reset, key_steps = jax.random.split(key)
        state, timestep = env.reset(key_reset, params)

        def step(carry: PyTree, inputs: tuple[Array, Key]) -> tuple[PyTree, PyTree]:
            state, observation = carry
            state, timestep = env.transition(inputs[1], state, inputs[0], params)
            return (state, timestep.observation), observation

        keys = jax.random.split(key_steps, actions.shape[0])
        (state, _), observations = jax.lax.scan(
            step, (state, timestep.observation), (actions, keys)
        )
        return observations, state

    return jax.vmap(episode, in_axes=(params_axis, 0, 0))(params, actions, keys)
