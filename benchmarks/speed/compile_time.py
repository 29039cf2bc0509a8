"""How well programs tell before they are compiled how long that takes, and the memory they need.

Run `python -m benchmarks.speed.compile_time [--quick]`.

The programs are those that train every learner (`compile_worker.SPECS`), each traced, walked and
compiled once by one core, without a cache. Foretold are the seconds by `experiment.compile_time`,
whose law is fitted anew here, each program also by the others alone; and the bytes by
`experiment.liveness`, against those that XLA's memory analysis has. Seconds are the processor's.
"""

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import spread
from benchmarks.speed.worker import Worker

WORKER = "benchmarks.speed.compile_worker"
MIB = 2**20
LAW, LEFT_OUT, BYTES = "the law", "a program left out of the fit", "bytes foretold over XLA's"


class Law(NamedTuple):
    """`factor * equations ** power` seconds, and the share of the logarithms' variance told."""

    factor: float
    power: float
    r2: float

    def seconds(self, num_equations: float) -> float:
        return self.factor * num_equations**self.power


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    found, device = measure(arguments.quick)
    session.finish([*rows_of(found), *summary(found)], goals(found), device)


def measure(quick: bool) -> tuple[dict[str, Mapping[str, Any]], str]:
    """What the worker found of every program, and the device."""
    size = "quick" if quick else "whole"
    with Worker(WORKER, [size], environment={"NPROC": "1"}) as worker:
        found = {}
        for name in worker.about["units"]:
            found[name] = worker.run(name)
            print(f"{name}: {found[name]['compile_seconds']:.1f} s", file=sys.stderr)
        return found, worker.about["device"]


def rows_of(found: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The figures of every program."""
    rows = []
    for name, one in found.items():
        figures = {
            "equations": one["equations"],
            "compile s": one["compile_seconds"],
            "compile s, foretold": one["foretold_seconds"],
            "MiB by XLA": one["xla_bytes"] / MIB,
            "MiB foretold": one["foretold_bytes"] / MIB,
            "trace s": one["trace_seconds"],
            "walk s": one["walk_seconds"],
        }
        rows += [Row(name, metric, float(value)) for metric, value in figures.items()]
    return rows


def summary(found: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The law of these programs, how far those are off that it was not fitted to, and memory."""
    rows = [spread(_shares(found)).row(BYTES, "times")]
    seconds = {
        key: sum(one[f"{key}_seconds"] for one in found.values())
        for key in ("trace", "walk", "compile")
    }
    before = seconds["trace"] + seconds["walk"]
    rows.append(Row("compiling over tracing and walking", "times", seconds["compile"] / before))
    if len(found) < 4:
        return rows
    points = [(one["equations"], one["compile_seconds"]) for one in found.values()]
    law = fit(points)
    off = left_out(points)
    rows += [Row(LAW, metric, value) for metric, value in law._asdict().items()]
    return [*rows, Row(LEFT_OUT, "times off", statistics.median(off), min(off), max(off), len(off))]


def fit(points: Sequence[tuple[float, float]]) -> Law:
    """The power law of (equations, seconds) by least squares of their logarithms."""
    x, y = np.log(np.array(points, np.float64)).T
    power, constant = np.polyfit(x, y, 1)
    rest = y - (constant + power * x)
    return Law(math.exp(constant), float(power), float(1 - rest.var() / y.var()))


def left_out(points: Sequence[tuple[float, float]]) -> list[float]:
    """For each point how many times the law of all others is off, 1 or more."""
    off = []
    for place, (size, seconds) in enumerate(points):
        others = [*points[:place], *points[place + 1 :]]
        off.append(math.exp(abs(math.log(fit(others).seconds(size) / seconds))))
    return off


def goals(found: Mapping[str, Mapping[str, Any]]) -> list[Goal]:
    """What `creative-rl plan` says: seconds from minutes, and memory within a factor of two."""
    shares = _shares(found)
    off = [max(_ratio(one), 1 / _ratio(one)) for one in found.values()]
    return [
        Goal("memory foretold over XLA's, least", 0.5, min(shares)),
        Goal("memory foretold over XLA's, greatest", 2.0, max(shares), True),
        Goal("compile time, typically times off", 2.0, statistics.median(off), True),
    ]


def _ratio(one: Mapping[str, Any]) -> float:
    return one["foretold_seconds"] / one["compile_seconds"]


def _shares(found: Mapping[str, Mapping[str, Any]]) -> list[float]:
    return [one["foretold_bytes"] / one["xla_bytes"] for one in found.values()]


if __name__ == "__main__":
    main()
