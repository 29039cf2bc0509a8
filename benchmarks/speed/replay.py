"""Replay on the device, (add + sample) pairs a second, against flashbax and a NumPy ring.

Run `python -m benchmarks.speed.replay [--quick]`.

An item is 64 float32, an action, a reward and a flag; a batch is 256. Every store is full, adds a
block and draws a batch in turn, inside one compiled scan with its state donated (NumPy: in a Python
loop), and every batch is summed, so nothing can be left out. All take one key a round from the same
split. The processes' rounds take turns, and ratios are of neighbouring rounds. The prioritised
rows draw, look up the probabilities and assign a new priority to all that was drawn.
"""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import Report, interleave, rates, ratios, spread
from benchmarks.speed.settings import PRIORITISED, UNIFORM
from benchmarks.speed.worker import Worker

OURS, LARGE, FLASHBAX, NUMPY = "creative_rl", "creative_rl, capacity 1e6", "flashbax", "NumPy ring"
TIMES = 1.5


class Contender(NamedTuple):
    """A store to measure, in a process of its own."""

    store: str
    capacity: int

    def start(self, task: str, num_added: int, quick: bool) -> Worker:
        arguments = [self.store, task, str(self.capacity), str(num_added), "0.1" if quick else "1"]
        return Worker("benchmarks.speed.replay_worker", arguments)


def contenders(task: str, quick: bool) -> dict[str, Contender]:
    """Those of a task, by the names of their rows; ours comes first."""
    found = {OURS: Contender("ours", 100_000), FLASHBAX: Contender("flashbax", 100_000)}
    if not quick:
        found[LARGE] = Contender("ours", 1_000_000)
    if task == UNIFORM:
        found[NUMPY] = Contender("numpy", 100_000)
    return found


class Group(NamedTuple):
    """What was found in one race: rows, how many times as fast as each rival, and where."""

    rows: list[Row]
    times: Mapping[str, float]
    device: str
    versions: Mapping[str, str]


def race(
    label: str,
    task: str,
    num_added: int,
    quick: bool,
    start: Callable[[Contender, str, int, bool], Worker] = Contender.start,
) -> Group:
    """The contenders of one task in turns."""
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(start(contender, task, num_added, quick))
            for name, contender in contenders(task, quick).items()
        }
        turns = {name: functools.partial(worker.run, "pairs") for name, worker in workers.items()}
        reports = interleave(turns, 2 if quick else 9)
        check_samples(label, reports)
        rows, times = [], {}
        for name, worker in workers.items():
            rows.append(spread(rates(reports[name])).row(f"{label}, {name}", "pairs/s", name))
            peak = worker.stop()["peak_mib"]
            rows.append(Row(f"{label}, {name}", "peak memory MiB", peak, source=name))
            if name != OURS:
                ratio = ratios(reports[OURS], reports[name])
                times[name] = ratio.value
                rows.append(ratio.row(f"{label}, {OURS} over {name}", "ratio"))
                print(f"{label}, {OURS} over {name}: {ratio.value:.2f}", file=sys.stderr)
        versions = {key: v for w in workers.values() for key, v in w.about["versions"].items()}
        return Group(rows, times, workers[OURS].about["device"], versions)


def check_samples(label: str, reports: Mapping[str, Sequence[Report]]) -> None:
    """Refuse a rate of work that was not done: every store's batches must have the same mean.

    Raises:
      RuntimeError: the mean of what was sampled differs from one half, which all items have, by
        more than six standard errors.
    """
    for name, found in reports.items():
        for report in found:
            if abs(report["mean"] - 0.5) > 6 * report["standard_error"]:
                raise RuntimeError(
                    f"{label}, {name}: the sampled rewards have the mean {report['mean']:.4f}, "
                    f"should be 0.5 (standard error {report['standard_error']:.4f})"
                )


def goals(times: Mapping[str, float]) -> list[Goal]:
    """What was asked, from how many times as fast as flashbax each group was."""
    what = {f"{UNIFORM}, times flashbax, add {num}": f"{UNIFORM}, add {num}" for num in (1, 64)}
    return [Goal(name, TIMES, times.get(group)) for name, group in what.items()]


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    tasks = {f"{UNIFORM}, add {num}": (UNIFORM, num) for num in (1, 64)}
    tasks[PRIORITISED] = (PRIORITISED, 1)
    groups = {label: race(label, *task, arguments.quick) for label, task in tasks.items()}
    session.finish(
        [row for group in groups.values() for row in group.rows],
        goals({label: group.times[FLASHBAX] for label, group in groups.items()}),
        groups[PRIORITISED].device,
        {name: version for group in groups.values() for name, version in group.versions.items()},
    )


if __name__ == "__main__":
    main()
