"""Seeds trained in one program against as many runs one after another, compilation included.

Run `python -m benchmarks.speed.populations [--quick]`.

All train PPO on CartPole with purejaxrl's sizes, each seed for 51,200 steps. A population is one
fresh process: it starts, traces, compiles and trains all seeds. Its rivals train them in turn:
each in a fresh process, as one would start them by hand, or all in one process that compiles once.
No process finds a compilation cache. Fresh single runs are a few, and what as many as there are
seeds would take is their median times the number: each does the same work.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.population_worker import task
from benchmarks.speed.rounds import Spread, spread
from benchmarks.speed.worker import Worker

WORKER = "benchmarks.speed.population_worker"
LIMIT_SECONDS = 300.0
"""A process that says nothing for longer hangs, and the benchmark ends."""


class Sizes(NamedTuple):
    """Populations, updates of every seed, and fresh processes for every figure."""

    widths: tuple[int, ...]
    num_updates: int
    num_rounds: int


WHOLE = Sizes((2, 8, 32), num_updates=100, num_rounds=3)
QUICK = Sizes((2, 8), num_updates=20, num_rounds=1)


class Trained(NamedTuple):
    """One fresh process from its start to the end of its training.

    Attributes:
      seconds: all of it.
      run: seconds of training alone.
      build: seconds of tracing and of compiling.
      peak_mib: most memory that the process held.
      device: that it trained on.
      turns: seconds of further trainings in the same process.
    """

    seconds: float
    run: float
    build: dict[str, float]
    peak_mib: float
    device: str
    turns: list[float]


def train(num_seeds: int, num_updates: int, num_turns: int = 0) -> Trained:
    """Train in a fresh process; `num_seeds` is 0 for one seed without an axis of seeds.

    Raises:
      RuntimeError: the process failed or hung.
    """
    begin = time.perf_counter()
    arguments = [str(num_seeds), str(num_updates)]
    with Worker(WORKER, arguments, limit_seconds=LIMIT_SECONDS) as worker:
        report: dict[str, Any] = worker.run("train")
        seconds = time.perf_counter() - begin
        turns = [worker.run("train", 1 + turn)["seconds"] for turn in range(num_turns)]
        about = worker.about
        peak = worker.stop()["peak_mib"]
    return Trained(seconds, report["seconds"], about["build"], peak, about["device"], turns)


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    sizes = QUICK if arguments.quick else WHOLE
    found: dict[int, list[Trained]] = {0: [], **{width: [] for width in sizes.widths}}
    reused: list[float] = []
    for _ in range(sizes.num_rounds):  # in turn, so that the machine's noise hits all alike
        for width, processes in found.items():
            num_turns = 0 if width else sizes.widths[-1] - 1
            processes.append(train(width, sizes.num_updates, num_turns))
            taken = processes[-1]
            if not width:
                reused.append(taken.seconds + sum(taken.turns))
            print(f"{width or 'one alone'}: {taken.seconds:.1f} s", file=sys.stderr)
    rows = [row for width in sizes.widths for row in _rows(width, sizes, found[width])]
    rows += _rows(0, sizes, found[0])
    times = compare(sizes.widths[-1], found, reused)
    rows += times.rows
    session.finish(rows, goals(times.fresh, sizes), found[0][0].device)


class Times(NamedTuple):
    """How many times as fast a population is, and the rows that say so."""

    fresh: Spread
    reused: Spread
    rows: list[Row]


def compare(width: int, found: dict[int, list[Trained]], reused: Sequence[float]) -> Times:
    """The widest population against as many single runs, round by round."""
    single = spread([taken.seconds for taken in found[0]])
    one_by_one = Spread(*(width * seconds for seconds in single[:3]), single.count)
    in_one_process = spread(reused)
    together = [taken.seconds for taken in found[width]]
    fresh = spread([width * single.value / seconds for seconds in together])
    again = spread([theirs / own for theirs, own in zip(reused, together, strict=True)])
    by_hand = f"{width} fresh processes one after another ({width} x one, of {single.count} run)"
    at_once = f"{width} runs in one process that compiles once"
    mine = f"{width} seeds in one program"
    return Times(
        fresh,
        again,
        [
            one_by_one.row(by_hand, "s from start to end"),
            in_one_process.row(at_once, "s from start to end"),
            fresh.row(f"{mine} over {by_hand}", "ratio"),
            again.row(f"{mine} over {at_once}", "ratio"),
        ],
    )


def goals(fresh: Spread, sizes: Sizes) -> list[Goal]:
    """What was asked, of 32 seeds."""
    value = fresh.value if sizes.widths[-1] == WHOLE.widths[-1] else None
    what = f"{WHOLE.widths[-1]} seeds in one program, times fresh processes one after another"
    return [Goal(what, 3.0, value)]


def _rows(width: int, sizes: Sizes, processes: Sequence[Trained]) -> list[Row]:
    """The figures of a population's processes; `width` is 0 for one seed alone."""
    name = f"{width} seeds in one program" if width else "one seed alone"
    steps = max(width, 1) * task(sizes.num_updates).steps_per_update * sizes.num_updates
    figures = {
        "s from start to end": [taken.seconds for taken in processes],
        "trace + compile s": [sum(taken.build.values()) for taken in processes],
        "run s": [taken.run for taken in processes],
        "steps/s": [steps / taken.run for taken in processes],
        "peak memory MiB": [taken.peak_mib for taken in processes],
    }
    return [spread(values).row(name, metric) for metric, values in figures.items()]


if __name__ == "__main__":
    main()
