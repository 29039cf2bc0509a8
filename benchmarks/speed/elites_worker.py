"""Our MAP-Elites; worker of `elites`. One unit is a number of updates, one program."""

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import elites_task as task
from benchmarks.speed import worker


def make_learner() -> Any:
    """The task's learner."""
    import creative_rl as crl

    config = crl.MAPElitesConfig(
        batch_size=task.BATCH,
        num_steps=task.STEPS,
        descriptors=",".join(task.DESCRIPTORS),
        cells=task.CELLS,
        mutation_rate=task.MUTATION_RATE,
        crossover_rate=task.CROSSOVER_RATE,
    )
    return crl.learners.map_elites(crl.make(task.ID), config)


def main(num_updates: str) -> None:
    worker.own_the_output()
    import jax

    learner, length = make_learner(), int(num_updates)

    def chunk(state: Any) -> tuple[Any, Any]:
        return jax.lax.scan(lambda state, _: learner.update(state), state, length=length)

    state = learner.init(jax.random.key(0))
    update, build = worker.built(jax.jit(chunk, donate_argnums=0), state)
    state, _ = jax.block_until_ready(update(state))
    states = [state]

    def unit(number: int) -> Mapping[str, Any]:
        states[0], metrics = jax.block_until_ready(update(states[0]))
        told = {name: float(metrics[name][-1]) for name in ("coverage", "maximum")}
        return {"steps": length * task.BATCH, **told}

    about = {"device": worker.device(), "build": build, "versions": worker.versions("jax")}
    worker.serve(about, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
