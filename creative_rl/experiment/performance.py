"""Music that is made while it is played: a learner acts event by event, against a clock."""

import functools
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from creative_rl import works
from creative_rl.experiment.assembly import load_states, open_run, seed_state
from creative_rl.experiment.evaluation import params_of
from creative_rl.typing import Key, Learner, PyTree
from creative_rl.works import Melody, Score, notation

Advance = Callable[[PyTree, PyTree, PyTree, Key], tuple[PyTree, PyTree, jax.Array]]


class Performance(NamedTuple):
    """What was played, and how long each event was waited for."""

    works: list[PyTree]
    latencies: np.ndarray
    """float64[N]: seconds from when an event was asked for until it was there"""
    num_late: int
    """events that were there after their time: the one before had lasted too long"""


def perform(
    path: str | os.PathLike,
    num: int = 1,
    *,
    tempo: float | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    listen: Callable[[str], Any] = lambda token: None,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], Any] = time.sleep,
) -> Performance:
    """Play `num` works of a run's first seed, each event when it is due.

    An event is asked for at its time and is late by its latency, unless the one before came
    later than that time. Everything is compiled before the first.

    Args:
      path: the run directory; its works must be melodies or scores.
      num: works, one after another.
      tempo: quarter notes a minute; None for that of the works.
      seed: another one gives other works.
      out: directory for `performed-00.mid` and so on, made where it is missing.
      listen: gets every event as a token of `works.text` at its time.
      clock: seconds that pass.
      sleep: waits for so many.

    Raises:
      ValueError: as from `open_run`; the works are of another kind, or `num` or `tempo` is out of
        range.
    """
    if num < 1 or (tempo is not None and not 0 < tempo < float("inf")):
        raise ValueError(
            f"perform: num must be at least 1 and tempo positive, got num={num}, tempo={tempo}"
        )
    opened = open_run(path)
    env, learner = opened.env, opened.learner
    state = seed_state(load_states(opened), 0)
    params = params_of(opened, state)
    start, advance = compiled(env, learner)
    key_first, *keys = jax.random.split(jax.random.key(seed), num + 1)
    carry, work = start(key_first, params)
    if not isinstance(work, Melody | Score):
        raise ValueError(
            f"{path}: what is performed is music, a Melody or a Score; its works are of the kind "
            f"{type(work).__name__}"
        )
    seconds = 60.0 / (tempo or work.tempo) / work.steps_per_quarter
    jax.block_until_ready(advance(state, carry, params, key_first))  # compiles
    played, latencies, num_late = [], [], 0
    due = clock()
    for key in keys:
        key_start, key_step = jax.random.split(key)
        carry, work = start(key_start, params)
        ended, step = False, 0
        while not ended:
            num_late += clock() > due + seconds
            sleep(max(due - clock(), 0.0))
            asked = clock()
            carry, work, over = advance(state, carry, params, jax.random.fold_in(key_step, step))
            ended = bool(over)  # waits for the device
            latencies.append(clock() - asked)
            listen(notation.latest(jax.device_get(work)))
            due, step = due + seconds, step + 1
        played.append(jax.device_get(work))
    if out is not None:
        _keep(played, pathlib.Path(out))
    return Performance(played, np.array(latencies), num_late)


@functools.lru_cache(maxsize=8)
def compiled(env: Any, learner: Learner) -> tuple[Callable, Advance]:
    """`start(key, params) -> (carry, work)`, and `advance(state, carry, params, key) -> (carry,
    work, ended)` by one event; each one program."""

    def start(key: Key, params: PyTree) -> tuple[PyTree, PyTree]:
        env_state, timestep = env.reset(key, params)
        return (env_state, timestep, learner.init_memory()), env.work(env_state, params)

    def advance(
        state: PyTree, carry: PyTree, params: PyTree, key: Key
    ) -> tuple[PyTree, PyTree, jax.Array]:
        env_state, timestep, memory = carry
        key_act, key_step = jax.random.split(key)
        action, memory = learner.act(state, key_act, timestep, memory)
        env_state, timestep = env.transition(key_step, env_state, action, params)
        return (env_state, timestep, memory), env.work(env_state, params), timestep.ended

    return jax.jit(start), jax.jit(advance)


def describe(performed: Performance) -> str:
    """One line: how many events, their latencies, how many came late."""
    median, most = np.percentile(1e3 * performed.latencies, (50, 99))
    return (
        f"{len(performed.works)} works, {len(performed.latencies)} events: latency {median:.2f} ms "
        f"(median), {most:.2f} ms (99th percentile); {performed.num_late} came after their time"
    )


def _keep(played: list[PyTree], folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, work in enumerate(played):
        works.save(work, folder / f"performed-{number:02d}.mid")
