"""Value iteration over an environment's own transitions, found by trying every action everywhere.

For small deterministic environments with `Discrete` actions. Their rules are not repeated here:
states are found from `reset` on, and each is asked for its successors.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Model(NamedTuple):
    """What leads where: S states, the start first, and A actions."""

    states: list  # S pytrees
    observations: list  # what each shows
    next_state: np.ndarray  # int[S, A]
    reward: np.ndarray  # float64[S, A]
    terminated: np.ndarray  # bool[S, A]: the action ends the episode
    is_over: np.ndarray  # bool[S]: nothing leads on from here


def whole(state, observation):
    """States are the same where all that they hold is."""
    return tuple(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(state))


def shown(state, observation):
    """States are the same where they look the same: only where that tells all that matters."""
    return tuple(np.ravel(observation).tolist())


def explore(env, same=whole):
    """Everything that can be reached, with `same` giving a name that equal states share.

    An ended episode is a state of its own, whatever it looks like.
    """
    params = env.default_params
    actions = jnp.arange(env.action_space.num, dtype=jnp.int32)
    try_all = jax.jit(jax.vmap(env.transition, (None, None, 0, None)))
    key = jax.random.key(0)
    start, timestep = env.reset(key, params)
    names = {(same(start, timestep.observation), False): 0}
    states, observations, is_over = [start], [timestep.observation], [False]
    rows = []
    for number, state in enumerate(states):  # which grow
        if is_over[number]:
            rows.append([(number, 0.0, True)] * len(actions))
            continue
        after = jax.device_get(try_all(key, state, actions, params))
        row = []
        for action in range(len(actions)):
            next_state, timestep = jax.tree.map(lambda leaf, a=action: leaf[a], after)
            assert not timestep.truncated, "found a time limit: it is no part of the task"
            name = (same(next_state, timestep.observation), bool(timestep.terminated))
            if name not in names:
                names[name] = len(states)
                states.append(next_state)
                observations.append(timestep.observation)
                is_over.append(bool(timestep.terminated))
            row.append((names[name], float(timestep.reward), bool(timestep.terminated)))
        rows.append(row)
    next_state, reward, terminated = (np.array(part) for part in np.moveaxis(rows, 2, 0))
    return Model(
        states,
        observations,
        next_state.astype(int),
        reward,
        terminated.astype(bool),
        np.array(is_over),
    )


def action_values(model, gamma):
    """float64[S, A]: the best discounted return after each action, to the last digit."""
    values = np.zeros(model.reward.shape)
    while True:
        next_value = np.where(model.terminated, 0.0, values.max(1)[model.next_state])
        new = np.where(model.is_over[:, None], 0.0, model.reward + gamma * next_value)
        if np.array_equal(new, values):
            return values
        values = new
