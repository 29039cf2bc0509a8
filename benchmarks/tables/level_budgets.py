"""Levels as policies leave them at several budgets of changes, all of them from one pass.

No policy sees its budget. So an episode with all tiles to change passes, on its way, through the
end that it would have had with less, and stays as it is there: by the first success, by the last
change that the budget allows, or by the last step. `S` seeds, `N` levels of each, `B` budgets.
"""

import functools
from collections.abc import Callable, Mapping

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.envs.level_design import LevelDesign, LevelState
from creative_rl.typing import Array, Key, Learner, PyTree

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the tiles, how many may be changed: the budgets."""
STEPS_A_TILE = 10
"""Of the longest episode. The source has budget x tiles: with all to change as many a tile as there
are tiles, in which a policy that waits would wait for very long."""


class Levels(flax.struct.PyTreeNode):
    """What is left at every budget, leaves [S, N, B, ...]."""

    state: LevelState
    is_success: Array  # bool


def budgets_of(env: LevelDesign) -> np.ndarray:
    """int32[B]: changes, as the environment counts them out of its `change_share`.

    >>> from creative_rl.envs.level import ZeldaLevel
    >>> budgets_of(ZeldaLevel()).tolist()
    [15, 30, 46, 61, 77]
    """
    area = env.height * env.width
    return np.array([max(int(share * area), 1) for share in SHARES], np.int32)


def compiled(env: LevelDesign, learner: Learner, params: PyTree) -> Callable[[PyTree, Key], Levels]:
    """The levels of states with a leading axis of seeds, from keys [S, N]."""
    play = jax.jit(functools.partial(_play, env, learner))
    return functools.partial(play, params, budgets_of(env))


def _play(
    env: LevelDesign, learner: Learner, params: PyTree, budgets: Array, states: PyTree, keys: Key
) -> Levels:
    area = env.height * env.width
    params = params.replace(max_changes=budgets[-1])

    def start(key: Key) -> PyTree:
        key, key_reset = jax.random.split(key)
        env_state, timestep = env.reset(key_reset, params)
        num = budgets.shape[0]
        kept = jax.tree.map(lambda leaf: jnp.stack([leaf] * num), env_state)
        return key, env_state, timestep, Levels(kept, jnp.zeros(num, jnp.bool_))

    def advance(state: PyTree, now: PyTree) -> PyTree:
        key, env_state, timestep, levels = now
        key, key_act, key_step = jax.random.split(key, 3)
        action, _ = learner.act(state, key_act, timestep, learner.init_memory())
        is_on = (env_state.changes < budgets) & (env_state.step < budgets * area)
        env_state, timestep = env.step(key_step, env_state, action, params)

        def keep(old: Array, new: Array) -> Array:
            return jnp.where(is_on.reshape(-1, *(1,) * new.ndim), new[None], old)

        is_good = timestep.terminated & env.is_success(env_state, params)
        levels = Levels(
            jax.tree.map(keep, levels.state, env_state), levels.is_success | (is_on & is_good)
        )
        return key, env_state, timestep, levels

    many = jax.vmap(jax.vmap(advance, (None, 0)))

    def goes_on(carry: tuple[Array, PyTree]) -> Array:
        step, now = carry
        return (step < STEPS_A_TILE * area) & ~now[2].ended.all()

    carry = (jnp.int32(0), jax.vmap(jax.vmap(start))(keys))
    _, now = jax.lax.while_loop(goes_on, lambda c: (c[0] + 1, many(states, c[1])), carry)
    return now[3]


def measured(levels: Levels, seed: int, budget: int) -> Mapping[str, float]:
    """Of a seed's levels at a budget, shares of levels or of tiles.

    `success`: levels as good as the source asks. `diversity`: tiles in which two levels differ, the
    mean of all pairs. `changed`: changes that were made over the tiles that there are; a tile that
    is changed twice counts twice. `solvable`, of Sokoban: levels with a solution of any length.
    """
    state = jax.tree.map(lambda leaf: np.asarray(leaf[seed, :, budget]), levels.state)
    found = {
        "success": float(np.mean(levels.is_success[seed, :, budget])),
        "diversity": mean_distance(state.tiles),
        "changed": float(np.mean(state.changes)) / state.tiles[0].size,
    }
    if "solution_length" in state.measures:
        found["solvable"] = float(np.mean(state.measures["solution_length"] > 0))
    return found


def mean_distance(tiles: np.ndarray) -> float:
    """Mean Hamming distance between any two of the maps [N, H, W], as a share of their tiles.

    >>> mean_distance(np.array([[[0, 0]], [[0, 1]], [[1, 1]]]))
    0.6666666666666666
    """
    num = len(tiles)
    counts = [(tiles == kind).sum(axis=0) for kind in np.unique(tiles)]
    same = sum((count * (count - 1) for count in counts), np.zeros(tiles.shape[1:], int))
    return float(1 - same.mean() / (num * (num - 1)))


def uniform(states: PyTree) -> PyTree:
    """The same learner's states with networks that give all actions the same probability."""
    return states.replace(variables=jax.tree.map(jnp.zeros_like, states.variables))
