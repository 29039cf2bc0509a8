"""Music in real time: how long a learner takes for an event, on one core.

Run `python -m benchmarks.speed.performing [--quick]`. An event is what `creative-rl perform` waits
for: the policy's action and the environment's step for one piece, compiled, with the work so far on
its way to the host. Network weights are as they were drawn, which costs the same as trained ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.performing_worker import TASKS
from benchmarks.speed.worker import Worker

NUM_EVENTS, QUICK_EVENTS = 5_000, 200
MOST_MS = 5.0


def rows(found: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Of every task the latencies in milliseconds, and the seconds until the first event."""
    made = []
    for task, report in found.items():
        milliseconds = 1e3 * np.array(report["latencies"])
        for name, percent in (("median", 50), ("99th percentile", 99), ("longest", 100)):
            value = float(np.percentile(milliseconds, percent))
            made.append(Row(task, f"{name} latency ms", value, seeds=len(milliseconds)))
        made.append(Row(task, "first event, trace + compile s", report["first"]))
    return made


def goals(found: Sequence[Row]) -> list[Goal]:
    """The slowest task's 99th percentile."""
    most = max(row.value for row in found if row.metric == "99th percentile latency ms")
    return [Goal("an event of the slowest, 99th percentile, ms", MOST_MS, most, at_most=True)]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    num_events = QUICK_EVENTS if options.quick else NUM_EVENTS
    environment = {"NPROC": "1"}
    with Worker(
        "benchmarks.speed.performing_worker", [str(num_events)], environment=environment
    ) as worker:
        found = {task: worker.run(task) for task in TASKS}
        device, peak = worker.about["device"], worker.stop()["peak_mib"]
    table = [*rows(found), Row("all tasks", "peak memory MiB", peak)]
    session.finish(table, goals(table), device)


if __name__ == "__main__":
    main()
