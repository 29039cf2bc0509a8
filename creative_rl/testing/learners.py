"""The conformance suite of learners: the contract, rule by rule."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.testing.trees import (
    is_key,
    not_finite_leaf,
    plain,
    require,
    type_difference,
    unplain,
    value_difference,
    weak_leaf,
)
from creative_rl.typing import Key, Learner, Policy, PyTree

Update = Callable[[PyTree], tuple[PyTree, PyTree]]


def check_learner(
    learner: Learner,
    env: Any | None = None,
    params: PyTree | None = None,
    *,
    num_updates: int = 3,
    num_seeds: int = 2,
    num_works: int = 3,
    seed: int = 0,
) -> None:
    """Hold a learner against the contract; an `AssertionError` names the first rule broken.

    The rules: `init` gives every array a buffer of its own; `update` keeps the state's tree, shapes
    and dtypes, compiles once with its state donated, and reports finite scalars; it consumes every
    key once; an update from a state that was saved and restored is bit-equal; seeds give different
    parameters and run under `vmap`, each as it would alone; `act` gives actions of the environment
    with a memory of one form, and `policy` chooses the same; `generate` gives finite works. Use
    small sizes: `update` is compiled twice.

    Args:
      learner: what a factory returned, bound to its environment and config.
      env: the environment, for the rules about `act`; None leaves those out.
      params: the environment's; defaults to `env.default_params`.
      num_updates: updates in a row.
      num_seeds: seeds side by side.
      num_works: works to ask `generate` for.
      seed: of the learner.

    Raises:
      AssertionError: with one sentence about the rule and what was seen.
    """
    key_init, key_act = jax.random.split(jax.random.key(seed))
    _check_numbers(learner)
    update, traces = _counted_update(learner)
    _check_types(learner, update)
    _check_buffers(learner, key_init)
    _check_key_reuse(learner)
    keys = jax.random.split(key_init, num_seeds)
    state = _check_updates(learner, update, keys, num_updates)
    require(len(traces) == 1, f"update must compile once, but was traced {len(traces)} times.")
    if env is not None:
        _check_act(learner, env, env.default_params if params is None else params, state, key_act)
    if learner.generate is not None:
        _check_generate(learner.generate, state, key_act, num_works)


def _check_numbers(learner: Learner) -> None:
    steps = learner.steps_per_update
    require(
        isinstance(steps, int) and steps >= 1,
        f"steps_per_update must be a whole number of at least 1, but is {steps!r}.",
    )


def _counted_update(learner: Learner) -> tuple[Update, list[int]]:
    """`update`, compiled with its state donated, and a list that grows when it is traced.

    One for all rules, because tracing takes most of their time. What a result is made of is looked
    at where it is traced: a number of Python's is an array afterwards.
    """
    traces = []

    def counted(state: PyTree) -> tuple[PyTree, PyTree]:
        traces.append(1)
        new, metrics = learner.update(state)
        wrong = type_difference(state, new)
        require(
            wrong is None,
            f"update must keep the state's tree, shapes and dtypes, but after it {wrong}.",
        )
        for name, metric in metrics.items():
            shape = getattr(metric, "shape", None)
            require(shape == (), f"metrics must be arrays without axes, but {name} is {metric}.")
        return new, metrics

    return jax.jit(counted, donate_argnums=0), traces


def _check_types(learner: Learner, update: Update) -> None:
    """All rules about types; nothing is computed."""

    def rules(key: Key) -> None:
        first = learner.init(key)
        weak = weak_leaf(first)
        require(weak is None, f"every array must have a dtype of its own, but in init {weak}.")
        update(first)

    # Compared on tracers, because a state may refuse to hold anything but arrays.
    jax.eval_shape(rules, jax.random.key(0))


def _check_buffers(learner: Learner, key: Key) -> None:
    """A state can be donated: no two of its arrays share a buffer, nor do those of two states."""
    states = (learner.init(jax.random.clone(key)), learner.init(jax.random.clone(key)))
    owners: dict[int, str] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(states)[0]:
        if is_key(leaf) or not leaf.size:
            continue
        name, pointer = jax.tree_util.keystr(path[1:]), leaf.unsafe_buffer_pointer()
        require(
            pointer not in owners,
            "init must give every array a buffer of its own, since a state is donated, but "
            f"{name} shares that of {owners.get(pointer)}.",
        )
        owners[pointer] = name


def _check_key_reuse(learner: Learner) -> None:
    update = jax.jit(learner.update)  # traced once for both

    def run(key: Key) -> PyTree:
        state, metrics = update(learner.init(key))
        return update(state), metrics

    try:
        with jax.debug_key_reuse(True):
            jax.jit(run).trace(jax.random.key(0))
    except jax.errors.KeyReuseError as error:
        raise AssertionError(
            f"init and update must consume every key once, but: {str(error).splitlines()[0]}"
        ) from None


def _check_updates(learner: Learner, update: Update, keys: Key, num_updates: int) -> PyTree:
    """All rules that run updates; returns the last state of the first seed."""
    init = jax.jit(learner.init)
    _check_seeds(init, update, keys, first=update(init(keys[0]))[0])
    state = init(keys[0])
    for number in range(1, num_updates + 1):
        restored, _ = update(unplain(plain(state), like=state))
        state, metrics = update(state)
        wrong = value_difference(state, restored)
        require(
            wrong is None,
            f"an update from a saved and restored state must be bit-equal, but in update {number} "
            f"{wrong}; everything that an update reads must be in the state.",
        )
        wrong = not_finite_leaf(metrics)
        require(wrong is None, f"metrics must be finite, but in update {number} {wrong} is not.")
        wrong = not_finite_leaf(state, allow_inf=True)
        require(wrong is None, f"a state must never hold NaN, but {wrong} does.")
    return state


def _check_seeds(init: Callable[[Key], PyTree], update: Update, keys: Key, first: PyTree) -> None:
    """Seeds side by side; `first` is the first seed's state after an update of its own."""
    population = jax.jit(jax.vmap(init))(keys)
    matrices = _weights(population)
    # A table starts from one number everywhere; what it learns is then the key's own.
    is_table = all((leaf == leaf.ravel()[0]).all() for leaf in matrices)
    require(
        is_table or _differ(matrices),
        "init must give every key parameters of its own, or one number everywhere.",
    )
    population, _ = jax.jit(jax.vmap(update))(population)
    matrices = _weights(population)
    require(not is_table or _differ(matrices), "every key must learn parameters of its own.")
    together = jax.tree.map(lambda leaf: leaf[0], population)
    wrong = value_difference(first, together, rtol=1e-3, atol=1e-4)
    require(wrong is None, f"a seed under vmap must learn as it does alone, but there {wrong}.")


def _differ(matrices: list[Any]) -> bool:
    """Whether some parameters of the first two seeds differ."""
    return any(not np.array_equal(leaf[0], leaf[1]) for leaf in matrices)


def _weights(population: PyTree) -> list[Any]:
    """Float leaves with a leading seed axis: matrices and more, vectors where there are none."""
    leaves = [leaf for leaf in jax.tree.leaves(population) if not is_key(leaf)]
    floats = [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return [leaf for leaf in floats if leaf.ndim >= 3] or [
        leaf for leaf in floats if leaf.ndim == 2
    ]


def _check_act(learner: Learner, env: Any, params: PyTree, state: PyTree, key: Key) -> None:
    fresh = learner.init_memory()
    act, step = jax.jit(learner.act), jax.jit(env.step)
    key_reset, *keys = jax.random.split(key, 7)
    env_state, timestep = jax.jit(env.reset)(key_reset, params)
    memory = fresh
    for number, (key_act, key_step) in enumerate(zip(keys[::2], keys[1::2], strict=True), start=1):
        if learner.policy is not None and number == 1:
            _check_policy(learner.policy, act, (state, key_act, timestep, memory))
        action, memory = act(state, key_act, timestep, memory)
        wrong = type_difference(fresh, memory)
        require(wrong is None, f"act must keep the form of init_memory(), but gave {wrong}.")
        wrong = type_difference(env.action_space.zeros(), action)
        require(wrong is None, f"act must give an action like the action space's, but {wrong}.")
        require(
            env.action_space.contains(action),
            f"act must give actions inside {env.action_space}, but action {number} was {action}.",
        )
        require(
            _is_allowed(action, timestep.action_mask, env.action_space),
            f"act must give actions that the mask allows, but action {number} was {action}.",
        )
        env_state, timestep = step(key_step, env_state, action, params)


def _check_policy(policy: Policy, act: Callable, arguments: tuple[PyTree, ...]) -> None:
    state, key, timestep, memory = arguments
    action = act(state, jax.random.clone(key), timestep, memory)[0]
    outputs = policy.outputs(state, timestep, memory)[0]
    wrong = value_difference(action, policy.choose(jax.random.clone(key), outputs), atol=1e-5)
    require(wrong is None, f"policy must choose as act does, but its choice {wrong}.")


def _is_allowed(action: Any, mask: Any, space: Any) -> bool:
    if mask is None:
        return True
    index = action
    if np.ndim(action) == 1:
        index = np.ravel_multi_index(tuple(np.asarray(action)), space.nums)
    return bool(mask[index])


def _check_generate(
    generate: Callable[[PyTree, Key, int], PyTree], state: PyTree, key: Key, num: int
) -> None:
    works = generate(state, key, num)
    leaves = jax.tree.leaves(works)
    require(leaves, "generate must return a pytree with arrays.")
    require(
        all(leaf.shape[:1] == (num,) for leaf in leaves),
        f"generate must return {num} works along the first axis of every array.",
    )
    wrong = not_finite_leaf(works)
    require(wrong is None, f"works must be finite, but {wrong} is not.")
    again = generate(state, jax.random.clone(key), num)
    differs = value_difference(works, again)
    require(differs is None, f"generate must be the same for the same key, but {differs}.")
