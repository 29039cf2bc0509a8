"""PPO on CartPole for one seed, or for many in one program; worker of `populations`."""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import settings, worker


def task(num_updates: int) -> settings.PPOTask:
    """purejaxrl's sizes: 4 environments, 128 steps."""
    return dataclasses.replace(settings.tasks(False)[settings.NARROW], num_updates=num_updates)


def main(num_seeds: str, num_updates: str) -> None:
    """`num_seeds` is 0 for one seed alone, without an axis of seeds."""
    worker.own_the_output()
    import jax

    from benchmarks.speed.contenders import ours

    seeds, updates = int(num_seeds), int(num_updates)
    learner = ours.ppo(task(updates))
    train = ours.whole_run(learner, updates)
    steps = updates * learner.steps_per_update * max(seeds, 1)

    def key(number: int) -> jax.Array:
        key = jax.random.key(number)
        return jax.random.split(key, seeds) if seeds else key

    compiled, build = worker.built(jax.jit(jax.vmap(train) if seeds else train), key(0))

    def unit(number: int) -> Mapping[str, Any]:
        jax.block_until_ready(compiled(key(number)))
        return {"steps": steps}

    worker.serve({"build": build, "device": worker.device()}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
