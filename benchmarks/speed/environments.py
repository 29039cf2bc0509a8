"""Steps a second of every environment with random actions, against a plain Python loop.

Run `python -m benchmarks.speed.environments [--quick] [--widths 1,64,1024] [ID ...]`.

Each environment has a process of its own, and one more with a single thread for XLA (`NPROC=1`),
except on an accelerator. Within it the compiled rollouts, by default 1 to 8192 environments wide,
and the plain loops take turns. Every reward and observation is computed, see `environment_worker`.
Two loops stand for Python: a plain environment, as tutorials write it, with observations and an
action drawn a step (the goals are against this one, but for that of `dialogue`, a rate); and for
the variety of a melody also the bare reward over the window, which is the least that Python can do
and less than what the environment does. Drawings are measured in `benchmarks.speed.strokes`. What
is found to earn another reward than the plain loop has no rows: the command names it in the end,
and fails.
"""

import argparse
import functools
import sys
from collections.abc import Sequence

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import plain_loops
from benchmarks.speed.rounds import Report, interleave, rates, ratios, spread
from benchmarks.speed.settings import BARE_LOOP, PLAIN
from benchmarks.speed.worker import Worker
from creative_rl.registry import ENVIRONMENTS

WIDTHS, QUICK_WIDTHS = ("1", "64", "1024", "8192"), ("1", "1024")
ASKED = "1024"
"""The width that the goals are about."""
RATE, TIMES_PLAIN = "steps/s", "ratio to the plain loop"
THREADS = {"default threads": {}, "NPROC=1": {"NPROC": "1"}}
GOALS = {
    "melody-variety": 200.0,
    "melody-theory": 300.0,
    "recommendation-interest": 100.0,
    "level-binary-narrow": 150.0,
}
RATE_GOAL = ("dialogue", 1e6)
"""Steps a second; a step is a turn of the agent and the user's answer."""
STRETCH_GOALS = {"melody-variety": 400.0, "level-binary-narrow": 400.0}


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, _add_arguments)
    widths = arguments.widths or (QUICK_WIDTHS if arguments.quick else WIDTHS)
    rows: list[Row] = []
    refused: list[str] = []
    device = "cpu"
    for id in arguments.environments:
        for threads, variables in list(THREADS.items())[: 1 if arguments.quick else None]:
            try:
                measured = measure(id, threads, variables, widths, arguments.quick)
            except UndoneWork as error:  # not at the cost of the others' rows
                refused.append(str(error))
                break
            new_rows, times_plain, device = measured
            rows += new_rows
            print(f"{id}, {threads}: {times_plain:.0f} times the plain loop", file=sys.stderr)
            if device != "cpu":  # whose speed does not hang on the threads of the host
                break
    if rows:
        session.finish(rows, goals(rows), device)
    if refused:
        raise SystemExit("\n".join(refused))


class UndoneWork(RuntimeError):
    """A rate that is not of the same work as the plain loop's."""


def measure(
    id: str, threads: str, variables: dict[str, str], widths: Sequence[str], quick: bool
) -> tuple[list[Row], float, str]:
    """The rows of one environment, its ratio to the plain loop at 1024, and the device."""
    seconds, num_rounds = ("0.1", 2) if quick else ("0.4", 7)
    arguments = [id, seconds, *widths]
    with Worker("benchmarks.speed.environment_worker", arguments, environment=variables) as worker:
        about = worker.about
        turns = {unit: functools.partial(worker.run, unit) for unit in about["units"]}
        reports = interleave(turns, num_rounds)
        peak = worker.stop()["peak_mib"]
    name = f"{id}, {threads}"
    for width in widths:
        check_rewards(f"{name}, N={width}", reports[width], reports[PLAIN])
    rows = [
        row
        for unit, unit_reports in reports.items()
        for row in _rows(_label(name, unit), unit_reports, reports[PLAIN])
    ]
    for width, times in about["builds"].items():
        rows += [Row(_label(name, width), f"{what} s", time) for what, time in times.items()]
    rows.append(Row(name, "peak memory MiB", peak))
    return rows, ratios(reports[ASKED], reports[PLAIN]).value, about["device"]


def measured_ids() -> list[str]:
    """Those with plain twins; `benchmarks.speed.strokes` measures drawings against libraries."""
    modules = {
        id: entry.target.partition(":")[0].rpartition(".")[2]
        for id, entry in sorted(ENVIRONMENTS.items())
    }
    return [id for id, module in modules.items() if plain_loops.is_written(module)]


def check_rewards(name: str, reports: Sequence[Report], plain: Sequence[Report]) -> None:
    """Refuse a rate of work that was not done: both must earn the same mean reward.

    Raises:
      UndoneWork: the means differ by more than six standard errors.
    """
    earned = sum(report["mean_reward"] for report in reports) / len(reports)
    expected = sum(report["mean_reward"] for report in plain) / len(plain)
    error = sum(report["standard_error"] ** 2 for report in plain) ** 0.5 / len(plain)
    # The compiled loop's own error is smaller, except with one environment and few episodes.
    fewer = sum(report["steps"] for report in plain) / sum(report["steps"] for report in reports)
    if abs(earned - expected) > 6 * (1 + max(1.0, fewer)) ** 0.5 * error + 1e-6:
        raise UndoneWork(
            f"{name}: random actions earn {earned:.4f} a step, in the plain loop {expected:.4f} "
            f"(standard error {error:.4f}): the environments differ"
        )


def goals(rows: Sequence[Row]) -> list[Goal]:
    """What was asked: the better of the thread settings counts, as a user may choose."""

    def best(id: str, metric: str) -> float | None:
        names = {_label(f"{id}, {threads}", ASKED) for threads in THREADS}
        measured = (row.value for row in rows if row.name in names and row.metric == metric)
        return max(measured, default=None)

    asked = []
    for bounds, word in ((GOALS, ""), (STRETCH_GOALS, ", stretch")):
        for id, bound in bounds.items():
            what = f"{id}, N={ASKED}, times the plain Python environment{word}"
            asked.append(Goal(what, bound, best(id, TIMES_PLAIN)))
    id, bound = RATE_GOAL
    return [*asked, Goal(f"{id}, N={ASKED}, {RATE}", bound, best(id, RATE))]


def _rows(name: str, reports: Sequence[Report], plain: Sequence[Report]) -> list[Row]:
    rows = [
        spread(rates(reports)).row(name, RATE),
        spread(rates(reports, "cpu_seconds")).row(name, "steps/s of processor time"),
    ]
    if reports is not plain:
        rows.append(ratios(reports, plain).row(name, TIMES_PLAIN))
    return rows


def _label(name: str, unit: str) -> str:
    loops = {PLAIN: "plain Python environment", BARE_LOOP: "bare Python loop, rewards only"}
    return f"{name}, {loops.get(unit, f'N={unit}')}"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "environments", nargs="*", default=measured_ids(), help="ids; all of these by default"
    )
    parser.add_argument(
        "--widths",
        type=_widths,
        metavar="N,N,...",
        help=f"environments side by side, {ASKED} among them; by default {','.join(WIDTHS)}",
    )


def _widths(text: str) -> tuple[str, ...]:
    widths = tuple(text.split(","))
    are_whole = all(width.isdecimal() and int(width) > 0 for width in widths)
    if not are_whole or ASKED not in widths or len(set(widths)) < len(widths):
        raise argparse.ArgumentTypeError(
            f"widths are different positive whole numbers, {ASKED} among them; got {text!r}: "
            f"give {','.join(WIDTHS)} or the like"
        )
    return widths


if __name__ == "__main__":
    main()
