"""What must hold in whole random episodes of an environment."""

from collections.abc import Callable, Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.spaces import Dict, Discrete, MultiDiscrete
from creative_rl.testing.trees import (
    not_finite_leaf,
    plain,
    require,
    type_difference,
    value_difference,
)
from creative_rl.typing import Array, Key, PyTree, Timestep

StepRows = Callable[[Key, PyTree, PyTree, PyTree], PyTree]
"""`env.step` for a batch of actions and of weights, from one state."""


class Episodes(flax.struct.PyTreeNode):
    """Episodes side by side: leaves [B, T + 1, ...], the start first; actions [B, T, ...]."""

    states: PyTree
    timesteps: Timestep
    actions: PyTree
    step_keys: Key

    @property
    def ended(self) -> np.ndarray:
        """bool[B, T + 1]."""
        return np.asarray(self.timesteps.ended)

    def at(self, episode: int, time: int) -> tuple[PyTree, Timestep]:
        """State and timestep of one moment."""
        return jax.tree.map(lambda leaf: leaf[episode, time], (self.states, self.timesteps))

    def inputs(self, episode: int, time: int) -> tuple[Key, PyTree, PyTree]:
        """Key, state and action of the step that followed."""
        key, action = jax.tree.map(lambda leaf: leaf[episode, time], (self.step_keys, self.actions))
        return key, self.at(episode, time)[0], action


def play(env: Any, params: PyTree, key: Key, num_episodes: int, num_steps: int) -> Episodes:
    """Episodes of random allowed actions, each `num_steps` long, through `env.step`."""

    def one(key: Key) -> Episodes:
        key_reset, key_steps = jax.random.split(key)
        start = env.reset(key_reset, params)

        def advance(carry: PyTree, key: Key):
            key_action, key_step = jax.random.split(key)
            action = sample_action(env, key_action, carry[1].action_mask)
            # The step's key is used again by the rules that replay a step: hence the copy.
            after = env.step(jax.random.clone(key_step), carry[0], action, params)
            return after, (after, action, key_step)

        _, (steps, actions, keys) = jax.lax.scan(
            advance, start, jax.random.split(key_steps, num_steps)
        )
        states, timesteps = jax.tree.map(
            lambda first, rest: jnp.concatenate([first[None], rest]), start, steps
        )
        return Episodes(states, timesteps, actions, keys)

    return jax.jit(jax.vmap(one))(jax.random.split(key, num_episodes))


def sample_action(env: Any, key: Key, mask: Array | None) -> PyTree:
    """A uniform action among those that the mask (over single numbers) allows."""
    space = env.action_space
    if mask is None:
        return space.sample(key)
    index = jax.random.categorical(key, jnp.where(mask, 0.0, -jnp.inf))
    if isinstance(space, MultiDiscrete):
        index = jnp.stack(jnp.unravel_index(index, space.nums), axis=-1)
    return index.astype(space.dtype)


def check_starts(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Reset gives no reward and an episode that goes on."""
    start = jax.tree.map(lambda leaf: leaf[:, 0], episodes.timesteps)
    require((np.asarray(start.reward) == 0).all(), "the reward at reset must be zero.")
    require(not episodes.ended[:, 0].any(), "an episode must not be over at reset.")


def check_observations(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Observations lie in the observation space."""
    contains = jax.jit(jax.vmap(jax.vmap(env.observation_space.contains)))
    inside = np.asarray(contains(episodes.timesteps.observation))
    if not inside.all():
        episode, time = np.argwhere(~inside)[0]
        observation = episodes.at(episode, time)[1].observation
        raise AssertionError(
            f"every observation must lie in observation_space {env.observation_space}, "
            f"but after {time} steps it was {observation}."
        )


def check_masks(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Some action is allowed until the end."""
    mask = episodes.timesteps.action_mask
    if mask is not None:
        some = np.asarray(mask).any(axis=-1)
        require(
            (some | episodes.ended).all(),
            "the action mask must allow some action until the episode is over.",
        )


def check_finite(env: Any, params: PyTree, episodes: Episodes) -> None:
    """No infinity is shown and no NaN is kept."""
    timesteps = episodes.timesteps
    wrong = not_finite_leaf(timesteps)
    require(wrong is None, f"every number shown must be finite, but {wrong} is not.")
    wrong = not_finite_leaf(episodes.states, allow_inf=True)
    require(wrong is None, f"a state must never hold NaN, but {wrong} does.")


def check_horizon(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Episodes end exactly at the horizon, where there is one."""
    if env.horizon is None:
        return
    num_steps = episodes.ended.shape[1] - 1
    lengths = np.where(episodes.ended.any(1), episodes.ended.argmax(1), num_steps + 1)
    if num_steps >= env.horizon:
        require(
            (lengths == env.horizon).all(),
            f"with horizon {env.horizon} every episode must end after exactly that many steps "
            f"(horizon is None where lengths vary), but lengths were {sorted(set(lengths))}.",
        )


def check_absorbing(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Past the end nothing moves and nothing is paid."""
    over = episodes.ended[:, :-1]
    timesteps = episodes.timesteps
    kept = {
        "state": episodes.states,
        "observation": timesteps.observation,
        "terminated": timesteps.terminated,
        "truncated": timesteps.truncated,
        "action_mask": timesteps.action_mask,
    }
    before = jax.tree.map(lambda leaf: leaf[:, :-1][over], kept)
    after = jax.tree.map(lambda leaf: leaf[:, 1:][over], kept)
    moved = value_difference(before, after)
    require(moved is None, f"a terminal state must absorb, but after a step past the end {moved}.")
    for leaf in plain((timesteps.reward, timesteps.info["reward_terms"])):
        require(
            (leaf[:, 1:][over] == 0).all(),
            "a terminal state must absorb: a step past the end must have zero reward and terms.",
        )


def check_reward_sum(episodes: Episodes, weights: Mapping[str, Array]) -> None:
    """The reward is the weighted sum of its terms."""
    terms = episodes.timesteps.info["reward_terms"]
    weighted = [np.asarray(weights[name]) * np.asarray(terms[name]) for name in terms]
    reward = np.asarray(episodes.timesteps.reward)
    total = sum(weighted, np.zeros_like(reward))
    scale = sum(map(np.abs, weighted), np.ones_like(reward))
    wrong = np.argwhere(np.abs(reward - total) > 1e-4 * scale)
    if wrong.size:
        place = tuple(wrong[0])
        raise AssertionError(
            "the reward must be the sum of the terms times params.weights, but after "
            f"{place[1]} steps it was {reward[place]} and the sum {total[place]}."
        )


def check_plain_calls(env: Any, params: PyTree, episodes: Episodes, num_steps: int = 3) -> None:
    """The compiled, batched episodes against plain calls one at a time."""
    for time in range(min(num_steps, episodes.ended.shape[1] - 1)):
        got = env.step(*episodes.inputs(0, time), params)
        wrong = value_difference(episodes.at(0, time + 1), got, rtol=1e-4, atol=1e-4)
        require(
            wrong is None,
            "step must be a pure function of its arguments, the same compiled in a batch as "
            f"called plainly with the same key, but after {time + 1} steps {wrong}.",
        )


def check_raw_keys(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Raw keys give what typed ones give."""
    key, state, action = episodes.inputs(0, 0)
    raw = jax.random.key_data(key)
    results = {
        "reset": (env.reset(key, params), env.reset(raw, params)),
        "step": (env.step(key, state, action, params), env.step(raw, state, action, params)),
    }
    for name, (typed, untyped) in results.items():
        wrong = type_difference(typed, untyped) or value_difference(typed, untyped)
        require(wrong is None, f"{name} must treat a raw key as the typed one, but {wrong}.")


def check_transition(env: Any, params: PyTree, episodes: Episodes) -> None:
    """Inside an episode `transition` is `step`."""
    raw = env.transition(*episodes.inputs(0, 0), params)
    wrong = value_difference(episodes.at(0, 1), raw, rtol=1e-4, atol=1e-4)
    require(wrong is None, f"transition must equal step inside an episode, but {wrong}.")


def check_odd_actions(env: Any, params: PyTree, episodes: Episodes, step_rows: StepRows) -> None:
    """Actions out of range, and (for small sets) every action, allowed or not.

    The weights in `params` have a row for every action, and so has what `step_rows` returns.
    """
    middle = episodes.ended.shape[1] // 2
    for time in (0, middle):
        state, _ = episodes.at(0, time)
        states, timesteps = step_rows(
            jax.random.key(0), state, _odd_actions(env.action_space), params
        )
        wrong = not_finite_leaf(timesteps) or not_finite_leaf(states, allow_inf=True)
        require(
            wrong is None,
            "an action out of range or not allowed must have a defined, finite result, but "
            f"{wrong} is not.",
        )


def num_odd_actions(space: Any) -> int:
    """How many actions `check_odd_actions` tries."""
    return len(jax.tree.leaves(_odd_actions(space))[0])


def _odd_actions(space: Any) -> PyTree:
    """A batch of actions: everything allowed up to a limit, and below and above the range."""
    if isinstance(space, Discrete):
        inside = np.arange(min(space.num, 256))
        return _cast(np.asarray([-1, *inside, space.num, space.num + 1000]), space.dtype)
    if isinstance(space, MultiDiscrete):
        nums = np.asarray(space.nums)
        odd = [np.full_like(nums, -1), nums, nums + 1000, nums - 1, np.zeros_like(nums)]
        return _cast(np.stack(odd), space.dtype)
    if isinstance(space, Dict):
        parts = {name: _odd_actions(part) for name, part in space.items()}
        longest = max(len(leaf) for leaf in jax.tree.leaves(parts))
        return jax.tree.map(lambda leaf: leaf[jnp.arange(longest) % len(leaf)], parts)
    low, high = max(space.low, -1e6), min(space.high, 1e6)
    odd = [np.full(space.shape, value) for value in (low - 1, high + 1, low, high, -1e6, 1e6)]
    return _cast(np.stack(odd), space.dtype)


def _cast(values: np.ndarray, dtype: Any) -> Array:
    """As `dtype`, at the nearest value that it has."""
    if jnp.issubdtype(dtype, jnp.integer):
        values = np.clip(values, jnp.iinfo(dtype).min, jnp.iinfo(dtype).max)
    return jnp.asarray(values.astype(dtype))


def check_works(env: Any, params: PyTree, episodes: Episodes) -> None:
    """The work has one form, whenever it is asked for."""
    works = jax.jit(jax.vmap(jax.vmap(env.work, (0, None)), (0, None)))(episodes.states, params)
    require(jax.tree.leaves(works), "work must return a pytree with arrays.")
    wrong = not_finite_leaf(works)
    require(wrong is None, f"a work must be finite at every step, but {wrong} is not.")
    last = episodes.ended.shape[1] - 1
    for time in (0, last // 2, last):
        work = env.work(episodes.at(0, time)[0], params)
        expected = jax.tree.map(lambda leaf, t=time: leaf[0, t], works)
        differs = type_difference(expected, work)
        differs = differs or value_difference(expected, work, rtol=1e-4, atol=1e-4)
        require(
            differs is None,
            "work must be a pure function that gives one tree of arrays at every step, but after "
            f"{time} steps {differs}.",
        )
