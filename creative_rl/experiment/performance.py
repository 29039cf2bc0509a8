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
from creative_rl.experiment.opening import Which, load_states, open_run, seed_state
from creative_rl.typing import Key, Learner, PyTree
from creative_rl.works import Melody, Score, notation

Start = Callable[[Key, PyTree], tuple[PyTree, PyTree]]
Advance = Callable[[PyTree, PyTree, PyTree, Key, int], tuple[PyTree, PyTree, jax.Array]]


class Performance(NamedTuple):
    """What was played, and how long each event was waited for."""

    works: list[PyTree]
    latencies: np.ndarray
    """float64[N]: seconds from when an event was asked for until it was there"""
    num_late: int
    """events that were asked for after their time: those before had taken too long"""


def perform(
    path: str | os.PathLike,
    num: int = 1,
    *,
    tempo: float | None = None,
    seed: int = 0,
    checkpoint: Which = "latest",
    out: str | os.PathLike | None = None,
    listen: Callable[[str], Any] = lambda token: None,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], Any] = time.sleep,
) -> Performance:
    """Play `num` works of a run's first seed, each event when it is due.

    An event is asked for at its time and is late by its latency; it lasts as many steps as the work
    has grown by. Everything is compiled before the first. A work begins when the one before is over
    and it is ready.

    Args:
      path: the run directory; its works must be melodies or scores that grow with every event.
      num: works, one after another.
      tempo: quarter notes a minute; None for that of the works.
      seed: another one gives other works.
      checkpoint: which one plays: `latest`, `best`, or an update.
      out: directory for `performed-00.mid` and so on, made where it is missing.
      listen: gets every event at its time, as tokens of `works.text`.
      clock: seconds that pass.
      sleep: waits for so many.

    Raises:
      ValueError: as from `open_run` and `load_states`; the works are of another kind or do not
        grow, `num` or `tempo` is out of range, or `out` is no directory or has such files.
    """
    if num < 1 or (tempo is not None and not 0 < tempo < float("inf")):
        raise ValueError(
            f"perform: num must be at least 1 and tempo positive, got num={num}, tempo={tempo}"
        )
    files = [] if out is None else _files(pathlib.Path(out), num)
    opened = open_run(path)
    state = seed_state(load_states(opened, checkpoint), 0)
    params = opened.params(state)
    start, advance = compiled(opened.env, opened.learner)
    key_first, *keys = jax.random.split(jax.random.key(seed), num + 1)
    _warm_up(path, start, advance, state, params, key_first)
    played, latencies, num_late, due = [], [], 0, clock()
    for key in keys:
        key_start, key_step = jax.random.split(key)
        carry, work = start(key_start, params)
        seconds = 60.0 / (tempo or work.tempo) / work.steps_per_quarter
        ended, number, length = False, 0, int(work.length)
        due = max(due, clock())
        while not ended:
            now = clock()
            num_late += number > 0 and now > due
            sleep(max(due - now, 0.0))
            asked = clock()
            carry, work, over = advance(state, carry, params, key_step, number)
            ended = bool(over)  # waits for the device
            latencies.append(clock() - asked)
            grown, length = int(work.length) - length, int(work.length)
            listen(notation.latest(jax.device_get(work), grown))
            due, number = due + grown * seconds, number + 1
        played.append(jax.device_get(work))
    for work, file in zip(played, files, strict=False):
        works.save(work, file)
    return Performance(played, np.array(latencies), num_late)


@functools.lru_cache(maxsize=8)
def compiled(env: Any, learner: Learner) -> tuple[Start, Advance]:
    """`start(key, params) -> (carry, work)`, and `advance(state, carry, params, key, number) ->
    (carry, work, ended)` by the event of that number; one program each."""
    device = jax.devices()[0]

    @jax.jit
    def reset(key: Key, params: PyTree) -> tuple[PyTree, PyTree]:
        env_state, timestep = env.reset(key, params)
        return (env_state, timestep, learner.init_memory()), env.work(env_state, params)

    def start(key: Key, params: PyTree) -> tuple[PyTree, PyTree]:
        # Bound to the device, as what `advance` gives back is: else that compiles a second time.
        return jax.device_put(reset(key, params), device)

    @jax.jit
    def advance(
        state: PyTree, carry: PyTree, params: PyTree, key: Key, number: int
    ) -> tuple[PyTree, PyTree, jax.Array]:
        env_state, timestep, memory = carry
        key_act, key_step = jax.random.split(jax.random.fold_in(key, number))
        action, memory = learner.act(state, key_act, timestep, memory)
        env_state, timestep = env.transition(key_step, env_state, action, params)
        return (env_state, timestep, memory), env.work(env_state, params), timestep.ended

    return start, advance


def _warm_up(
    path: str | os.PathLike,
    start: Start,
    advance: Advance,
    state: PyTree,
    params: PyTree,
    key: Key,
) -> None:
    """Compile, and refuse what cannot be played."""
    carry, work = start(key, params)
    if not isinstance(work, Melody | Score):
        raise ValueError(
            f"{path}: what is performed is music, a Melody or a Score; its works are of the kind "
            f"{type(work).__name__}"
        )
    before = int(work.length)
    _, work, _ = advance(state, carry, params, key, 0)
    if int(work.length) <= before:
        raise ValueError(
            f"{path}: what is performed grows with every event; its works are whole from the start"
        )


def _files(folder: pathlib.Path, num: int) -> list[pathlib.Path]:
    """Where works will lie, in a folder that is made; refused before a note is played."""
    files = [folder / f"performed-{number:02d}.mid" for number in range(num)]
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"perform: works are kept in a directory, got the file {folder}")
    taken = [file.name for file in files if file.exists()]
    if taken:
        raise ValueError(
            f"perform: {folder} has {taken[0]} already; give another directory or move it away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return files


def describe(performed: Performance) -> str:
    """One line: how many events, their latencies, how many came late."""
    median, most = np.percentile(1e3 * performed.latencies, (50, 99))
    works_played = "1 work" if len(performed.works) == 1 else f"{len(performed.works)} works"
    return (
        f"{works_played}, {len(performed.latencies)} events: latency {median:.2f} ms (median), "
        f"{most:.2f} ms (99th percentile); {performed.num_late} late"
    )
