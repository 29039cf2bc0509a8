"""A learner's updates raced against the same in another library, each in a process of its own."""

import argparse
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from benchmarks.record import Row
from benchmarks.speed.rounds import Report, interleave, rates, ratios, spread
from benchmarks.speed.worker import Worker

OURS, TORCH = "creative_rl", "torch"


def race(
    learner: str,
    unit: str,
    peers: Mapping[str, str],
    num_rounds: int,
    start: Callable[[str, str], Worker],
    reached: Sequence[str] = (),
    by_processor: bool = False,
) -> tuple[list[Row], float | None, dict[str, str], str]:
    """Rows, how many times as fast as the peer (None without), versions and the device.

    Rounds take turns, and ratios are of neighbouring rounds.

    Args:
      learner: its name in the rows.
      unit: what rates count.
      peers: interpreters by name.
      num_rounds: of each contender.
      start: from a contender's name and an interpreter to its process.
      reached: figures of the last report that are rows of their own, by their keys.
      by_processor: whether the ratio of processor time is a row, which says more where a machine is
        shared.
    """
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(start(name, python))
            for name, python in {OURS: sys.executable, **peers}.items()
        }
        turns = {name: functools.partial(worker.run, "update") for name, worker in workers.items()}
        reports: dict[str, list[Report]] = interleave(turns, num_rounds)
        rows, times = [], None
        for name, worker in workers.items():
            rows.append(spread(rates(reports[name])).row(f"{learner}, {name}", unit, name))
            peak = worker.stop()["peak_mib"]
            rows.append(Row(f"{learner}, {name}", "peak memory MiB", peak, source=name))
            for key in reached:
                last = reports[name][-1][key]
                rows.append(Row(f"{learner}, {name}", key, last, source=name))
            if name != OURS:
                ratio = ratios(reports[OURS], reports[name])
                times = ratio.value
                label = f"{learner}, {OURS} over {name}"
                rows.append(ratio.row(label, "ratio"))
                if by_processor:
                    processor = ratios(reports[OURS], reports[name], "cpu_seconds")
                    rows.append(processor.row(label, "ratio of processor time"))
        about = workers[OURS].about
        rows.append(Row(f"{learner}, {OURS}", "trace + compile s", sum(about["build"].values())))
        versions = {key: v for w in workers.values() for key, v in w.about["versions"].items()}
        return rows, times, versions, about["device"]


def add_peer(parser: argparse.ArgumentParser, name: str = TORCH) -> None:
    """`--peer NAME=PYTHON` for the peer of that name: pairs of name and interpreter in `peer`."""
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=functools.partial(_peer, name),
        metavar=f"{name}=PYTHON",
        help=f"also run {name}, with that interpreter",
    )


def _peer(name: str, text: str) -> tuple[str, str]:
    given, _, python = text.partition("=")
    if given != name or not python:
        raise argparse.ArgumentTypeError(f"the peer is {name}=PYTHON, got {text!r}")
    return name, python
