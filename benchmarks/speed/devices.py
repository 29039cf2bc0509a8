"""A processor's cores as devices that share the environments, against the plain path.

Run `python -m benchmarks.speed.devices [--quick]`.

Each contender is a process that goes through `experiment.chunks`: without a mesh, with a mesh of
one device, of two, and of eight; the rounds are interleaved. Every round is one call of several
updates: stepping `melody-theory` with random actions, and PPO in it. The first call compiles and
does not count. Eight virtual devices are there for their numbers, which must be those of one, and
not for speed. `cpu` is processor time, which other work on the machine disturbs less than the wall.
"""

import contextlib
import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import Spread, interleave, rates, ratios, spread
from benchmarks.speed.worker import Worker

WORKER = "benchmarks.speed.device_worker"
UNITS = {"stepping": "stepping melody-theory", "ppo": "PPO in melody-theory"}
CONTENDERS = {0: "plain", 1: "a mesh of one device", 2: "two devices", 8: "eight devices"}
EXACT_UPDATES = 2
"""After these, rounding decides another action now and then, and runs part."""


class Sizes(NamedTuple):
    """Environments side by side, and rounds."""

    num_envs: int
    num_rounds: int


WHOLE = Sizes(1024, 15)
QUICK = Sizes(64, 2)


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    sizes = QUICK if arguments.quick else WHOLE
    reports, device = measure(sizes)
    rows, goals = summarise(reports)
    session.finish(rows, goals, device)


def measure(sizes: Sizes) -> tuple[dict[str, dict[int, list[Mapping[str, Any]]]], str]:
    """Reports of every unit and contender, the first (compiling) round among them."""
    with contextlib.ExitStack() as stack:
        workers = {
            count: stack.enter_context(Worker(WORKER, [str(count), str(sizes.num_envs)]))
            for count in CONTENDERS
        }
        found: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
        for unit in UNITS:
            first = {count: worker.run(unit) for count, worker in workers.items()}
            runs = {
                str(count): functools.partial(worker.run, unit)
                for count, worker in workers.items()
                if count < 8
            }
            timed = interleave(runs, sizes.num_rounds)
            found[unit] = {count: [first[count], *timed.get(str(count), [])] for count in workers}
            print(f"{unit}: done", file=sys.stderr)
        return found, workers[0].about["device"]


def summarise(
    reports: Mapping[str, Mapping[int, list[Mapping[str, Any]]]],
) -> tuple[list[Row], list[Goal]]:
    rows: list[Row] = []
    overheads: dict[str, Spread] = {}
    for unit, words in UNITS.items():
        timed = {count: found[1:] for count, found in reports[unit].items() if found[1:]}
        for count, found in timed.items():
            rows.append(spread(rates(found)).row(f"{words}, {CONTENDERS[count]}", "steps/s"))
        for count in (1, 2):
            for clock, shown in (("seconds", "speed ratio"), ("cpu_seconds", "cpu ratio")):
                ratio = ratios(timed[count], timed[0], clock)
                rows.append(ratio.row(f"{words}, {CONTENDERS[count]} over plain", shown))
        plain, mesh = ([r["cpu_seconds"] for r in timed[count]] for count in (0, 1))
        overheads[unit] = spread([own / other for own, other in zip(mesh, plain, strict=True)])
    gap = difference(reports["ppo"][0][0], reports["ppo"][8][0])
    rows.append(Row("PPO, eight devices", "largest difference of a metric", gap))
    goals = [
        Goal(
            f"{UNITS[unit]}: cpu time on a mesh of one device, times plain", 1.02, found.value, True
        )
        for unit, found in overheads.items()
    ]
    goals.append(
        Goal("PPO: largest difference of a metric, eight devices and one", 1e-4, gap, True)
    )
    return rows, goals


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The largest relative difference (absolute below 1) of a metric in the first updates."""
    gaps = []
    for name, values in one["metrics"].items():
        mine = np.array(values[:EXACT_UPDATES])
        theirs = np.array(other["metrics"][name][:EXACT_UPDATES])
        gaps.append(float((np.abs(mine - theirs) / np.maximum(np.abs(mine), 1.0)).max()))
    return max(gaps)


if __name__ == "__main__":
    main()
