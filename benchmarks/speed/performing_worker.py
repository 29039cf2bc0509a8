"""Events of music one by one, in a process that has one core: how long each takes."""

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import worker

TASKS = ("melody-theory", "melody-theory-judged", "accompaniment-chord")
"""The demo's LSTM alone, with its prior beside it, and a GRU that accompanies."""


def take_one_core() -> None:
    """Only the first of those that this process may use, where the system lets one choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def performer(task: str) -> tuple[Any, Any]:
    """The environment of a task, and its learner."""
    import creative_rl as crl
    from creative_rl.configs import PPOConfig
    from creative_rl.experiment import demo
    from creative_rl.learners.likelihood import sequence_model

    name = task.removesuffix("-judged")
    env = crl.make(name)
    if task != name:
        env = crl.wrappers.LikelihoodReward(env, sequence_model(env, demo.PRIOR))
    recurrent = "gru" if name.startswith("accompaniment") else "lstm"
    return env, crl.learners.ppo(env, PPOConfig(num_envs=4, recurrent=recurrent))


def latencies(task: str, num_events: int) -> tuple[float, list[float]]:
    """Seconds until the first event (trace, compile, run), and of every event after it."""
    import jax

    from creative_rl.experiment.performance import compiled

    env, learner = performer(task)
    params, key = env.default_params, jax.random.key(0)
    state = jax.device_put(jax.jit(learner.init)(key), jax.devices()[0])  # as a loaded one is
    begin = time.perf_counter()
    start, advance = compiled(env, learner)
    carry, _ = start(key, params)
    bool(advance(state, carry, params, key, 0)[2])
    first = time.perf_counter() - begin
    found = []
    for number in range(num_events):
        if number % env.horizon == 0:
            carry, _ = start(jax.random.fold_in(key, number), params)
        begin = time.perf_counter()
        carry, work, ended = advance(state, carry, params, key, number)
        jax.block_until_ready((work, ended))
        found.append(time.perf_counter() - begin)
    return first, found


def main(num_events: str) -> None:
    worker.own_the_output()
    take_one_core()

    def unit(task: str):
        def run(number: int) -> Mapping[str, Any]:
            first, found = latencies(task, int(num_events))
            return {"steps": len(found), "first": first, "latencies": found}

        return run

    worker.serve({"device": worker.device()}, {task: unit(task) for task in TASKS})


if __name__ == "__main__":
    main(*sys.argv[1:])
