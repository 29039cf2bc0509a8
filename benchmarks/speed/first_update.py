"""A fresh process up to its first update: the demo's learner traced, compiled and run once.

Worker of `benchmarks.speed.startup`. The compilation cache is where `JAX_COMPILATION_CACHE_DIR`
says.
"""

import time

from benchmarks.speed import worker


def demo_learner():
    """The demo's PPO, with its likelihood reward."""
    import creative_rl as crl
    from creative_rl.experiment import demo
    from creative_rl.learners.likelihood import sequence_model

    env = crl.make(demo.ENVIRONMENT)
    prior = sequence_model(env, demo.PRIOR)
    return crl.learners.ppo(crl.wrappers.LikelihoodReward(env, prior), demo.TUNING)


def main() -> None:
    worker.own_the_output()
    import jax

    from creative_rl.experiment import compilation_cache

    compilation_cache.enable()
    learner = demo_learner()
    key = jax.random.key(0)
    begin = time.perf_counter()
    state = jax.eval_shape(learner.init, key)
    seconds = time.perf_counter() - begin
    update, build = worker.built(jax.jit(learner.update, donate_argnums=0), state)
    build["trace"] += seconds
    jax.block_until_ready(update(jax.jit(learner.init)(key)))
    worker.serve({"build": build, "device": worker.device()}, {})


if __name__ == "__main__":
    main()
