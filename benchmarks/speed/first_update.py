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
    lowered = jax.jit(learner.update, donate_argnums=0).lower(jax.eval_shape(learner.init, key))
    traced = time.perf_counter()
    update = lowered.compile()
    compiled = time.perf_counter()
    jax.block_until_ready(update(jax.jit(learner.init)(key)))
    about = {"trace": traced - begin, "compile": compiled - traced, "both": compiled - begin}
    worker.serve({"build": about, "device": worker.device()}, {})


if __name__ == "__main__":
    main()
