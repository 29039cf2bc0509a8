"""A fresh process up to its first update: the demo's learner traced, compiled and run once.

Worker of `benchmarks.speed.startup`. The compilation cache is where `JAX_COMPILATION_CACHE_DIR`
says.
"""

import time

from benchmarks.speed import worker


def demo_learner():
    """Recurrent PPO in the rules of music theory, with a likelihood reward: RL Tuner's setting."""
    import creative_rl as crl
    from creative_rl.networks import Model

    env = crl.make("melody-theory")
    prior = Model(space=env.observation_space, num_outputs=env.action_space.num, recurrent="lstm")
    config = crl.PPOConfig(recurrent="lstm", num_envs=256, num_steps=32)
    return crl.learners.ppo(crl.wrappers.LikelihoodReward(env, prior), config)


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
