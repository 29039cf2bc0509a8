"""Adversarial rounds of SeqGAN a second, against the same round in PyTorch.

Run `python -m benchmarks.speed.seqgan_round [--quick] [--peer torch=PYTHON]`.

A round is a policy gradient step on 64 sequences of 20 out of 5,000 tokens, every prefix completed
16 times, and three passes of a discriminator of convolutions over 320 new and 320 real ones: the
published generator and roll-outs, a smaller discriminator. Ours completes all prefixes of all
sequences side by side, and draws tokens by inversion; PyTorch runs its eager form on all cores, a
prefix after the other, as ports of SeqGAN do. PYTHON is an interpreter that has it. Rounds take
turns, and ratios are of neighbouring rounds.
"""

import argparse
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import Report, interleave, rates, ratios, spread
from benchmarks.speed.worker import Worker

OURS, TORCH = "creative_rl", "torch"
WORKERS = {OURS: "benchmarks.speed.seqgan_worker", TORCH: "benchmarks.speed.seqgan_torch_worker"}
TIMES = 10.0


def start(name: str, python: str) -> Worker:
    """One contender in a process of its own."""
    return Worker(WORKERS[name], [], python)


def race(
    peers: Mapping[str, str],
    quick: bool,
    start: Callable[[str, str], Worker] = start,
) -> tuple[list[Row], float | None, dict[str, str], str]:
    """Rows, how many times as fast as PyTorch (None without), versions and the device.

    `peers` are interpreters by name.
    """
    num_rounds = 1 if quick else 7
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(start(name, python))
            for name, python in {OURS: sys.executable, **peers}.items()
        }
        turns = {name: functools.partial(worker.run, "update") for name, worker in workers.items()}
        reports: dict[str, list[Report]] = interleave(turns, num_rounds)
        rows, times = [], None
        for name, worker in workers.items():
            rows.append(spread(rates(reports[name])).row(f"SeqGAN, {name}", "rounds/s", name))
            peak = worker.stop()["peak_mib"]
            rows.append(Row(f"SeqGAN, {name}", "peak memory MiB", peak, source=name))
            if name != OURS:
                ratio = ratios(reports[OURS], reports[name])
                times = ratio.value
                rows.append(ratio.row(f"SeqGAN, {OURS} over {name}", "ratio"))
        about = workers[OURS].about
        rows.append(Row(f"SeqGAN, {OURS}", "trace + compile s", sum(about["build"].values())))
        versions = {key: v for w in workers.values() for key, v in w.about["versions"].items()}
        return rows, times, versions, about["device"]


def goals(times: float | None) -> list[Goal]:
    """What was asked; None where PyTorch was not there."""
    return [Goal("an adversarial round of SeqGAN, times PyTorch", TIMES, times)]


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, _add_peer)
    rows, times, versions, device = race(dict(arguments.peer), arguments.quick)
    session.finish(rows, goals(times), device, versions)


def _add_peer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=_peer,
        metavar="torch=PYTHON",
        help="also train in PyTorch, with that interpreter",
    )


def _peer(text: str) -> tuple[str, str]:
    name, _, python = text.partition("=")
    if name != TORCH or not python:
        raise argparse.ArgumentTypeError(f"the peer is torch=PYTHON, got {text!r}")
    return name, python


if __name__ == "__main__":
    main()
