"""Evaluations of MAP-Elites a second, against QDax on the same levels.

Run `python -m benchmarks.speed.elites [--quick] [--peer qdax=PYTHON]`.

An evaluation is an episode of 64 actions that design a labyrinth of 14 x 14 (`level-binary-wide`),
256 of them side by side in an update; the archive has 32 x 32 cells by the longest way and the
share of walls. QDax has the same environment, descriptors, grid, crossover and mutation; selection,
insertion, metrics and the loop are its own. PYTHON is an interpreter that has it and what this
package needs. Both run many updates in one program. Rounds take turns, and ratios are of
neighbouring rounds; coverage and maximum are those after the last one, of as many updates.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import peer_race
from benchmarks.speed.peer_race import OURS
from benchmarks.speed.worker import Worker

QDAX = "qdax"
WORKERS = {
    OURS: "benchmarks.speed.elites_worker",
    QDAX: "benchmarks.speed.elites_qdax_worker",
}
TIMES = 1.0
REACHED = ("coverage", "maximum")


def start(name: str, python: str, num_updates: int) -> Worker:
    """One contender in a process of its own."""
    return Worker(WORKERS[name], [str(num_updates)], python)


def race(
    peers: Mapping[str, str],
    quick: bool,
    start: Callable[[str, str, int], Worker] = start,
) -> tuple[list[Row], float | None, dict[str, str], str]:
    """As `peer_race.race`."""
    num_updates, num_rounds = (2, 2) if quick else (30, 11)
    return peer_race.race(
        "MAP-Elites",
        "evaluations/s",
        peers,
        num_rounds,
        functools.partial(start, num_updates=num_updates),
        REACHED,
        by_processor=True,
    )


def goals(times: float | None) -> list[Goal]:
    """What was asked; None where QDax was not there."""
    return [Goal("evaluations of MAP-Elites on levels, times QDax", TIMES, times)]


def main(argv: Sequence[str] | None = None) -> None:
    add_peer = functools.partial(peer_race.add_peer, name=QDAX)
    arguments, session = record.start(__doc__, __spec__, argv, add_peer)
    rows, times, versions, device = race(dict(arguments.peer), arguments.quick)
    session.finish(rows, goals(times), device, versions)


if __name__ == "__main__":
    main()
