"""How long until something happens: imports, the command line's help, and the first update.

Run `python -m benchmarks.speed.startup [--quick]`.

Every figure is the median of fresh processes. The first update is that of the demo's learner, first
with an empty compilation cache and then, in a second process, with the one that the first left.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from benchmarks import record
from benchmarks.record import Goal
from benchmarks.speed.rounds import Spread, spread
from benchmarks.speed.worker import ROOT, Worker

IMPORTS = {
    "import creative_rl": "import creative_rl",
    "import what trains: environments, learners, wrappers": (
        "import creative_rl as crl; crl.make('melody-theory'); crl.learners.ppo; "
        "crl.wrappers.LikelihoodReward; crl.networks.Model"
    ),
    "import jax, flax and optax, which that needs": "import jax, flax.linen, optax",
}
HELP = "creative-rl --help"
COLD, CACHED = "first update, empty cache", "first update, cache of an earlier process"


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv)
    num_processes = 1 if arguments.quick else 3
    seconds = {name: _repeat(import_seconds, code, 3) for name, code in IMPORTS.items()}
    seconds[HELP] = _repeat(process_seconds, help_code(), 3)
    rows = [taken.row(name, "s") for name, taken in seconds.items()]
    updates: dict[str, list[Mapping[str, float]]] = {COLD: [], CACHED: []}
    device = "cpu"
    for _ in range(num_processes):
        with tempfile.TemporaryDirectory() as cache:
            for name, found in updates.items():
                figures, device = first_update(cache)
                found.append(figures)
                print(f"{name}: {figures['trace + compile s']:.2f} s", file=sys.stderr)
    for name, found in updates.items():
        for metric in found[0]:
            seconds[f"{name}, {metric}"] = taken = spread([one[metric] for one in found])
            rows.append(taken.row(name, metric))
    session.finish(rows, goals(seconds), device)


def first_update(cache: str) -> tuple[dict[str, float], str]:
    """One fresh process, with the compilation cache in the folder `cache`: figures and device."""
    begin = time.perf_counter()
    environment = {"JAX_COMPILATION_CACHE_DIR": cache}
    with Worker("benchmarks.speed.first_update", environment=environment) as worker:
        until_ready = time.perf_counter() - begin
        peak = worker.stop()["peak_mib"]
    build = worker.about["build"]
    figures = {
        "trace s": build["trace"],
        "compile s": build["compile"],
        "trace + compile s": sum(build.values()),
        "process start to end of the first update s": until_ready,
        "peak memory MiB": peak,
    }
    return figures, worker.about["device"]


def import_seconds(code: str) -> float:
    """What the statements take in a fresh interpreter, without its own start."""
    timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    return float(_run(timed).splitlines()[-1])


def process_seconds(code: str) -> float:
    """A whole fresh process, its start and end included."""
    begin = time.perf_counter()
    _run(code)
    return time.perf_counter() - begin


def help_code() -> str:
    """What the installed `creative-rl` script does with `--help`."""
    return "import sys; from creative_rl.cli import main; sys.exit(main(['--help']))"


def goals(seconds: Mapping[str, Spread]) -> list[Goal]:
    """What was asked."""
    asked = {
        "import creative_rl": 1.2,
        "import what trains: environments, learners, wrappers": 1.2,
        f"{COLD}, trace + compile s": 8.0,
        f"{CACHED}, trace + compile s": 1.5,
    }
    return [Goal(f"{name.removesuffix(' s')}, s", bound, seconds[name].value, True)
            for name, bound in asked.items()]  # fmt: skip


def _repeat(measure, code: str, times: int) -> Spread:
    measure(code)  # fills the file system's cache and writes the byte code
    return spread([measure(code) for _ in range(times)])


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"python -c {code!r} failed: {words[-1]}")
    return done.stdout


if __name__ == "__main__":
    main()
