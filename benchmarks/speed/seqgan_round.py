"""Adversarial rounds of SeqGAN a second, against the same round in PyTorch.

Run `python -m benchmarks.speed.seqgan_round [--quick] [--peer torch=PYTHON]`.

A round is a policy gradient step on 64 sequences of 20 out of 5,000 tokens, every prefix completed
16 times, and three passes of a discriminator of convolutions over 320 new and 320 real ones: the
published generator and roll-outs, a smaller discriminator. Ours completes all prefixes of all
sequences side by side, and draws tokens by inversion; PyTorch runs its eager form on all cores, a
prefix after the other, as ports of SeqGAN do. PYTHON is an interpreter that has it. Rounds take
turns, and ratios are of neighbouring rounds.
"""

from collections.abc import Callable, Mapping, Sequence

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import peer_race
from benchmarks.speed.peer_race import OURS, TORCH
from benchmarks.speed.worker import Worker

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
    """As `peer_race.race`."""
    num_rounds = 1 if quick else 7
    return peer_race.race("SeqGAN", "rounds/s", peers, num_rounds, start)


def goals(times: float | None) -> list[Goal]:
    """What was asked; None where PyTorch was not there."""
    return [Goal("an adversarial round of SeqGAN, times PyTorch", TIMES, times)]


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, peer_race.add_peer)
    rows, times, versions, device = race(dict(arguments.peer), arguments.quick)
    session.finish(rows, goals(times), device, versions)


if __name__ == "__main__":
    main()
