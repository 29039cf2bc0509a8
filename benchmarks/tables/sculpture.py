"""Solids modelled with boxes: random edits, experts who read the target, and policies who see it.

Run `python -m benchmarks.tables.sculpture [--quick] [--seeds N]`. The task is `sculpture-boxes`:
300 edits make 27 boxes into one of twelve solids by formula. Rows:

- random: any allowed edit;
- expert: the environment's rule, Lin et al.'s, which reads the target and takes the edit that pays
  most now;
- expert, searched: for every solid the best of 64 of the expert's episodes with slips
  (`sculpture_search`), by the sum of its rewards;
- policy: sees the target in three pictures only, and has imitated the expert by DAgger;
- policy, of the search: the same, of the expert who has searched.

Policies have learned on the twelve solids that they are measured on, from the pictures alone, in an
environment that does not show them the target; they have met no others, so the table says nothing
of solids that are new. Measured of the last boxes, over the twelve solids: mean intersection over
union, mean number of boxes left and the most of any solid; and intersection over union of four of
them and of the eight unions of boxes. A policy takes the most likely edit and the environment has
no chance but the choice of the solid, so that one episode of each says all; random edits are the
mean over 32.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import acting
from benchmarks.tables.sculpture_search import Planned, search
from benchmarks.tables.seeds import Measures, in_turn, measured_rows, seeds_argument
from creative_rl.configs import DAggerConfig
from creative_rl.envs.sculpture_boxes import BoxSculpture
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import dagger, rule_policy
from creative_rl.ops.boxes import NUM_BOXES
from creative_rl.ops.distributions import uniform_action
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep

NUM_SEEDS, QUICK_SEEDS = 3, 1
NUM_STEPS, QUICK_STEPS = 300, 27
NUM_RANDOM = 32
NUM_SEARCHED, QUICK_SEARCHED = 64, 2
SLIPS = 0.2
NAMED = ("ball", "ring", "column", "chair")
"""The first of the twelve; the others are unions of boxes."""
EXPERT, SEARCHED = "expert", "expert, searched"
POLICY, OF_SEARCH = "policy", "policy, of the search"
CONFIG = DAggerConfig(
    num_envs=24,
    num_steps=3,
    num_epochs=3,
    batch_size=128,
    replay_size=36_000,
    hidden_sizes=(128, 128),
    learning_rate=3e-3,
    decay_updates=1_200,
    rule_steps=64_800,
)
NUM_UPDATES, QUICK_UPDATES = 1_200, 2
SOURCE = {
    "random": "any allowed edit",
    EXPERT: "BoxSculpture.rule_action, which reads the target",
    SEARCHED: f"the best of {NUM_SEARCHED} episodes of the expert, slips from {SLIPS} to 0",
    **dict.fromkeys(
        (POLICY, OF_SEARCH), f"dagger, {record.changed_fields(CONFIG)}, {NUM_UPDATES} updates"
    ),
}


def random_policy(env: Any) -> Learner:
    """Any allowed edit; it never learns."""

    def act(state: PyTree, key: Key, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        uniform = jax.random.uniform(key)
        return uniform_action(uniform, env.action_space.num, timestep.action_mask), memory

    return Learner(lambda key: (), lambda state: (state, {}), act, tuple, 0)


def measured(env: Any, learner: Learner, state: PyTree, key: Key, num: int = 1) -> Measures:
    """Of `num` episodes for every solid."""
    iou, left = jax.device_get(_fits(env, learner, num)(state, key))
    of_each = iou.mean(axis=1)
    named = {name: float(of_each[place]) for place, name in enumerate(NAMED)}
    return {
        "iou": float(iou.mean()),
        "boxes": float(left.mean()),
        "most boxes": float(left.max()),
        **named,
        "unions": float(of_each[len(NAMED) :].mean()),
    }


def _fits(env: Any, learner: Learner, num: int) -> Callable[[PyTree, Key], tuple[Array, Array]]:
    """`(state, key)` to intersection over union and boxes left, float32[12, num]."""
    params = env.default_params

    def episode(state: PyTree, target: Array, views: Array, key: Key) -> tuple[Array, Array]:
        alone = params.replace(targets=target[None], views=views[None])
        last, _ = acting.episode(env, alone, learner, state, key)
        return last.fit.iou, NUM_BOXES - last.fit.deleted

    every = jax.vmap(jax.vmap(episode, (None, None, None, 0)), (None, 0, 0, 0))

    def fits(state: PyTree, key: Key) -> tuple[Array, Array]:
        keys = jax.random.split(key, (params.targets.shape[0], num))
        return every(state, params.targets, params.views, keys)

    return jax.jit(fits)


def imitated(
    env: Any, config: DAggerConfig, num_updates: int, num_seeds: int, blind: BoxSculpture
) -> list[Measures]:
    """Train policies side by side on what the rule of `env` does, and measure them in `blind`,
    which shows them no target."""
    learner = dagger(env, config)
    keys = jax.random.split(jax.random.key(2), num_seeds)
    result = train(learner, keys, num_updates=num_updates, progress=False)
    return [
        measured(blind, learner, result.seed(index), jax.random.key(1))
        for index in range(num_seeds)
    ]


def goals(found: Sequence[Row], seconds: float | None) -> list[Goal]:
    """A policy above .90, and above the expert with at most 8 boxes of any solid."""
    value = {(row.name, row.metric): row.value for row in found}
    policies = [value.get((name, "iou"), 0.0) for name in (POLICY, OF_SEARCH)]
    best = (POLICY, OF_SEARCH)[int(np.argmax(policies))]
    return [
        Goal("image-conditioned policy: intersection over union", 0.90, max(policies)),
        Goal("the same, stretch: the expert's .948", 0.948, max(policies)),
        Goal("boxes left, the most of any solid", 8.0, value.get((best, "most boxes")), True),
        Goal("the whole table, s", 900, seconds, at_most=True),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv, seeds_argument(NUM_SEEDS))
    began = time.perf_counter()
    compilation_cache.enable()
    quick = options.quick
    num_seeds = min(options.seeds, QUICK_SEEDS) if quick else options.seeds
    table = measured_rows(in_turn(_steps(num_seeds, quick)), SOURCE, {}, "")
    seconds = None if quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())


def _steps(num_seeds: int, quick: bool) -> Mapping[str, Callable[[], list[Measures]]]:
    """What measures each row."""
    num_steps = QUICK_STEPS if quick else NUM_STEPS
    blind = BoxSculpture(num_steps=num_steps)
    env = BoxSculpture(num_steps=num_steps, sees_target=True)
    num_updates = QUICK_UPDATES if quick else NUM_UPDATES

    @functools.cache
    def planned() -> Planned:
        num = QUICK_SEARCHED if quick else NUM_SEARCHED
        return Planned(env, search(env, env.default_params, jax.random.key(3), num, SLIPS))

    def fixed(env: Any, learner: Learner, num: int = 1) -> list[Measures]:
        return [measured(env, learner, (), jax.random.key(1), num)]

    def policies(env: Any) -> list[Measures]:
        return imitated(env, CONFIG, num_updates, num_seeds, blind)

    return {
        "random": lambda: fixed(blind, random_policy(blind), NUM_RANDOM),
        EXPERT: lambda: fixed(env, rule_policy(env)),
        SEARCHED: lambda: fixed(planned(), rule_policy(planned())),
        POLICY: lambda: policies(env),
        OF_SEARCH: lambda: policies(planned()),
    }


if __name__ == "__main__":
    main()
