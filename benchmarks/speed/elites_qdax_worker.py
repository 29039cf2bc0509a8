"""QDax's MAP-Elites on the same task; worker of `elites`, run by an interpreter that has it.

It has the same environment, actions, descriptors and grid, and the same crossover and mutation as
its variation operators; selection, insertion, metrics and the loop of updates are its own.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import elites_task as task
from benchmarks.speed import worker


def scoring(env: Any, params: Any, seed: int) -> Callable[[Any, Any], tuple[Any, Any, dict]]:
    """QDax's scoring function: whole episodes side by side, from the start that ours has too."""
    import jax
    import jax.numpy as jnp

    from creative_rl.metrics.descriptors import DESCRIPTORS

    _, key_reset, key_steps = jax.random.split(jax.random.key(seed), 3)  # as learner.init
    start, _ = jax.jit(env.reset)(key_reset, params)
    keys = jax.random.split(key_steps, task.STEPS)
    own = DESCRIPTORS[type(env.work(start, params))]

    def play(actions: Any) -> tuple[Any, Any]:
        def step(carry: Any, inputs: Any) -> tuple[Any, None]:
            state, total = carry
            state, timestep = env.step(inputs[1], state, inputs[0], params)
            return (state, total + timestep.reward), None

        (state, total), _ = jax.lax.scan(step, (start, jnp.float32(0)), (actions, keys))
        work = env.work(state, params)
        return total, jnp.stack([own[name].fn(work) for name in task.DESCRIPTORS])

    def score(genotypes: Any, key: Any) -> tuple[Any, Any, dict]:
        total, descriptors = jax.vmap(play)(genotypes)
        return total[:, None], descriptors, {}

    return score


def make(env: Any, params: Any) -> tuple[Any, Any]:
    """The algorithm, and its carry after a first random batch."""
    import jax
    from qdax.core.containers.mapelites_repertoire import compute_euclidean_centroids
    from qdax.core.emitters.standard_emitters import MixingEmitter
    from qdax.core.map_elites import MAPElites
    from qdax.utils.metrics import default_qd_metrics

    from creative_rl.metrics.descriptors import DESCRIPTORS
    from creative_rl.ops import evolution

    def mutation(genotypes: Any, key: Any) -> Any:
        key_fresh, key_mutation = jax.random.split(key)
        fresh = env.action_space.sample(key_fresh, genotypes.shape)
        return evolution.resampled(key_mutation, genotypes, fresh, task.MUTATION_RATE)

    def variation(first: Any, second: Any, key: Any) -> Any:
        key_cuts, key_mutation = jax.random.split(key)
        cuts = evolution.cuts(key_cuts, first.shape[0], task.STEPS, 1.0)
        return mutation(evolution.crossed(first, second, *cuts), key_mutation)

    algorithm = MAPElites(
        scoring_function=scoring(env, params, seed=0),
        emitter=MixingEmitter(mutation, variation, task.CROSSOVER_RATE, task.BATCH),
        metrics_function=lambda repertoire: default_qd_metrics(repertoire, 0.0),
    )
    key_first, key_init, key = jax.random.split(jax.random.key(1), 3)
    state, _ = jax.jit(env.reset)(jax.random.key(0), params)
    work = env.work(state, params)
    ranges = [DESCRIPTORS[type(work)][name].range(work) for name in task.DESCRIPTORS]
    lows, highs = map(list, zip(*ranges, strict=True))
    centroids = compute_euclidean_centroids(task.CELLS, lows, highs)
    genotypes = env.action_space.sample(key_first, (task.BATCH, task.STEPS))
    repertoire, emitter_state, _ = jax.jit(algorithm.init)(genotypes, centroids, key_init)
    return algorithm, (repertoire, emitter_state, key)


def main(num_updates: str) -> None:
    worker.own_the_output()
    import jax

    import creative_rl as crl

    env, length = crl.make(task.ID), int(num_updates)
    algorithm, carry = make(env, env.default_params)

    def chunk(carry: Any) -> tuple[Any, Any]:
        return jax.lax.scan(algorithm.scan_update, carry, (), length=length)

    update, build = worker.built(jax.jit(chunk, donate_argnums=0), carry)
    carry, _ = jax.block_until_ready(update(carry))
    carries = [carry]

    def unit(number: int) -> Mapping[str, Any]:
        carries[0], metrics = jax.block_until_ready(update(carries[0]))
        told = {"coverage": metrics["coverage"][-1] / 100, "maximum": metrics["max_fitness"][-1]}
        return {"steps": length * task.BATCH, **{name: float(told[name]) for name in told}}

    about = {"device": worker.device(), "build": build, "versions": worker.versions("jax", "qdax")}
    worker.serve(about, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
