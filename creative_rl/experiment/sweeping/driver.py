"""What to train next: all trials, the better ones of each rung, or those that Optuna asks for.

sweep.toml    the file, as it was read last
sweep.json    tasks and trials, versions, commit
plan.json     what was measured of groups before they ran
optuna.log    Optuna's journal, where it searches
trials/       a folder each (see `training`)
results.csv, results.parquet, curves.csv, curves.parquet   (see `tables`)
"""

import dataclasses
import functools
import math
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creative_rl.atomic import write_bytes, write_json
from creative_rl.experiment import compilation_cache, memory
from creative_rl.experiment.lock import lock
from creative_rl.experiment.progress import duration
from creative_rl.experiment.run import git_commit, versions
from creative_rl.experiment.sweeping import groups, tables, training, trials, workers
from creative_rl.experiment.sweeping.file import SweepFile, Task
from creative_rl.experiment.sweeping.groups import Group
from creative_rl.experiment.sweeping.results import read_result
from creative_rl.experiment.sweeping.trials import Trial
from creative_rl.experiment.sweeping.workers import Worker

if TYPE_CHECKING:
    from creative_rl.experiment.sweeping.arguments import SweepArguments

Say = Callable[[str], None]
Stretch = tuple[int, int, int]
WHOLE: Stretch = (0, 1, 1)
"""From the start to the end of all steps."""


class Sweep:
    """A sweep in its folder.

    Args:
      file: what is asked for.
      out: the folder; it may hold the same sweep from before, of which nothing runs twice.
      say: is given lines for people.
      num_workers: groups that train side by side on this machine and share its memory.

    Raises:
      ValueError: the folder holds another sweep, or the file names what is not there.
    """

    def __init__(
        self, file: SweepFile, out: str | os.PathLike, say: Say = print, num_workers: int = 1
    ):
        for task in file.tasks:
            try:
                trials.check(task)
            except ValueError as error:
                raise ValueError(f"{file.path}: {task.name}: {error}") from error
        self.file, self.out, self.say = file, pathlib.Path(out).absolute(), say
        self.num_workers = num_workers
        self.known: dict[str, Trial] = {}
        self._check_folder()

    def run(self, worker: Worker) -> int | None:
        """Train what is not trained yet, and write the tables.

        Returns:
          The number of the signal that stopped it, or None.

        Raises:
          RuntimeError: another process runs this sweep.
          ImportError: it searches with Optuna, which is not installed.
        """
        compilation_cache.enable()
        self.out.mkdir(parents=True, exist_ok=True)
        with lock(self.out):
            write_bytes(self.out / "sweep.toml", self.file.text.encode())
            signal = self._search(worker)
            tables.write(self.out, curves=True)
            rest = self.out / "groups"
            if signal is None and not any(path.is_dir() for path in rest.glob("*")):
                shutil.rmtree(rest, ignore_errors=True)
        return signal

    def plan(self) -> list[Group]:
        """What would be trained first, with the memory and, by a probe, the time it takes.

        Raises:
          ValueError: no trial can run, or `plan.json` is damaged.
        """
        compilation_cache.enable()
        self.out.mkdir(parents=True, exist_ok=True)
        first, stretch = self._first()
        found, errors = self._groups(self._pending(first, stretch), stretch)
        measured = [
            groups.probe(group) if group.seconds is None else group
            for group in self._with_measures(found)
        ]
        kept = self._measures() | {
            group.job.id: [group.compile_seconds, group.update_seconds] for group in measured
        }
        write_json(self.out / "plan.json", kept)
        self._tell_plan(first, measured, errors)
        if all(errors.get(trial.id, trial.error) for trial in first):
            raise ValueError(
                f"{self.file.path}: no trial can run, {tables.counted(len(first), 'trial')} asked "
                "for; mend what is told above"
            )
        return measured

    def result(self, trial: Trial) -> dict[str, Any] | None:
        """What came of a trial, None where it has not ended."""
        return read_result(self.out, trial.id)

    def score(self, trial: Trial, stretch: Stretch = WHOLE) -> float:
        """The mean of its metric over seeds where the stretch ended, NaN where there is none."""
        found = self.result(trial) or {"history": [], "status": "pending"}
        entries, steps = found["history"], _steps(trial.task, stretch)
        reached = [entry for entry in entries if entry["steps"] >= steps]
        if found["status"] == "finished":  # by itself, before all its steps
            reached = reached or entries[-1:]
        values = reached[0]["final"].get(trial.task.metric, [None]) if reached else [None]
        known = [math.nan if value is None else value for value in values]
        return float(np.mean(known))

    def train(self, chosen: Sequence[Trial], stretch: Stretch, worker: Worker) -> int | None:
        """Train trials on a stretch of their steps, but for those that have it behind them."""
        self._note(chosen)
        found, errors = self._groups(self._pending(chosen, stretch), stretch)
        found = self._with_measures(found)
        self._tell_plan(chosen, found, errors)
        for trial in chosen:
            if trial.error is not None and self.result(trial) is None:
                training.end(self.out, trial.task.name, trial.id, "refused", trial.error)
            if trial.id in errors:
                training.end(self.out, trial.task.name, trial.id, "failed", errors[trial.id])
        num, start, done = len(found), time.monotonic(), 0

        def tell(group: Group) -> None:
            nonlocal done
            done += 1
            taken = time.monotonic() - start
            left = f", about {duration(taken / done * (num - done))} left" if done < num else ""
            of = f"{done} of {tables.counted(num, 'group')}"
            self.say(f"{of} ({group.job.task}), {duration(taken)}{left}")
            tables.write(self.out)

        return worker(found, tell)

    def _search(self, worker: Worker) -> int | None:
        search = self.file.search
        if search.kind == "optuna":
            from creative_rl.experiment.sweeping.optuna_search import search_with_optuna

            return search_with_optuna(self, worker)
        chosen, _ = self._first()
        for stretch in _stretches(search.kind == "halving", search.eta, search.rungs):
            signal = self.train(chosen, stretch, worker)
            if signal is not None:
                return signal
            chosen = [
                trial
                for task in self.file.tasks
                for trial in self._best([t for t in chosen if t.task == task], stretch, search.eta)
            ]
        return None

    def _best(self, members: Sequence[Trial], stretch: Stretch, eta: int) -> list[Trial]:
        """Of a task's trials the best of `eta` each, without those that came to nothing."""
        sign = -1 if members and members[0].task.direction == "max" else 1
        scored = [(sign * self.score(trial, stretch), trial) for trial in members]
        sound = [pair for pair in scored if not math.isnan(pair[0])]
        sound.sort(key=lambda pair: pair[0])
        return [trial for _, trial in sound[: max(1, len(members) // eta)]]

    def _first(self) -> tuple[list[Trial], Stretch]:
        """The trials that a search begins with, and how far they train."""
        search = self.file.search
        if search.kind == "optuna":
            search = dataclasses.replace(
                search, num_trials=min(search.batch, search.num_trials or 1)
            )
        made = [
            trials.make(task, point)
            for task in self.file.tasks
            for point in trials.points(task, search)
        ]
        chosen = list({trial.id: trial for trial in made}.values())
        is_halving = search.kind == "halving"
        return chosen, next(_stretches(is_halving, search.eta, search.rungs))

    def _groups(
        self, pending: Sequence[Trial], stretch: Stretch
    ) -> tuple[list[Group], dict[str, str]]:
        """As `groups.plan`, for as many at a time as there are workers."""
        return groups.plan(pending, str(self.out), stretch, self.num_workers)

    def _pending(self, chosen: Sequence[Trial], stretch: Stretch) -> list[Trial]:
        """The trials that can be trained and have not been so far."""
        pending = []
        for trial in chosen:
            found = self.result(trial)
            if trial.spec is None:
                continue
            is_over = found is not None and found["status"] in training.ENDED
            is_failed = found is not None and found["status"] == "failed"
            is_there = found is not None and found["steps"] >= _steps(trial.task, stretch)
            if is_failed or not (is_over or is_there):
                pending.append(trial)
        return pending

    def _with_measures(self, found: Sequence[Group]) -> list[Group]:
        """Groups with what an earlier probe has measured of them."""
        kept = self._measures()
        return [
            dataclasses.replace(group, compile_seconds=times[0], update_seconds=times[1])
            if (times := kept.get(group.job.id))
            else group
            for group in found
        ]

    def _measures(self) -> dict[str, list[float]]:
        return groups.read_measures(self.out / "plan.json")

    def _tell_plan(
        self, chosen: Sequence[Trial], found: Sequence[Group], errors: dict[str, str]
    ) -> None:
        """The plan, as people read it."""
        budget = f", budget {self.file.budget}" if self.file.budget else ""
        num_left = sum(len(group.job.ids) for group in found)
        broken = [(errors.get(trial.id, trial.error), trial) for trial in chosen]
        if found:
            left = f"{num_left} to train in {tables.counted(len(found), 'group')}, a program each"
        else:
            left = "none can run" if all(error for error, _ in broken) else "none left"
        self.say(f"{self.file.name}{budget}: {tables.counted(len(chosen), 'trial')}, {left}")
        for line in _columns(found):
            self.say(f"  {line}")
        for error in dict.fromkeys(error for error, _ in broken if error is not None):
            whose = [trial for told, trial in broken if told == error]
            first = tables.label(whose[0].task.name, whose[0].point)
            more = f" and {len(whose) - 1} more" if len(whose) > 1 else ""
            self.say(f"  cannot run: {first}{more}: {error}")
        known = [group.seconds for group in found if group.seconds is not None]
        if found and len(known) == len(found):
            self.say(f"  about {duration(sum(known))} one after another")

    def _note(self, chosen: Sequence[Trial]) -> None:
        """Add trials to `sweep.json`."""
        self.known |= {trial.id: trial for trial in chosen}
        described = []
        for task in self.file.tasks:
            own = [trial for trial in self.known.values() if trial.task == task]
            described.append(
                {
                    **{name: getattr(task, name) for name in _DESCRIBED},
                    "trials": [{"id": trial.id, "point": dict(trial.point)} for trial in own],
                }
            )
        about = {
            "format": 1,
            "name": self.file.name,
            "budget": self.file.budget,
            "search": dataclasses.asdict(self.file.search),
            "tasks": described,
            "versions": versions(),
            "commit": git_commit(),
        }
        write_json(self.out / "sweep.json", about)

    def _check_folder(self) -> None:
        if not self.out.exists() or not any(self.out.iterdir()):
            return
        if not (self.out / "sweep.json").exists():
            if any((self.out / name).exists() for name in ("plan.json", "sweep.toml")):
                return
            raise ValueError(f"{self.out} exists already and is no sweep; choose another --out")
        about = tables.read_about(self.out)
        if (about["name"], about["budget"]) != (self.file.name, self.file.budget):
            raise ValueError(
                f"{self.out} holds the sweep {about['name']} with budget {about['budget']}, not "
                f"{self.file.name} with {self.file.budget}; choose another --out"
            )


def main(asked: "SweepArguments") -> int:
    """Plan or run a sweep, and print the plan, the way and the end.

    Returns:
      The exit code: 1 where no trial came to anything.

    Raises:
      ValueError: as `Sweep.plan`, and its files that are damaged.
    """
    say = functools.partial(print, flush=True)
    sweep = Sweep(asked.file, asked.out, say, asked.workers)
    if asked.is_plan:
        sweep.plan()
        return 0
    worker: Worker = workers.here if asked.workers == 1 else workers.processes(asked.workers)
    if asked.ray is not None:
        worker = workers.on_ray(asked.ray)
    signal = sweep.run(worker)
    print(f"\n{tables.summary(sweep.out)}\n\n{asked.out}/results.csv")
    if signal is not None:
        print("stopped; the same command goes on where it was")
        return 128 + signal
    ended = {row["status"] for row in tables.result_rows(sweep.out)}
    return 1 if ended <= _LOST else 0


_LOST = {"failed", "refused", "diverged"}
_DESCRIBED = ("name", "environment", "learner", "metric", "direction", "steps", "seeds", "seed")


def _stretches(is_halving: bool, eta: int, rungs: int) -> Iterator[Stretch]:
    """The parts of the steps that are trained one after another."""
    if not is_halving:
        yield WHOLE
        return
    whole = eta ** (rungs - 1)
    for rung in range(rungs):
        yield (eta ** (rung - 1) if rung else 0, eta**rung, whole)


def _steps(task: Task, stretch: Stretch) -> int:
    """Steps at the end of a stretch."""
    return -(-task.steps * stretch[1] // stretch[2])


def _columns(found: Sequence[Group]) -> list[str]:
    """A line for every group, under a head."""
    rows = [("task", "trials", "seeds", "updates", "memory", "time")]
    for group in found:
        job, seconds = group.job, group.seconds
        rows.append(
            (
                job.task,
                str(len(job.ids)),
                str(job.specs[0].num_seeds),
                str(job.last_update - job.first_update),
                memory.shown(group.memory_bytes),
                "not probed" if seconds is None else f"about {duration(seconds)}",
            )
        )
    if not found:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
