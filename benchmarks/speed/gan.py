"""Steps of a GAN of convolutions a second, against the same network in PyTorch.

Run `python -m benchmarks.speed.gan [--quick] [--peer torch=PYTHON]`.

A step is one of the discriminator and one of the generator on batches of 128 pictures of 28 x 28,
drawn from examples in bytes, with Adam and a running mean of the generator: DCGAN's layers (64
and 128 channels) without its normalisation. Ours runs its update of many steps as it is trained,
with measuring its variety. PyTorch runs its eager form on all cores, in the memory layout that is
faster there; PYTHON is an interpreter that has it. Rounds take turns, and ratios are of
neighbouring rounds.
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
WORKERS = {OURS: "benchmarks.speed.gan_worker", TORCH: "benchmarks.speed.gan_torch_worker"}
TIMES = 1.0


def start(name: str, python: str, num_steps: int) -> Worker:
    """One contender in a process of its own."""
    return Worker(WORKERS[name], [str(num_steps)], python)


def race(
    peers: Mapping[str, str],
    quick: bool,
    start: Callable[[str, str, int], Worker] = start,
) -> tuple[list[Row], float | None, dict[str, str], str]:
    """Rows, how many times as fast as PyTorch (None without), versions and the device.

    `peers` are interpreters by name.
    """
    num_steps, num_rounds = (5, 2) if quick else (20, 9)
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(start(name, python, num_steps))
            for name, python in {OURS: sys.executable, **peers}.items()
        }
        turns = {name: functools.partial(worker.run, "update") for name, worker in workers.items()}
        reports: dict[str, list[Report]] = interleave(turns, num_rounds)
        rows, times = [], None
        for name, worker in workers.items():
            rows.append(spread(rates(reports[name])).row(f"GAN, {name}", "steps/s", name))
            peak = worker.stop()["peak_mib"]
            rows.append(Row(f"GAN, {name}", "peak memory MiB", peak, source=name))
            if name != OURS:
                ratio = ratios(reports[OURS], reports[name])
                times = ratio.value
                rows.append(ratio.row(f"GAN, {OURS} over {name}", "ratio"))
        about = workers[OURS].about
        rows.append(Row(f"GAN, {OURS}", "trace + compile s", sum(about["build"].values())))
        versions = {key: v for w in workers.values() for key, v in w.about["versions"].items()}
        return rows, times, versions, about["device"]


def goals(times: float | None) -> list[Goal]:
    """What was asked; None where PyTorch was not there."""
    return [Goal("a step of the GAN, times PyTorch", TIMES, times)]


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
