"""A sweep of runs that differ in numbers against as many runs by hand, compilation included.

Run `python -m benchmarks.speed.sweeps [--quick]`.

All train PPO in melody-target, each for 51,200 steps, at eight learning rates and four weights of
the entropy. The sweep is one fresh process, `creative-rl sweep`: its 32 trials are one program. Its
rival is `creative-rl train` for every point in turn, each in a fresh process: numbers are part of
a single run's program, so each compiles its own. Both keep what they keep: metrics, checkpoints.
The sweep finds no compilation cache; the single runs of a round share one. Single runs are a few,
at different points, and what all would take is their median times the number of points.
"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed.rounds import Spread, spread
from benchmarks.speed.worker import ROOT

LIMIT_SECONDS = 900.0
"""A process that takes longer hangs, and the benchmark ends."""
CONFIG = {"num_envs": 4, "num_steps": 128, "num_minibatches": 4, "num_epochs": 4}
ENTROPIES = (0.0, 0.003, 0.01, 0.03)


class Sizes(NamedTuple):
    """Points of the sweep, steps of each, single runs of a round, and rounds."""

    rates: tuple[float, ...]
    entropies: tuple[float, ...]
    steps: int
    num_single: int
    num_rounds: int

    @property
    def points(self) -> list[tuple[float, float]]:
        return list(itertools.product(self.rates, self.entropies))


RATES = (1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3)
WHOLE = Sizes(RATES, ENTROPIES, steps=51_200, num_single=3, num_rounds=3)
QUICK = Sizes(RATES[:2], ENTROPIES[:2], steps=2_048, num_single=1, num_rounds=1)


def sweep(sizes: Sizes) -> float:
    """Seconds of the sweep, from the start of its process to its end."""
    lists = {"learning_rate": list(sizes.rates), "entropy_coef": list(sizes.entropies)}
    base = {"environment": '"melody-target"', "learner": '"ppo"', "steps": sizes.steps, **CONFIG}
    text = "[base]\n" + "".join(f"{name} = {value}\n" for name, value in base.items())
    text += "[space]\n" + "".join(f"{name} = {value}\n" for name, value in lists.items())
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "sweep.toml")
        path.write_text(text)
        seconds = run(["sweep", str(path), "--out", f"{folder}/out"], f"{folder}/cache")
        done = len(list(pathlib.Path(folder, "out", "trials").glob("*/checkpoints")))
    if done != len(sizes.points):
        raise RuntimeError(f"the sweep has trained {done} of {len(sizes.points)} trials")
    return seconds


def single(sizes: Sizes, number: int) -> list[float]:
    """Seconds of some of the points' runs, each by itself, in a round of this number."""
    with tempfile.TemporaryDirectory() as folder:
        taken = []
        for index in range(sizes.num_single):
            place = (number * sizes.num_single + index) * 7 % len(sizes.points)
            rate, entropy = sizes.points[place]
            flags = {**CONFIG, "learning_rate": rate, "entropy_coef": entropy, "steps": sizes.steps}
            argv = ["train", "melody-target", "--learner", "ppo", "--log", "none"]
            for name, value in flags.items():
                argv += [f"--{name.replace('_', '-')}", str(value)]
            argv += ["--out", f"{folder}/{index}"]
            taken.append(run(argv, f"{folder}/cache"))
    return taken


def run(argv: Sequence[str], cache: str) -> float:
    """Seconds of a `creative-rl` command in a process of its own.

    Raises:
      RuntimeError: it failed or hung.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": cache}
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "creative_rl.cli", *argv],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"creative-rl {argv[0]} took over {LIMIT_SECONDS:g} s") from None
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise RuntimeError(f"creative-rl {argv[0]}: {words[-1] if words else 'it said nothing'}")
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    sizes = QUICK if arguments.quick else WHOLE
    together: list[float] = []
    alone: list[list[float]] = []
    for number in range(sizes.num_rounds):  # in turn, so that the machine's noise hits both alike
        together.append(sweep(sizes))
        alone.append(single(sizes, number))
        mean = sum(alone[-1]) / len(alone[-1])
        print(f"sweep {together[-1]:.1f} s, a single run {mean:.1f} s", file=sys.stderr)
    rows, ratio = compare(sizes, together, alone)
    session.finish(rows, goals(ratio, sizes), "cpu")


def compare(
    sizes: Sizes, together: Sequence[float], alone: Sequence[Sequence[float]]
) -> tuple[list[Row], Spread]:
    """The figures, and how many times as fast the sweep is, round by round."""
    num = len(sizes.points)
    medians = [num * spread(seconds).value for seconds in alone]
    ratio = spread([by_hand / one for by_hand, one in zip(medians, together, strict=True)])
    every = spread([seconds for seconds_of_round in alone for seconds in seconds_of_round])
    mine = f"a sweep of {num} runs in one program"
    theirs = f"{num} runs one after another ({num} x one, of {every.count} run)"
    metric = "s from start to end"
    rows = [
        spread(together).row(mine, metric),
        every.row("one run by itself", metric),
        spread(medians).row(theirs, metric),
        ratio.row(f"{mine} over {theirs}", "ratio"),
    ]
    return rows, ratio


def goals(ratio: Spread, sizes: Sizes) -> list[Goal]:
    """What was asked, of 32 runs."""
    num = len(WHOLE.points)
    value = ratio.value if len(sizes.points) == num else None
    return [Goal(f"a sweep of {num} runs, times as many runs one after another", 4.0, value)]


if __name__ == "__main__":
    main()
