"""What checkpoints cost, and what they save: seconds that training waits, seconds until it goes on,
and a run that is killed a hundred times.

Run `python -m benchmarks.speed.checkpoints [--quick]`.

The seconds are absolute, so other work on the machine counts: the goals take the best of the
rounds. A kill is a SIGKILL at a random moment, three in ten of them while the run still starts; the
run saves whenever its last save is done. After each everything in its directory is read.
"""

import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import kills
from benchmarks.speed.rounds import Spread, spread
from benchmarks.speed.worker import Worker

MEGABYTES, QUICK_MEGABYTES = 100, 10
NUM_ROUNDS, QUICK_ROUNDS = 5, 2
NUM_KILLS, QUICK_KILLS = 100, 3
WAITS, WRITTEN = "training waits s", "on disk after s"
RESTORED, RESUMED = "read s", "resumed, process start to first update s"
RESUMED_PROCESSOR = "the same, seconds of a processor"


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    megabytes = QUICK_MEGABYTES if options.quick else MEGABYTES
    num_rounds = QUICK_ROUNDS if options.quick else NUM_ROUNDS
    num_kills = QUICK_KILLS if options.quick else NUM_KILLS
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        seconds, device = saving(megabytes, num_rounds)
        seconds |= resuming(megabytes, num_rounds, place)
        rows = [taken.row(f"a state of {megabytes} MB", name) for name, taken in seconds.items()]
        found, different = killing(num_kills, place)
    rows += kill_rows(found, different)
    session.finish(rows, goals(megabytes, seconds, found, different), device)


def saving(megabytes: int, num_rounds: int) -> tuple[dict[str, Spread], str]:
    """Seconds that training waits, until a checkpoint is on disk, and to read it; and the device.

    The first save, which compiles, does not count.
    """
    with Worker("benchmarks.speed.checkpoint_worker", ["save", str(megabytes)]) as worker:
        worker.run("save", 0)
        saves = [worker.run("save", number + 1) for number in range(num_rounds)]
        reads = [worker.run("restore") for _ in range(num_rounds)]
        device = worker.about["device"]
    return {
        WAITS: spread([save["waited"] for save in saves]),
        WRITTEN: spread([save["written"] for save in saves]),
        RESTORED: spread([read["seconds"] for read in reads]),
    }, device


def resuming(megabytes: int, num_rounds: int, place: pathlib.Path) -> dict[str, Spread]:
    """Fresh processes that go on with a run, their programs compiled by the first."""
    cache = {"JAX_COMPILATION_CACHE_DIR": str(place / "cache")}
    found = []
    for number in range(num_rounds + 1):
        arguments = ["resume", str(megabytes), str(place / "resumed"), str(number + 1)]
        environment = {**cache, "BEGIN": str(time.time())}
        with Worker(
            "benchmarks.speed.checkpoint_worker", arguments, environment=environment
        ) as worker:
            found.append(worker.about["first"])
        print(f"resumed after {found[-1]['wall']:.2f} s", file=sys.stderr)
    del found[0]  # it began the run
    return {
        RESUMED: spread([first["wall"] for first in found]),
        RESUMED_PROCESSOR: spread([first["processor"] for first in found]),
    }


def killing(num_kills: int, place: pathlib.Path) -> tuple[list[kills.Kill], list[str]]:
    """What the kills left, and in what the run ended otherwise than one that was left alone."""
    num_updates = 20 * num_kills
    with kills.Starter(place / "cache") as starter:
        starter.whole(place / "undisturbed", num_updates)
        found = kills.kill_again_and_again(starter, place / "killed", num_updates, num_kills)
    for kill in found:
        for problem in kill.problems:
            print(f"after a kill: {problem}", file=sys.stderr)
    return found, kills.differences(place / "killed", place / "undisturbed")


def kill_rows(found: Sequence[kills.Kill], different: Sequence[str]) -> list[Row]:
    """Of all kills: how many, where they hit, and what was lost."""
    name = "a run that is killed"
    lost = [kill.seconds_lost for kill in found]
    figures = {
        "kills": len(found),
        "kills with a checkpoint on its way": sum(kill.in_save for kill in found),
        "problems found": sum(len(kill.problems) for kill in found),
        "leaves and files that differ at the end": len(different),
    }
    return [
        *(Row(name, metric, float(value)) for metric, value in figures.items()),
        Row(name, "training lost s", statistics.median(lost), min(lost), max(lost), len(lost)),
    ]


def goals(
    megabytes: int,
    seconds: Mapping[str, Spread],
    found: Sequence[kills.Kill],
    different: Sequence[str],
) -> list[Goal]:
    """What was asked."""
    problems = sum(len(kill.problems) for kill in found)
    return [
        Goal(f"{megabytes} MB: training waits, best round, s", 1.0, seconds[WAITS].low, True),
        Goal(f"{megabytes} MB: resumed, best round, s", 5.0, seconds[RESUMED].low, True),
        Goal("kills", float(NUM_KILLS), float(len(found))),
        Goal("unreadable or lost checkpoints, records twice or missing", 0.0, problems, True),
        Goal("leaves and files that differ from an undisturbed run", 0.0, len(different), True),
    ]


if __name__ == "__main__":
    main()
