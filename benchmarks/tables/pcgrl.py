"""PCGRL's problems, numbers for what its paper draws: success, diversity and changes at budgets.

Run `python -m benchmarks.tables.pcgrl [--quick] [--seeds N] [--steps N] [--envs N] [--workers N]`;
on an accelerator there may be more of all, such as `--steps 2e6 --envs 2048 --workers 9`. The
environments are the nine `level-*`: the problems binary, zelda and sokoban in the representations
narrow, turtle and wide. PPO learns for as many steps a seed as `pcgrl_recipes` has, or `--steps`
(the paper: 100 million), from episodes that may change all tiles (the paper's: 20 %). Then it and a
random policy, for which all actions are as probable, make 128 levels a seed with 20 % to 100 % of
the tiles to change; `level_budgets` says what is measured of them. Seeds train side by side in one
program; with more than one of `--workers`, so many tasks are traced, compiled and trained beside
each other, in processes.

Beside them stands what the paper prints, of three models and 40 levels each: of sokoban the
solvable levels, and the changed tiles, where all may be changed. Its success is a picture only;
its random policy has none.

A policy that changes nothing would be below the paper's changed tiles. So these count only where
half of the levels succeed.
"""

import argparse
import dataclasses
import functools
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

import creative_rl as crl
from benchmarks import record
from benchmarks.record import Goal, Row, changed_fields
from benchmarks.speed import worker
from benchmarks.tables import level_budgets
from benchmarks.tables.level_budgets import SHARES
from benchmarks.tables.pcgrl_recipes import (
    PROBLEMS,
    QUICK_RECIPE,
    RECIPES,
    REPRESENTATIONS,
    Recipe,
)
from benchmarks.tables.seeds import Measures, in_turn, measured_rows, seeds_argument
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import ppo
from creative_rl.typing import Learner, PyTree

NUM_SEEDS, QUICK_SEEDS = 2, 2
LEARNING_SHARE = 1.0
"""Of the tiles, how many an episode may change that is learned from."""
NUM_LEVELS, QUICK_LEVELS = 128, 4
QUICK_TASKS = (("sokoban", "narrow"),)
SOURCE = "Khalifa et al., PCGRL (arXiv 2001.09212), Table 2 and text, all tiles to change"
CHANGED = {
    "binary": (0.297, 0.197, 0.156),
    "zelda": (0.3925, 0.216, 0.218),
    "sokoban": (0.269, 0.251, 0.265),
}
"""Published shares of changed tiles, narrow, turtle and wide."""
SOLVABLE = (0.867, 0.883, 0.675)
"""Published shares of sokoban's levels, narrow, turtle and wide."""
ENOUGH = 0.5
"""Levels that succeed where changed tiles count."""

Task = tuple[str, str]
T = TypeVar("T")
TASKS = tuple(itertools.product(PROBLEMS, REPRESENTATIONS))


def named(task: Task, policy: str, share: float) -> str:
    """A row's name.

    >>> named(("zelda", "wide"), "ppo", 0.2)
    'zelda wide, ppo, 20 %'
    """
    return f"{' '.join(task)}, {policy}, {100 * share:.0f} %"


def published() -> dict[str, Measures]:
    """What the paper prints, by row."""
    found: dict[str, dict[str, float]] = {}
    for problem, representation in TASKS:
        place = REPRESENTATIONS.index(representation)
        name = named((problem, representation), "ppo", 1.0)
        found[name] = {"changed": CHANGED[problem][place]}
        if problem == "sokoban":
            found[name]["solvable"] = SOLVABLE[place]
    return found


def scaled(env: crl.Environment, scale: float) -> PyTree:
    """The default params with all weights times `scale`."""
    params = env.default_params
    weights = {name: weight * jnp.float32(scale) for name, weight in params.weights.items()}
    return params.replace(weights=weights)


def prepared(task: Task, recipe: Recipe) -> tuple[Any, Learner, int]:
    """The environment that is learned in, the learner, and how many updates it takes."""
    env = crl.make(f"level-{'-'.join(task)}", change_share=LEARNING_SHARE)
    num_updates = -(-recipe.num_steps // (recipe.config.num_envs * recipe.config.num_steps))
    config = dataclasses.replace(recipe.config, decay_updates=num_updates)
    return env, ppo(env, config, scaled(env, recipe.scale)), num_updates


def made(task: Task, recipe: Recipe, num_seeds: int, num_levels: int) -> dict[str, list[Measures]]:
    """Train the seeds of a task side by side: its rows, and those of the random policy."""
    env, learner, num_updates = prepared(task, recipe)
    key_train, *keys_play = jax.random.split(jax.random.key(0), 3)
    keys = jax.random.split(key_train, num_seeds)
    trained = train(learner, keys, num_updates, progress=False).state
    policies = {"random": level_budgets.uniform(trained), "ppo": trained}
    play = level_budgets.compiled(env, learner, env.default_params)
    rows = {}
    for key, (policy, states) in zip(keys_play, policies.items(), strict=True):
        levels = jax.device_get(play(states, jax.random.split(key, (num_seeds, num_levels))))
        for place, share in enumerate(SHARES):
            rows[named(task, policy, share)] = [
                level_budgets.measured(levels, seed, place) for seed in range(num_seeds)
            ]
    return rows


def sized(recipe: Recipe, num_envs: int | None, num_steps: int | None) -> Recipe:
    """A recipe with so many environments and steps; None: as it has them."""
    config = dataclasses.replace(recipe.config, num_envs=num_envs or recipe.config.num_envs)
    return recipe._replace(config=config, num_steps=num_steps or recipe.num_steps)


def goals(found: Sequence[Row], seconds: float | None) -> list[Goal]:
    """Sokoban's solvable levels and all problems' changed tiles, against the published ones."""
    value = {(row.name, row.metric): row.value for row in found}
    solvable, changed = [], []
    for name, figures in published().items():
        if "solvable" in figures:
            what = f"{name}: solvable, against the published"
            solvable.append(Goal(what, figures["solvable"], value.get((name, "solvable"))))
        what = f"{name}: changed tiles, against the published"
        is_enough = value.get((name, "success"), 0.0) >= ENOUGH
        ours = value[name, "changed"] if is_enough else None
        changed.append(Goal(what, figures["changed"], ours, at_most=True))
    return [*solvable, *changed, Goal("the whole table, s", 3600, seconds, at_most=True)]


def sizes_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--steps`, such as 2e7, `--envs` and `--workers`."""
    parser.add_argument("--steps", type=_number, help="of every seed (default: the recipe's)")
    parser.add_argument("--envs", type=_number, help="side by side, of every seed (likewise)")
    parser.add_argument("--workers", type=_number, default=1, help="tasks beside each other")


def _number(text: str) -> int:
    if (num := int(float(text))) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return num


def all_of(steps: Mapping[str, Callable[[], T]], num_workers: int) -> dict[str, T]:
    """What all steps give, as `in_turn`; so many at a time, in processes.

    To trace a program is Python's work, of which threads share one processor.
    """
    if num_workers == 1:
        return in_turn(steps)
    spawn = multiprocessing.get_context("spawn")  # a fork would share JAX's threads, and hang
    cache = jax.config.jax_compilation_cache_dir
    with ProcessPoolExecutor(num_workers, spawn, _begin_worker, (cache,)) as pool:
        futures = {name: pool.submit(in_turn, {name: step}) for name, step in steps.items()}
        try:
            return {name: future.result()[name] for name, future in futures.items()}
        except BaseException:  # those that have not begun would only hold up its message
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker(cache: str | None) -> None:
    """All workers share an accelerator, of whose memory JAX would take the most for each, and the
    compiled programs of who started them."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax.config.update("jax_compilation_cache_dir", cache)
    compilation_cache.enable()


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(
        __doc__, __spec__, argv, seeds_argument(NUM_SEEDS), sizes_arguments
    )
    began = time.perf_counter()
    compilation_cache.enable()
    quick = options.quick
    num_seeds = min(options.seeds, QUICK_SEEDS) if quick else options.seeds
    num_levels = QUICK_LEVELS if quick else NUM_LEVELS
    asked = {task: QUICK_RECIPE for task in QUICK_TASKS} if quick else RECIPES
    recipes = {task: sized(recipe, options.envs, options.steps) for task, recipe in asked.items()}
    steps = {
        " ".join(task): functools.partial(made, task, recipe, num_seeds, num_levels)
        for task, recipe in recipes.items()
    }
    made_rows = all_of(steps, options.workers).values()
    found = {name: seeds for rows in made_rows for name, seeds in rows.items()}
    sources = {
        named(task, "ppo", share): f"ppo, {changed_fields(recipe.config)}, rewards times "
        f"{recipe.scale:g}, {recipe.num_steps:g} steps a seed"
        for task, recipe in recipes.items()
        for share in SHARES
    }
    table = measured_rows(found, sources, published(), SOURCE)
    seconds = None if quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())


if __name__ == "__main__":
    main()
