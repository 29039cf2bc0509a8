"""What a step and an update cost as they grow, and the laws that foretell it.

Run `python -m benchmarks.speed.scaling [--quick]`.

Environments take random actions, 64 to 16,384 of them side by side, on one core (`NPROC=1`) and
with XLA's default threads; one step of all N of them takes `a + b N` seconds, fitted up to the
width where they saturate (`laws.fit_width`). Updates of PPO and DQN are measured on one core,
around one point with one size changed at a time, and at a corner: environments, steps, width of the
layers, batch, canvas. Their laws are sums of `scaling_tasks.TERMS`, and foretell two more points
where several sizes are changed at once. A process measures all its sizes in turn, and beside them
the machine: a copy by NumPy, `x + 1` by XLA, and products of 1024 x 1024.

Laws are fitted to the least of the rounds, since what else runs on a machine only adds: on one core
to processor time, with several threads to time by the clock.
"""

import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import scaling_picture
from benchmarks.speed import scaling_tasks as tasks
from benchmarks.speed.laws import Law, Width, fit, fit_width
from benchmarks.speed.rounds import Report, interleave, rates, spread
from benchmarks.speed.worker import Worker

WORKER = "benchmarks.speed.scaling_worker"
LIMIT_SECONDS = 1800.0
"""Until a process has compiled all its sizes."""
ONE_CORE, THREADS = "one core", "default threads"
LAW = "law"
LINEAR_PERCENT, FORETOLD_PERCENT, LINEAR_WIDTH = 15.0, 25.0, 1024


class Measured(NamedTuple):
    """What one process measured.

    Attributes:
      reports: of every unit.
      about: what the process said of itself.
    """

    reports: Mapping[str, Sequence[Report]]
    about: Mapping[str, Any]

    def least(self, unit: str, clock: str) -> float:
        """Seconds for what the unit calls a step, in its best round."""
        return 1 / max(rates(self.reports[unit], clock))


def measure(kind: str, threads: str, quick: bool) -> Measured:
    """All units of a worker in turn, for some rounds."""
    seconds, num_rounds = ("0.05", 2) if quick else ("0.2", 5)
    arguments = [kind, "quick" if quick else "whole", seconds]
    variables = {"NPROC": "1"} if threads == ONE_CORE else {}
    with Worker(WORKER, arguments, environment=variables, limit_seconds=LIMIT_SECONDS) as worker:
        turns = {unit: functools.partial(worker.run, unit) for unit in worker.about["units"]}
        reports = interleave(turns, num_rounds)
        about = worker.about
    return Measured(reports, about)


def machine_rows(name: str, measured: Measured) -> list[Row]:
    """What the machine did in that process."""
    units = {
        tasks.COPY: "GB/s copied by NumPy",
        tasks.TRIAD: "GB/s of x + 1",
        tasks.PRODUCT: "GFLOP/s of products",
    }
    return [
        spread([rate / 1e9 for rate in rates(measured.reports[unit])]).row(name, metric)
        for unit, metric in units.items()
    ]


def width_rows(name: str, measured: Measured, clock: str) -> tuple[list[Row], Width]:
    """Microseconds of a step of all environments at every width, and their law."""
    widths = [int(unit) for unit in measured.reports if unit.isdigit()]
    rows = []
    for width in widths:
        for metric, by in (
            ("us a step of all", "seconds"),
            ("us of processor time", "cpu_seconds"),
        ):
            steps = rates(measured.reports[str(width)], by)
            rows.append(
                spread([1e6 * width / rate for rate in steps]).row(f"{name}, N={width}", metric)
            )
    found = fit_width(widths, [width * measured.least(str(width), clock) for width in widths])
    overhead, each = found.law.coefficients
    label = f"{name}, {LAW}"
    rows += [
        Row(label, "us a step of all", 1e6 * overhead),
        Row(label, "ns an environment", 1e9 * each),
        Row(label, "largest deviation %", 100 * found.law.largest_deviation),
        Row(label, "linear up to N", found.widths[-1]),
    ]
    return rows, found


def canvas_rows(name: str, measured: Measured) -> list[Row]:
    """Microseconds of an environment's step by the canvas, and their law in its pixels."""
    sides = [int(unit) for unit in measured.reports if unit.isdigit()]
    rows = []
    for side in sides:
        steps = rates(measured.reports[str(side)], "cpu_seconds")
        label = f"{name}, {side} x {side}"
        rows.append(spread([1e6 / rate for rate in steps]).row(label, "us of processor time"))
    seconds = [measured.least(str(side), "cpu_seconds") for side in sides]
    law = fit([(1, side**2) for side in sides], seconds)
    label = f"{name}, {LAW}"
    return [
        *rows,
        Row(label, "us an environment step", 1e6 * law.coefficients[0]),
        Row(label, "ns a pixel", 1e9 * law.coefficients[1]),
        Row(label, "largest deviation %", 100 * law.largest_deviation),
    ]


def update_rows(learner: str, measured: Measured) -> tuple[list[Row], Law, float | None]:
    """Milliseconds of an update at every size, the law, and how far off it foretells at most."""
    parameters = measured.about["parameters"]
    known = {task.key: task for task in tasks.updates(learner, quick=False)}
    points = {key: known[key] for key in parameters}
    rows = []
    for key in points:
        for metric, clock in (("ms an update", "seconds"), ("ms of processor time", "cpu_seconds")):
            updates = rates(measured.reports[key], clock)
            rows.append(spread([1e3 / rate for rate in updates]).row(key, metric))
        rows.append(Row(key, "parameters", parameters[key]))
    terms = {
        key: tuple(term(task, parameters[key]) for term in tasks.TERMS[learner].values())
        for key, task in points.items()
    }
    seconds = {key: measured.least(key, "cpu_seconds") for key in points}
    fitted = [key for key, task in points.items() if task in tasks.FITTED[learner]]
    law = fit([terms[key] for key in fitted], [seconds[key] for key in fitted])
    label = f"{learner}, {LAW}"
    for what, coefficient in zip(tasks.TERMS[learner], law.coefficients, strict=True):
        rows.append(Row(label, f"s {what}", coefficient))
    rows.append(Row(label, "largest deviation %", 100 * law.largest_deviation))
    foretold = [law.deviation(terms[key], seconds[key]) for key in points if key not in fitted]
    worst = max((100 * abs(off) for off in foretold), default=None)
    if worst is not None:
        rows.append(Row(label, "largest deviation foretold %", worst))
    return rows, law, worst


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    quick = arguments.quick
    rows: list[Row] = []
    laws: dict[tuple[str, str], Width] = {}
    curves: dict[tuple[str, str], dict[int, float]] = {}
    foretold: dict[str, float | None] = {}
    device = "cpu"
    for learner in (tasks.PPO,) if quick else (tasks.PPO, tasks.DQN, tasks.PAINT):
        measured = measure(learner, ONE_CORE, quick)
        device = measured.about["device"]
        new_rows, _, foretold[learner] = update_rows(learner, measured)
        _tell_laws(new_rows)
        rows += [*new_rows, *machine_rows(learner, measured)]
    if not quick:
        canvas = measure(tasks.CANVAS_ENVIRONMENT, ONE_CORE, quick)
        rows += canvas_rows(tasks.CANVAS_ENVIRONMENT, canvas)
    kinds = ((ONE_CORE, "cpu_seconds"), (THREADS, "seconds"))
    for id in (tasks.QUICK_ENVIRONMENT,) if quick else tasks.ENVIRONMENTS:
        for threads, clock in kinds[: 1 if quick else None]:
            measured = measure(id, threads, quick)
            name = f"{id}, {threads}"
            new_rows, laws[id, threads] = width_rows(name, measured, clock)
            _tell_laws(new_rows)
            rows += [*new_rows, *machine_rows(name, measured)]
            widths = [int(unit) for unit in measured.reports if unit.isdigit()]
            curves[id, threads] = {width: measured.least(str(width), clock) for width in widths}
    session.picture(lambda: scaling_picture.draw(curves, laws))
    session.finish(rows, goals({} if quick else laws, foretold), device)


def goals(
    laws: Mapping[tuple[str, str], Width], foretold: Mapping[str, float | None]
) -> list[Goal]:
    """What was asked: straight lines in N, and laws that hold where they were not fitted."""
    asked = []
    for id in tasks.ENVIRONMENTS:
        found = laws.get((id, ONE_CORE))
        off = None if found is None else 100 * found.law.largest_deviation
        end = None if found is None else found.widths[-1]
        line = f"{id}, one core: largest deviation from a line until it saturates, %"
        asked.append(Goal(line, LINEAR_PERCENT, off, at_most=True))
        asked.append(Goal(f"{id}, one core: linear up to N", LINEAR_WIDTH, end))
    for learner in (tasks.PPO, tasks.DQN):
        what = f"{learner}: largest deviation where several sizes differ, foretold, %"
        asked.append(Goal(what, FORETOLD_PERCENT, foretold.get(learner), at_most=True))
    return asked


def _tell_laws(rows: Sequence[Row]) -> None:
    found = [row for row in rows if row.name.endswith(f", {LAW}")]
    shown = (f"{row.metric} {row.value:.3g}" for row in found)
    print(f"{found[0].name}: {'; '.join(shown)}", file=sys.stderr)


if __name__ == "__main__":
    main()
