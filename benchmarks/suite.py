"""Every registered environment with learners that suit it, at one of three budgets.

Run `python -m benchmarks.suite [--quick] [--budget quick|standard|full] [--out DIR] [--workers N]`.

It is `creative-rl sweep benchmarks/suite.toml --budget NAME`, in `runs/suite-NAME`, where a sweep
that was stopped goes on; then the record `suite.NAME.json` is made of its results. A figure is the
mean over seeds of the task's metric, over the last tenth of the training, with the 95 percent
interval of Student's t. `--quick` trains two tasks at the quick budget and writes nothing.
"""

import argparse
import dataclasses
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from creative_rl import registry
from creative_rl.experiment.evaluation import interval
from creative_rl.experiment.sweeping import driver, file, tables, workers
from creative_rl.experiment.sweeping.file import SweepFile

FILE = pathlib.Path(__file__).with_name("suite.toml")
BUDGETS = ("quick", "standard", "full")
QUICK_TASKS = ("melody-target-tutorial-q_learning", "grid-path-q_learning")
MINUTES = 15.0
"""Asked of the quick budget on two cores, compiling included."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the suite takes besides `--quick`."""
    add = parser.add_argument
    add("--budget", choices=BUDGETS, default="quick", help="default %(default)s")
    add("--out", help="the sweep's folder (default runs/suite-BUDGET)")
    add("--workers", type=int, default=1, help="processes side by side (default %(default)s)")


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, add_arguments)
    found = file.read(FILE, arguments.budget)
    session.benchmark = f"suite.{arguments.budget}"
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(arguments.out or f"runs/suite-{arguments.budget}")
        if arguments.quick:
            tasks = tuple(task for task in found.tasks if task.name in QUICK_TASKS)
            found, out = dataclasses.replace(found, tasks=tasks), pathlib.Path(folder, "out")
        minutes = train(found, out, arguments.workers)
        rows = figures(found, out)
        session.finish(rows, goals(rows, minutes, arguments.budget), "cpu")


def train(found: SweepFile, out: pathlib.Path, num_workers: int) -> float | None:
    """Train what is not trained yet; the minutes that all took, None where some was there before.

    Raises:
      KeyboardInterrupt: a signal stopped it; it goes on where it was.
    """
    is_new = not (out / "sweep.json").exists()
    worker = workers.here if num_workers == 1 else workers.processes(num_workers)
    begin = time.perf_counter()
    sweep = driver.Sweep(found, out, lambda line: print(line, file=sys.stderr, flush=True))
    if sweep.run(worker) is not None:
        raise KeyboardInterrupt
    return (time.perf_counter() - begin) / 60 if is_new else None


def figures(found: SweepFile, out: pathlib.Path) -> list[Row]:
    """A row for every task whose seeds all have a score."""
    rows = []
    results = tables.result_rows(out)
    for task in found.tasks:
        own = [row for row in results if row["task"] == task.name]
        scores = [row["score"] for row in own]
        if not own or None in scores:
            continue
        mean = interval(task.metric, np.array(scores))
        sizes = {**task.config, **{f"env.{name}": value for name, value in task.env.items()}}
        told = "".join(f", {name}={value}" for name, value in sizes.items())
        source = f"{own[0]['steps']} steps{told}"
        name = f"{task.environment}, {task.learner}"
        rows.append(Row(name, task.metric, mean.mean, mean.low, mean.high, len(own), source=source))
    return rows


def goals(rows: Sequence[Row], minutes: float | None, budget: str) -> list[Goal]:
    """Every environment is there, and the quick budget is quick."""
    reached = {row.name.partition(", ")[0] for row in rows}
    num_all = len(registry.ENVIRONMENTS)
    asked = [Goal("environments with a score, of all that are registered", num_all, len(reached))]
    if budget == "quick":
        asked.append(Goal("minutes on two cores, compiling included", MINUTES, minutes, True))
    return asked


if __name__ == "__main__":
    main()
