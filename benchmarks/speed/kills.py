"""Kill a run at random moments, go on with it, and look at what is there: again and again."""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from typing import Any

import jax
import numpy as np

from benchmarks.speed.kill_worker import learner
from benchmarks.speed.worker import ROOT
from creative_rl.experiment import checkpoint, records
from creative_rl.typing import PyTree

SECONDS_PER_WRITE = 0.03
_SHARE_IN_START = 0.3
"""Of the kills, those at any moment before the first update."""
_MOST_UPDATES = 30
"""From the start to a kill, of the others."""
_LIMIT_SECONDS = 120.0


@dataclasses.dataclass(frozen=True)
class Kill:
    """What one kill left behind.

    Attributes:
      num_recorded: updates in `metrics.jsonl`.
      saved: update of the newest checkpoint, -1 where there is none yet.
      seconds_lost: training between that update and the last one recorded.
      in_save: a checkpoint was on its way in or out.
      problems: what is wrong with the run; nothing where it is whole.
    """

    num_recorded: int
    saved: int
    seconds_lost: float
    in_save: bool
    problems: tuple[str, ...]


class Starter:
    """The process that starts runs, as a context manager."""

    def __init__(self, cache: str | os.PathLike):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.kill_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONWARNINGS": "ignore",
                "JAX_COMPILATION_CACHE_DIR": str(cache),
            },
        )
        self._hear()

    def start(self, out: pathlib.Path, num_updates: int, seconds: float = 0.0) -> int:
        """Start or resume a run: its process id."""
        return self._ask(f"start {out} {num_updates} {seconds}")

    def ended(self) -> int:
        """Wait for it: its exit code, negative where a signal ended it."""
        return self._ask("wait")

    def whole(self, out: pathlib.Path, num_updates: int) -> None:
        """Run to the end.

        Raises:
          RuntimeError: it did not get there.
        """
        self.start(out, num_updates)
        if code := self.ended():
            raise RuntimeError(f"the run ended with {code}")

    def __enter__(self) -> "Starter":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _ask(self, line: str) -> Any:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that starts runs has ended")
        return json.loads(line)


def kill_again_and_again(
    starter: Starter, out: pathlib.Path, num_updates: int, num_kills: int, seed: int = 0
) -> list[Kill]:
    """Start the run and kill it, `num_kills` times or until it is done, and then let it end."""
    draw, kills = random.Random(seed), list[Kill]()
    saved, start_seconds = -1, 0.0
    while len(kills) < num_kills:
        before = _stat(out)
        process = starter.start(out, num_updates, SECONDS_PER_WRITE)
        start_seconds = _wait_for_the_moment(out, draw, before, start_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        if starter.ended() != -signal.SIGKILL:
            break
        kills.append(look(out, saved))
        saved = kills[-1].saved
    starter.whole(out, num_updates)
    return kills


def look(out: pathlib.Path, saved_before: int) -> Kill:
    """Read everything of a run that was killed."""
    problems, folder = [], out / "checkpoints"
    found = checkpoint.updates(folder)
    for update in found:
        try:
            state, _ = checkpoint.restore(folder, _template(), update)
        except ValueError as error:
            problems.append(str(error))
        else:
            if int(state.num_updates) != update:
                problems.append(f"checkpoint {update} is of update {int(state.num_updates)}")
    saved = max(found, default=-1)
    if saved < saved_before:
        problems.append(f"checkpoint {saved_before} is lost")
    try:
        rows = records.read_records(out / "metrics.jsonl")
    except ValueError as error:
        return Kill(0, saved, 0.0, False, (*problems, str(error)))
    recorded = [row["update"] for row in rows]
    if recorded != list(range(1, len(rows) + 1)) or len(rows) < saved:
        problems.append(f"records are of the updates {recorded}, the checkpoint of {saved}")
    seconds = [0.0, *(row["seconds"] for row in rows)]
    lost = seconds[-1] - seconds[min(max(saved, 0), len(rows))]
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    in_save = any(not name.isdigit() for name in names)
    return Kill(len(rows), saved, lost, in_save, tuple(problems))


def differences(out: pathlib.Path, undisturbed: pathlib.Path) -> list[str]:
    """In what a run's last state and its metrics are not those of one that was left alone."""
    (state, update), (other, last) = (
        checkpoint.restore(folder / "checkpoints", _template()) for folder in (out, undisturbed)
    )
    found = [] if update == last else [f"its last update is {update} and not {last}"]
    leaves, others = _bits(state), _bits(other)
    found += [name for name in others if not np.array_equal(leaves[name], others[name])]
    rows, others = (_rows(folder) for folder in (out, undisturbed))
    return found if rows == others else [*found, "metrics.jsonl"]


def _wait_for_the_moment(
    out: pathlib.Path, draw: random.Random, before: os.stat_result | None, start_seconds: float
) -> float:
    """Until the run is to be killed; returns how long it took to start, as far as that is known.

    `before` is of the metrics before the start: a run that goes on writes them anew, and then adds
    to them. Moments are drawn in what the run has done, so that a slow machine changes nothing.
    """
    if start_seconds and draw.random() < _SHARE_IN_START:
        time.sleep(draw.uniform(0.0, start_seconds))
        return start_seconds
    begin, first, num_before = time.monotonic(), 0.0, 0 if before is None else None
    num_more = draw.randint(1, _MOST_UPDATES)
    while True:
        found = _stat(out)
        if found is not None and (num_before is not None or found.st_ino != before.st_ino):
            num_records = (out / "metrics.jsonl").read_bytes().count(b"\n")
            num_before = num_records if num_before is None else num_before
            if num_records > num_before:
                first = first or time.monotonic() - begin
            if num_records >= num_before + num_more:
                break
        if time.monotonic() - begin > _LIMIT_SECONDS:
            raise RuntimeError(f"{out}: no update in {_LIMIT_SECONDS:g} s")
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, SECONDS_PER_WRITE))
    return first


def _stat(out: pathlib.Path) -> os.stat_result | None:
    try:
        return (out / "metrics.jsonl").stat()
    except FileNotFoundError:
        return None


@functools.cache
def _template() -> PyTree:
    return jax.eval_shape(learner().init, jax.random.key(0))


def _bits(state: PyTree) -> dict[str, np.ndarray]:
    """Leaves by name, typed keys as numbers."""

    def raw(leaf: jax.Array) -> np.ndarray:
        is_key = jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(leaf) if is_key else leaf)

    return {
        jax.tree_util.keystr(path): raw(leaf) for path, leaf in jax.tree.leaves_with_path(state)
    }


def _rows(out: pathlib.Path) -> list[dict[str, Any]]:
    """Records without their times."""
    rows = records.read_records(out / "metrics.jsonl")
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]
