"""What the learners reach, the mean return of ten seeds, against other libraries at equal steps.

Run `python -m benchmarks.tables.learners [--quick] [--peer purejaxrl=PATH] [--peer rejax]
[--peer sb3[=PYTHON]] [environments]`: `purejaxrl` is a checkout of luchris429/purejaxrl, `sb3` an
interpreter that has Stable-Baselines3 (this one by default).

For all alike, a seed's figure is the mean return of the episodes that end in the last fifth of
its training, as the learner plays them, exploring. A row is the mean over seeds with its 95 percent
interval: the percentiles of 10,000 means of as many seeds, drawn with replacement. The settings of
every row are in its source: ours are tuned by hand, peers have what their authors
ship, but for SB3's step size and layers, which are near ours; purejaxrl
ships none for Acrobot, which has those for CartPole. The processes run two at a time, on one core
each, because nothing here is timed.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from benchmarks import peers, record
from benchmarks.peers import OURS, PUREJAXRL, SB3
from benchmarks.record import Goal, Row
from benchmarks.speed.worker import Worker
from benchmarks.tables.learner_tasks import TASKS, Recipe
from benchmarks.tables.seeds import interval

NUM_SEEDS, QUICK_SEEDS = 10, 2
QUICK_SHARE = 0.1
"""Of the steps, in a quick run: the last fifth of it is still an episode of every environment."""
LIMIT_SECONDS = 3_600.0
ENVIRONMENT = {"NPROC": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""One core for each process; on an accelerator they share the memory."""


class Job(NamedTuple):
    """A recipe in an environment, and how to train it.

    Attributes:
      place: purejaxrl's checkout or the interpreter of Stable-Baselines3.
    """

    environment: str
    number: int
    num_steps: int
    num_seeds: int
    place: str | None

    @property
    def recipe(self) -> Recipe:
        return TASKS[self.environment].recipes[self.number]

    @property
    def label(self) -> str:
        return f"{self.environment}, {self.recipe.learner}, {self.recipe.library}"

    def start(self) -> Worker:
        library = self.recipe.library
        module = f"benchmarks.tables.contenders.{'ours' if library == OURS else library}"
        arguments = [self.environment, *(str(n) for n in self[1:4])]
        python = sys.executable
        if library == PUREJAXRL:
            arguments.append(str(self.place))
        elif library == SB3 and self.place is not None:
            python = self.place
        return Worker(module, arguments, python, ENVIRONMENT, LIMIT_SECONDS)


class Learned(NamedTuple):
    """What came of a job.

    Attributes:
      returns: of every seed.
      about: what the worker said of itself.
    """

    job: Job
    num_steps: int
    returns: list[float]
    about: Mapping[str, Any]


def jobs(environments: Iterable[str], places: Mapping[str, str | None], quick: bool) -> list[Job]:
    """All that there is to train, the longest first, so that no core waits at the end."""
    found = []
    for name in environments:
        num_steps = round(TASKS[name].num_steps * (QUICK_SHARE if quick else 1))
        for number, recipe in enumerate(TASKS[name].recipes):
            if recipe.library == OURS or recipe.library in places:
                num_seeds = QUICK_SEEDS if quick else recipe.num_seeds or NUM_SEEDS
                place = places.get(recipe.library)
                found.append(Job(name, number, num_steps, num_seeds, place))
    order = list(TASKS)
    return sorted(found, key=lambda job: order.index(job.environment), reverse=True)


def learn(job: Job) -> Learned:
    """Train it in a process of its own.

    Raises:
      RuntimeError: it failed, or a seed ended no episode in the last part of its training.
    """
    begin = time.perf_counter()
    with job.start() as worker:
        report = worker.run("train")
        about = worker.about
    returns = report["returns"]
    if not np.isfinite(returns).all():
        raise RuntimeError(f"{job.label}: a seed has no return at the end: {returns}")
    seconds = time.perf_counter() - begin
    print(f"{job.label}: {np.mean(returns):.1f} ({seconds:.0f} s)", file=sys.stderr)
    return Learned(job, report["steps"], returns, about)


def row(learned: Learned) -> Row:
    """The mean over seeds between the ends of its interval."""
    low, high = interval(learned.returns)
    return Row(
        learned.job.label,
        f"mean return at the end of {learned.num_steps} steps",
        float(np.mean(learned.returns)),
        low,
        high,
        len(learned.returns),
        source=str(learned.job.recipe),
    )


def goals(found: Sequence[Learned]) -> list[Goal]:
    """Of every environment: its first learner of ours against the best peer."""
    asked = []
    for name in TASKS:
        means: dict[bool, list[float]] = {True: [], False: []}
        for learned in found:
            if learned.job.environment == name:
                is_ours = learned.job.recipe.library == OURS
                means[is_ours].append(float(np.mean(learned.returns)))
        both = means[True] and means[False]
        value = means[True][0] - max(means[False]) if both else None
        learner = TASKS[name].recipes[0].learner
        asked.append(Goal(f"{name}, {learner}: mean return minus the best peer's", 0.0, value))
    return asked


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, peers.add_argument, _add_tasks)
    todo = jobs(arguments.environments or TASKS, dict(arguments.peer), arguments.quick)
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        found = list(pool.map(learn, todo))
    found.sort(key=lambda learned: (list(TASKS).index(learned.job.environment), learned.job.number))
    device = next(f.about["device"] for f in found if f.job.recipe.library == OURS)
    versions = {name: v for f in found for name, v in f.about.get("versions", {}).items()}
    session.finish([row(learned) for learned in found], goals(found), device, versions)


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "environments", nargs="*", type=_task, metavar="ENVIRONMENT", help="all by default"
    )


def _task(name: str) -> str:
    if name not in TASKS:
        raise argparse.ArgumentTypeError(f"environments are {', '.join(TASKS)}; got {name!r}")
    return name


if __name__ == "__main__":
    main()
