"""MAP-Elites: an archive of works that differ, each the best of its kind.

A solution is the actions of a whole episode. An update takes elites from the archive, crosses and
mutates them, plays what comes out, all side by side, and keeps what is better than what its cell
has. Fitness is the undiscounted return, by the environment's own rewards; the cell is told by
descriptors of the episode's work (`learners.describing`).

Sources: Mouret and Clune, "Illuminating search spaces by mapping elites" (arXiv 1504.04909), figure
2; parents are uniform over the filled cells, offspring by crossover at two points and by drawing
actions anew (`ops.evolution`).

Every episode begins from one start, which is drawn from the learner's key and kept, and every step
meets the same randomness in each: a solution is worth the same whenever it is tried. For the same
reason params stay as they are: rewards that learn do not learn here. A forbidden action is read as
the next one that is allowed.

`steps_per_update` counts `num_steps` for every episode, also where some end earlier.
"""

import math
from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.axes import spread
from creative_rl.configs import MAPElitesConfig, validate
from creative_rl.environment import start_params
from creative_rl.learners import describing, requirements
from creative_rl.learners.summary import episode_metrics
from creative_rl.ops import evolution
from creative_rl.spaces import Box
from creative_rl.stores import archive as elites
from creative_rl.stores.archive import Archive
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(MAPElitesConfig)


class MAPElitesState(flax.struct.PyTreeNode):
    """Everything that a run of MAP-Elites is; saving it is an exact checkpoint."""

    archive: Archive  # of actions, [C, T, ...]
    start_state: PyTree  # where every episode begins: of the environment in an `EpisodeLog`
    episode_key: Key  # of what happens in every episode
    env_params: PyTree
    key: Key
    num_updates: Array  # int32


def map_elites(env: Any, config: MAPElitesConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    `act` plays an elite that it draws at the start of an episode, one action after the other,
    whatever it observes and wherever the episode began; past its last action it repeats that.
    `generate` gives works of elites as they are in the archive.

    Args:
      env: environment with `Discrete`, `MultiDiscrete` or bounded `Box` actions, not wrapped in
        `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the action space is none of these, a config field is out of range, a descriptor is
        unknown, or neither the environment has a horizon nor the config `num_steps`.

    Example:
      >>> import creative_rl as crl
      >>> config = MAPElitesConfig(batch_size=8, cells=(4, 3), descriptors="note_share,pitch_span")
      >>> learner = map_elites(crl.make("melody-target"), config)
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> state.archive.shape, float(metrics["coverage"]) > 0
      ((4, 3), True)
    """
    validate(config, MAPElitesConfig)
    requirements.action_head("map_elites", env, params)  # refuses actions that nothing draws
    requirements.never_resets("map_elites", env)
    num_steps = requirements.episode_steps("map_elites", config.num_steps, env)
    given = env.default_params if params is None else params
    axes = describing.axes("map_elites", env, given, config.descriptors, len(config.cells))
    num_cells = math.prod(config.cells)
    requirements.at_most("map_elites", "cells in all", num_cells, "limit", elites.MOST_CELLS)
    logged_env, space = EpisodeLog(env), env.action_space
    size = (config.batch_size, num_steps)

    def init(key: Key) -> MAPElitesState:
        key, key_reset, key_episode = jax.random.split(as_key(key), 3)
        env_params = start_params(env, params)
        start_state, _ = logged_env.reset(key_reset, env_params)
        nothing = space.zeros((num_steps,))
        if isinstance(space, Box):
            nothing = jnp.clip(nothing, space.low, space.high)
        return MAPElitesState(
            archive=elites.init(nothing, config.cells, tuple((a.low, a.high) for a in axes)),
            # A state is donated, and an environment's may have an array in it twice.
            start_state=jax.tree.map(jnp.copy, start_state),
            episode_key=key_episode,
            env_params=env_params,
            key=key,
            num_updates=jnp.int32(0),
        )

    def offspring(state: MAPElitesState, key: Key) -> Array:
        """Solutions to try, [B, T, ...]."""
        key_parents, key_cuts, key_fresh, key_mutation = jax.random.split(key, 4)
        cells = elites.sample(state.archive, key_parents, (2, config.batch_size))
        first, second = elites.take(state.archive, cells)
        cuts = evolution.cuts(key_cuts, config.batch_size, num_steps, config.crossover_rate)
        children = evolution.crossed(first, second, *cuts)
        is_random = (state.num_updates < config.random_updates) | ~state.archive.is_filled.any()
        rate = jnp.where(is_random, 1.0, config.mutation_rate)
        return evolution.resampled(key_mutation, children, space.sample(key_fresh, size), rate)

    def update(state: MAPElitesState) -> tuple[MAPElitesState, dict[str, Array]]:
        key, key_offspring = jax.random.split(state.key)
        solutions = spread(offspring(state, key_offspring), axis=0)
        works, timesteps, played = _play(logged_env, state, solutions)
        rewards, terms = jax.tree.map(
            lambda values: jnp.where(played, values, 0.0).sum(axis=0),
            (timesteps.reward, timesteps.info["reward_terms"]),
        )
        descriptors = jnp.stack([jax.vmap(axis.fn)(works, terms) for axis in axes], axis=-1)
        archive, num_added = elites.add(state.archive, solutions, rewards, descriptors)
        state = state.replace(archive=archive, key=key, num_updates=state.num_updates + 1)
        metrics = {
            **elites.measures(archive, config.fitness_floor),
            "fitness_mean": rewards.mean(),
            "num_added": num_added,
        }
        return state, metrics | episode_metrics(timesteps, played)

    def act(
        state: MAPElitesState, key: Key, timestep: Timestep, memory: dict[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        """The next action of the elite in the memory, or, at the start, of one that is drawn."""
        drawn = elites.sample(state.archive, as_key(key))
        cell = jnp.where(memory["step"] == 0, drawn, memory["cell"])
        place = jnp.minimum(memory["step"], num_steps - 1)
        action = _allowed(state.archive.solutions[cell, place], timestep.action_mask)
        return action, {"cell": cell, "step": memory["step"] + 1}

    def init_memory() -> dict[str, Array]:
        return {"cell": jnp.int32(0), "step": jnp.int32(0)}

    def generate(state: MAPElitesState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], of elites that are drawn with replacement."""
        return elite_works(env, state, elites.sample(state.archive, as_key(key), (num,)))

    return Learner(init, update, act, init_memory, math.prod(size), generate)


@partial(jax.jit, static_argnums=0)
def elite_works(env: Any, state: MAPElitesState, cells: Array) -> PyTree:
    """The works of the elites in these cells, leaves [N, ...].

    Args:
      env: the environment that the learner was built with.
      state: the learner's, of one seed.
      cells: int32[N], of an empty cell the work means nothing.
    """
    works, _, _ = _play(EpisodeLog(env), state, elites.take(state.archive, cells))
    return works


def _play(env: Any, state: MAPElitesState, solutions: Array) -> tuple[PyTree, Timestep, Array]:
    """Whole episodes, of solutions [B, T, ...].

    Returns:
      The last works, leaves [B, ...]; the timesteps without what was observed, leaves [T, B]; and
      bool[T, B], whether a step was not past the end.
    """
    params, (num, num_steps) = state.env_params, solutions.shape[:2]
    # Where all episodes have the same length, none goes past its end.
    env_step = env.transition if env.horizon == num_steps else env.step

    def step(carry, inputs):
        env_state, action_mask, played = carry
        action, key = inputs
        action = jax.vmap(_allowed)(action, action_mask)
        env_state, following = jax.vmap(env_step, (None, 0, 0, None))(
            key, env_state, action, params
        )
        seen = following.replace(observation=(), action_mask=None)
        return (env_state, following.action_mask, played & ~following.ended), (seen, played)

    start = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num, *leaf.shape)), state.start_state)
    terminated, truncated = jax.vmap(env.end, (0, None))(start, params)
    action_mask = jax.vmap(env.action_mask, (0, None))(start, params)
    carry = (spread(start, axis=0), action_mask, ~(terminated | truncated))
    # The same key in every update: what a solution is worth does not depend on when it is tried.
    keys = jax.random.split(jax.random.clone(state.episode_key), num_steps)
    (env_state, _, _), (timesteps, played) = jax.lax.scan(
        step, carry, (jnp.moveaxis(solutions, 1, 0), keys)
    )
    return jax.vmap(env.work, (0, None))(env_state, params), timesteps, played


def _allowed(action: Array, action_mask: Array | None) -> Array:
    """The action, or the next one that is allowed, from the last on to the first."""
    if action_mask is None:
        return action
    num = action_mask.shape[0]
    far = (jnp.arange(num, dtype=jnp.int32) - action.astype(jnp.int32)) % num
    return jnp.argmin(jnp.where(action_mask, far, num)).astype(action.dtype)
