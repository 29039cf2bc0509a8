"""Steps of a GAN of convolutions a second, against the same network in PyTorch.

Run `python -m benchmarks.speed.gan [--quick] [--peer torch=PYTHON]`.

A step is one of the discriminator and one of the generator on batches of 128 pictures of 28 x 28,
drawn from examples in bytes, with Adam and a running mean of the generator: DCGAN's layers (64
and 128 channels) without its normalisation. Ours runs its update of many steps as it is trained,
with measuring its variety. PyTorch runs its eager form on all cores, in the memory layout that is
faster there; PYTHON is an interpreter that has it. Rounds take turns, and ratios are of
neighbouring rounds.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import peer_race
from benchmarks.speed.peer_race import OURS, TORCH
from benchmarks.speed.worker import Worker

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
    """As `peer_race.race`."""
    num_steps, num_rounds = (5, 2) if quick else (20, 9)
    return peer_race.race(
        "GAN", "steps/s", peers, num_rounds, functools.partial(start, num_steps=num_steps)
    )


def goals(times: float | None) -> list[Goal]:
    """What was asked; None where PyTorch was not there."""
    return [Goal("a step of the GAN, times PyTorch", TIMES, times)]


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, peer_race.add_peer)
    rows, times, versions, device = race(dict(arguments.peer), arguments.quick)
    session.finish(rows, goals(times), device, versions)


if __name__ == "__main__":
    main()
