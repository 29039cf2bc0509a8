"""Strokes a second on 64 x 64 grey canvases, against skia and Pillow.

Run `python -m benchmarks.speed.strokes [--quick]`.

Ours are anti-aliased quadratic Bezier strokes with width and opacity, blended into uint8 canvases:
1 to 4096 of them, each with a stroke of its own at every step of one compiled scan. Short strokes
are painted in a window of 16 x 16 pixels, long ones may lie anywhere. The canvas is what is
observed. skia draws the same strokes (a path with round caps, anti-aliased) one by one from Python,
and after each one the picture is read as a NumPy array, as a Gym environment does it: from skia's
surface, or, faster, from an array that it draws into. The goals are against both. Pillow
draws the bare line between the ends, one pixel wide, not anti-aliased and not blended, and
`np.asarray` reads it. Both get their numbers as Python floats.

Each kind of stroke has a process of its own, and one more with a single thread for XLA
(`NPROC=1`); within it all take turns. The pictures of ours and of skia must agree. Bytes are those
of the canvas: the window, or all of it, read and written once a stroke, against a large NumPy copy.
"""

import functools
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import Report, Spread, interleave, rates, ratios, spread
from benchmarks.speed.settings import ARRAY, COPY, LONG, PILLOW, SHORT, SURFACE
from benchmarks.speed.worker import Worker

PEERS = {
    SURFACE: "skia, surface read as an array",
    ARRAY: "skia, drawn into an array",
    PILLOW: "Pillow, 1-pixel line",
}
WIDTHS = ("1", "256", "1024", "4096")
ASKED = "1024"
THREADS = {"default threads": {}, "NPROC=1": {"NPROC": "1"}}
BYTES = {SHORT: 2 * 16 * 16, LONG: 2 * 64 * 64}
"""Of the canvas, read and written by a stroke."""
GOALS = {
    (SHORT, SURFACE): 50.0,
    (LONG, SURFACE): 20.0,
    (SHORT, ARRAY): 50.0,
    (LONG, ARRAY): 20.0,
    (SHORT, PILLOW): 20.0,
    (LONG, PILLOW): 5.0,
}
STRETCH_GOALS = {(SHORT, PILLOW): 25.0, (LONG, PILLOW): 12.0}
MOST_DIFFERENCE = 2.0
"""Levels of 255, between our pictures and skia's, on average."""


class Measured(NamedTuple):
    """What one process found: rows, how many times as fast as each peer, and where."""

    rows: list[Row]
    times: Mapping[str, float]
    device: str
    versions: Mapping[str, str]


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    found: dict[tuple[str, str], Measured] = {}
    for task in (SHORT, LONG):
        for threads, variables in list(THREADS.items())[: 1 if arguments.quick else None]:
            found[task, threads] = measure(task, threads, variables, arguments.quick)
            for peer, times in found[task, threads].times.items():
                print(f"{task}, {threads}: {times:.1f} times {PEERS[peer]}", file=sys.stderr)
    last = found[LONG, "default threads"]
    session.finish(
        [row for measured in found.values() for row in measured.rows],
        goals({key: measured.times for key, measured in found.items()}),
        last.device,
        last.versions,
    )


def measure(task: str, threads: str, variables: Mapping[str, str], quick: bool) -> Measured:
    """One kind of stroke with one setting of threads, all contenders in turns."""
    widths = ("1", ASKED) if quick else WIDTHS
    seconds, num_rounds = ("0.1", 2) if quick else ("0.4", 7)
    arguments = [task, seconds, *widths]
    with Worker("benchmarks.speed.stroke_worker", arguments, environment=variables) as worker:
        about = worker.about
        check_pictures(task, about["difference"])
        turns = {unit: functools.partial(worker.run, unit) for unit in about["units"]}
        reports = interleave(turns, num_rounds)
    name = f"{task}, {threads}"
    rows = [row for width in widths for row in width_rows(name, task, width, reports)]
    for width, times in about["builds"].items():
        rows += [Row(f"{name}, N={width}", f"{what} s", time) for what, time in times.items()]
    for peer, label in PEERS.items():
        rows.append(spread(rates(reports[peer])).row(f"{name}, {label}", "strokes/s"))
    bandwidth = spread([rate / 1e9 for rate in rates(reports[COPY])])
    rows.append(bandwidth.row(f"{name}, NumPy copy", "GB/s read and written"))
    rows.append(Row(name, "peak memory MiB", about["peak_mib"]))
    rows.append(Row(name, "mean difference from skia's pictures, of 255", about["difference"]))
    times = {peer: ratios(reports[ASKED], reports[peer]).value for peer in PEERS}
    return Measured(rows, times, about["device"], about["versions"])


def width_rows(
    name: str, task: str, width: str, reports: Mapping[str, Sequence[Report]]
) -> list[Row]:
    """Rate, ratios to the peers and share of the memory's bandwidth of one number of canvases."""
    own, label = reports[width], f"{name}, N={width}"
    rows = [
        spread(rates(own)).row(label, "strokes/s"),
        spread(rates(own, "cpu_seconds")).row(label, "strokes/s of processor time"),
    ]
    rows += [
        ratios(own, reports[peer]).row(label, f"ratio to {words}") for peer, words in PEERS.items()
    ]
    share = ratios(own, reports[COPY])
    share = Spread(*(BYTES[task] * value for value in share[:3]), share.count)
    return [*rows, share.row(label, "canvas bytes, share of the copy's bandwidth")]


def check_pictures(task: str, difference: float) -> None:
    """Refuse a rate of other work: our pictures must be skia's.

    Raises:
      RuntimeError: they differ by more than two levels of 255 on average.
    """
    if not difference <= MOST_DIFFERENCE:
        raise RuntimeError(
            f"{task} strokes: our pictures differ from skia's by {difference:.2f} levels of 255 on "
            f"average, should be at most {MOST_DIFFERENCE:g}: they are not the same strokes"
        )


def goals(times: Mapping[tuple[str, str], Mapping[str, float]]) -> list[Goal]:
    """What was asked: the better of the thread settings counts, as a user may choose."""
    asked = []
    for bounds, word in ((GOALS, ""), (STRETCH_GOALS, ", stretch")):
        for (task, peer), bound in bounds.items():
            measured = [found[peer] for (name, _), found in times.items() if name == task]
            what = f"{task} strokes, N={ASKED}, times {PEERS[peer]}{word}"
            asked.append(Goal(what, bound, max(measured, default=None)))
    return asked


if __name__ == "__main__":
    main()
