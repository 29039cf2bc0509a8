"""The conformance suite of environments: the contract, rule by rule."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.spaces import MultiDiscrete
from creative_rl.testing import episodes as played
from creative_rl.testing.trees import (
    leaf_types,
    num_bytes,
    require,
    type_difference,
    value_difference,
    weak_leaf,
)
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers import Wrapper


def check_environment(
    env: Any,
    params: PyTree | None = None,
    *,
    weights: Mapping[str, Array] | None = None,
    num_episodes: int = 4,
    num_steps: int | None = None,
    max_state_bytes: int = 1 << 20,
    seed: int = 0,
) -> None:
    """Hold an environment against the contract; an `AssertionError` names the first rule broken.

    The rules: equal instances hash alike and share one compilation; params, states and timesteps
    are arrays with dtypes of their own, the same from `reset` and `step`, with and without
    64-bit mode; keys may be raw and are consumed once; the second call compiles nothing; weights
    can be vmapped. And in random episodes: observations lie in their space, all numbers are
    finite, the reward is the weighted sum of its terms, episodes end at the horizon, terminal
    states absorb, `work` has one form at every step, `state_index` (where there is one) stays
    below `num_states`, and compiled batches equal plain calls.

    Args:
      env: an `Environment`, a wrapper that keeps the contract (`AutoReset` does not: its states
        never absorb), or anything else with their methods.
      params: defaults to `env.default_params`.
      weights: factor of every reward term; defaults to the wrapped environment's
        `params.weights`. Wrappers that add terms pass them all.
      num_episodes: random episodes to play.
      num_steps: steps of each; defaults to two past the horizon, or 256 where that is None.
      max_state_bytes: what one state may take; big constant things belong in params.
      seed: of the random actions.

    Raises:
      AssertionError: with one sentence about the rule and what was seen.

    Example:
      >>> import creative_rl as crl
      >>> check_environment(crl.make("melody-target-tutorial"))
    """
    try:
        _check_identity(env)
        params = env.default_params if params is None else params
        _check_params(params)
        weights = _find_weights(env, params) if weights is None else weights
        _check_types(env, params, weights, max_state_bytes)
        _check_key_reuse(env, params)
        step_rows = _rows_of_steps(env)
        _check_episodes(
            env, params, weights, jax.random.key(seed), num_episodes, num_steps, step_rows
        )
        _check_compiled_once(env, params, step_rows)
    except AssertionError as error:
        raise AssertionError(f"{type(env).__name__}: {error}") from None


def _check_episodes(
    env: Any,
    params: PyTree,
    weights: Mapping[str, Array],
    key: Key,
    num_episodes: int,
    num_steps: int | None,
    step_rows: played.StepRows,
) -> None:
    if num_steps is None:
        num_steps = 256 if env.horizon is None else env.horizon + 2
    episodes = played.play(env, params, key, num_episodes, num_steps)
    for rule in _EPISODE_RULES:
        rule(env, params, episodes)
    num = played.num_odd_actions(env.action_space)
    same_weights = _map_weights(lambda weight: jnp.stack([weight] * num), params)
    played.check_odd_actions(env, same_weights, episodes, step_rows)
    played.check_reward_sum(episodes, weights)


def _check_state_index(env: Any, params: PyTree, episodes: played.Episodes) -> None:
    """Where observations are numbered, each has a number."""
    num_states = getattr(env, "num_states", None)
    if num_states is None:
        return
    require(
        isinstance(num_states, int) and num_states >= 1,
        f"num_states must be None or a whole number of at least 1, but is {num_states!r}.",
    )
    observations = episodes.timesteps.observation
    one = jax.tree.map(lambda leaf: leaf[0, 0], observations)
    wrong = type_difference(jax.ShapeDtypeStruct((), jnp.int32), env.state_index(one))
    require(wrong is None, f"state_index must give an int32 scalar, but {wrong}.")
    numbers = jax.jit(jax.vmap(jax.vmap(env.state_index)))(observations)
    low, high = int(numbers.min()), int(numbers.max())
    require(
        low >= 0 and high < num_states,
        f"state_index must give numbers in 0..{num_states - 1}, but gave {low} to {high}.",
    )


_EPISODE_RULES = (
    played.check_starts,
    played.check_horizon,
    played.check_absorbing,
    played.check_observations,
    played.check_finite,
    played.check_masks,
    played.check_plain_calls,
    played.check_raw_keys,
    played.check_transition,
    played.check_works,
    _check_state_index,
)


def _find_weights(env: Any, params: PyTree) -> Mapping[str, Array]:
    while isinstance(env, Wrapper):
        env, params = env.env, env.env_params(params)
    require(
        hasattr(params, "weights"),
        "params must have weights, a dict of one number for every reward term.",
    )
    return params.weights


def _check_identity(env: Any) -> None:
    try:
        copy = dataclasses.replace(env)
        same = copy == env and hash(copy) == hash(env)
    except TypeError as error:
        raise AssertionError(f"an environment must be a hashable dataclass, but {error}.") from None
    require(same, "an environment built again from the same fields must be equal and hash alike.")
    traces = []

    def count(env: Any, key: Key) -> Key:
        traces.append(env)
        return key

    traced = jax.jit(count, static_argnums=0)
    for instance in (env, copy):
        traced(instance, jax.random.key(0))
    require(len(traces) == 1, "equal instances must share one compilation.")


def _check_params(params: PyTree) -> None:
    weak = weak_leaf(params)
    require(weak is None, f"params must be arrays with dtypes of their own, but {weak}.")


def _check_types(
    env: Any, params: PyTree, weights: Mapping[str, Array], max_state_bytes: int
) -> None:
    """All rules about types; nothing is computed."""
    # Everything is compared on tracers, because a state may refuse to hold anything but arrays.
    seen = []

    def rules(key: Key, params: PyTree) -> None:
        start, stepped = types(key, params)
        transitioned = env.transition(key, start[0], env.action_space.zeros(), params)
        for name, after in (("step", stepped), ("transition", transitioned)):
            for what, first, second in zip(("state", "timestep"), start, after, strict=True):
                wrong = type_difference(first, second)
                require(
                    wrong is None,
                    f"the {what} must have the same tree, shapes and dtypes from reset and {name}, "
                    f"but from {name} {wrong}.",
                )
        weak = weak_leaf(start)
        require(weak is None, f"every array must have a dtype of its own, but in reset {weak}.")
        size = num_bytes(start[0])
        require(
            size <= max_state_bytes,
            f"a state must be small, at most {max_state_bytes} bytes, but takes {size}; keep "
            "constants in params.",
        )
        _check_timestep_types(env, start[1], weights)

    def types(key: Key, params: PyTree) -> tuple[PyTree, PyTree]:
        start = env.reset(key, params)
        after = env.step(key, start[0], env.action_space.zeros(), params)
        seen.append(leaf_types({"reset": start, "step": after}))
        return start, after

    def only_types(key: Key, params: PyTree) -> None:
        types(key, params)

    key = jax.random.key(0)
    jax.eval_shape(rules, key, params)
    with jax.enable_x64(True):
        jax.eval_shape(only_types, key, params)
    for path, wanted in seen[0].items():
        require(
            seen[1][path] == wanted,
            f"dtypes must not change in 64-bit mode, but there {path} is {seen[1][path]} and not "
            f"{wanted}.",
        )


def _check_timestep_types(env: Any, timestep: Timestep, weights: Mapping[str, Array]) -> None:
    float32, flag = jax.ShapeDtypeStruct((), jnp.float32), jax.ShapeDtypeStruct((), jnp.bool_)
    expected = {
        "observation": env.observation_space.zeros(),
        "reward": float32,
        "terminated": flag,
        "truncated": flag,
    }
    for name, types in expected.items():
        wrong = type_difference(types, getattr(timestep, name))
        require(wrong is None, f"the timestep's {name} has the wrong type: {wrong}.")
    require("reward_terms" in timestep.info, 'info must hold "reward_terms".')
    terms = timestep.info["reward_terms"]
    require(
        set(terms) == set(weights),
        f'info["reward_terms"] must name every weighted term, {sorted(weights)}, but names '
        f"{sorted(terms)}.",
    )
    wrong = type_difference(dict.fromkeys(sorted(terms), float32), dict(terms))
    require(wrong is None, f"reward terms must be float32 scalars, but {wrong}.")
    if timestep.action_mask is not None:
        space = env.action_space
        num = math.prod(space.nums) if isinstance(space, MultiDiscrete) else space.num
        wrong = type_difference(jax.ShapeDtypeStruct((num,), jnp.bool_), timestep.action_mask)
        require(wrong is None, f"the action mask must be bool over all actions, but {wrong}.")


def _check_key_reuse(env: Any, params: PyTree) -> None:
    step = jax.jit(env.step)  # traced once for both

    def episode(key: Key) -> PyTree:
        key_reset, *step_keys = jax.random.split(key, 3)
        state, timestep = env.reset(key_reset, params)
        for step_key in step_keys:
            state, timestep = step(step_key, state, env.action_space.zeros(), params)
        return state, timestep

    try:
        with jax.debug_key_reuse(True):
            jax.jit(episode).trace(jax.random.key(0))
    except jax.errors.KeyReuseError as error:
        raise AssertionError(
            f"reset and step must consume every key once, but: {str(error).splitlines()[0]}"
        ) from None


def _check_compiled_once(env: Any, params: PyTree, step_rows: played.StepRows) -> None:
    """No second trace, whatever the weights; and a batch of weights equals each by itself."""
    traces = []

    def counted(key: Key, state: PyTree, action: PyTree, params: PyTree) -> PyTree:
        traces.append(1)
        return env.step(key, state, action, params)

    step, key, action = jax.jit(counted), jax.random.key(0), env.action_space.zeros()
    start, _ = env.reset(key, params)
    state, _ = env.step(key, start, action, params)
    rows = [params, _map_weights(lambda weight: -weight, params)]
    for before, row in ((start, params), *((state, row) for row in rows)):
        step.trace(key, before, action, row)  # what a call looks up, but for compiling and running
    require(
        len(traces) == 1,
        "the second call must compile nothing, also with other weights, but three calls were "
        f"traced {len(traces)} times.",
    )
    num = played.num_odd_actions(env.action_space)
    sign = 1 - 2 * (jnp.arange(num) % 2)
    batch = _map_weights(
        lambda weight: jnp.multiply.outer(sign.astype(weight.dtype), weight), params
    )
    actions = jax.tree.map(lambda leaf: jnp.stack([leaf] * num), action)
    both = step_rows(key, state, actions, batch)
    for index, row in enumerate(rows):
        expected = env.step(key, state, action, row)
        mine = jax.tree.map(lambda leaf, index=index: leaf[index], both)
        wrong = value_difference(expected, mine, rtol=1e-4, atol=1e-4)
        require(wrong is None, f"a batch of weights must equal each by itself, but {wrong}.")


def _rows_of_steps(env: Any) -> played.StepRows:
    """A compiled `step` for a batch of actions and of weights, from one state."""

    def rows(key: Key, state: PyTree, actions: PyTree, params: PyTree) -> PyTree:
        axes = _map_weights(lambda _: 0, params, otherwise=lambda _: None)
        return jax.vmap(env.step, (None, None, 0, axes))(key, state, actions, params)

    return jax.jit(rows)


def _map_weights(
    fn: Callable[[Array], Any],
    params: PyTree,
    otherwise: Callable[[Array], Any] = lambda leaf: leaf,
) -> PyTree:
    """`fn` on the reward terms' weights anywhere inside `params`, `otherwise` on the rest."""

    def choose(path: tuple[Any, ...], leaf: Array) -> Any:
        names = [getattr(entry, "name", getattr(entry, "key", None)) for entry in path]
        return fn(leaf) if "weights" in names else otherwise(leaf)

    return jax.tree_util.tree_map_with_path(choose, params)
