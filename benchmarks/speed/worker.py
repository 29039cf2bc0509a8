"""Both ends of a measured process: JSON lines out, one `go <unit> <round>` line in for each run.

The process stays alive between its rounds, so that its rivals' rounds can lie between them and the
noise of the machine hits all alike; waiting costs no processor time. Only the standard library
is imported here, because a worker may run in another interpreter.
"""

import contextlib
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]

Unit = Callable[[int], Mapping[str, Any]]
"""Does the measured work of one round (whose number it is given) and reports on it; `steps` is the
number of environment steps done."""


def serve(about: Mapping[str, Any], units: Mapping[str, Unit]) -> None:
    """In the worker: say that it is ready, then run a unit for every line, until the input ends.

    Call `own_the_output` before anything that may print.
    """
    _say({**about, "units": list(units)})
    for line in sys.stdin:
        name, number = line.removeprefix("go ").rsplit(maxsplit=1)
        wall, processor = time.perf_counter(), time.process_time()
        report = units[name](int(number))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        _say({"seconds": wall, "cpu_seconds": processor, **report})
    _say({"peak_mib": peak_mib()})


def check_parameters(found: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """Refuse to measure another network than the task's.

    Raises:
      RuntimeError: the numbers of parameters differ.
    """
    if found != wanted:
        raise RuntimeError(f"parameters must be {wanted}, got {found}")


def own_the_output() -> None:
    """Keep standard output for the protocol: what libraries print goes to standard error."""
    global _channel
    _channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)


def peak_mib() -> float:
    """Greatest resident memory of this process so far.

    Linux's own count is read where there is one: `ru_maxrss` also counts what the parent held
    when it started this process.
    """
    try:
        status = pathlib.Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        import resource  # not on every system

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def built(jitted: Any, *arguments: Any) -> tuple[Any, dict[str, float]]:
    """A jitted function compiled for such arguments, and the seconds of `trace` and `compile`."""
    begin = time.perf_counter()
    lowered = jitted.lower(*arguments)
    traced = time.perf_counter()
    compiled = lowered.compile()
    return compiled, {"trace": traced - begin, "compile": time.perf_counter() - traced}


def calibrated(run: Callable[[int], None], seconds: float) -> int:
    """How many fit into `seconds`, by a doubling trial of `run(count)`."""
    count = 1
    while True:
        begin = time.perf_counter()
        run(count)
        taken = time.perf_counter() - begin
        if taken > seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 2


def versions(*packages: str) -> dict[str, str]:
    """Of installed packages.

    Raises:
      PackageNotFoundError: one is not there.
    """
    return {package: importlib.metadata.version(package) for package in packages}


def device() -> str:
    """In a worker that has JAX: `cpu`, or the kind of the accelerator."""
    import jax

    first = jax.devices()[0]
    return "cpu" if first.platform == "cpu" else first.device_kind


class Worker:
    """In the parent: a module of this package, running in a process of its own.

    Attributes:
      about: what the worker said when it was ready.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        limit_seconds: float = 600.0,
    ):
        """Start it and wait until it is ready.

        Raises:
          RuntimeError: it ended or ran past the limit; its last words are in the message.
        """
        self.module = module
        self._limit = limit_seconds
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed at exit)
        self._process = subprocess.Popen(
            [python, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={**_plain_environment(), **(environment or {})},
        )
        try:
            self.about = self._hear()
        except BaseException:
            self.__exit__()
            raise

    def run(self, unit: str, number: int = 0) -> dict[str, Any]:
        """One round of a unit: its report, with `seconds` and `cpu_seconds`."""
        with contextlib.suppress(BrokenPipeError):  # it has ended: `_hear` says why
            self._process.stdin.write(f"go {unit} {number}\n")
            self._process.stdin.flush()
        return self._hear()

    def stop(self) -> dict[str, Any]:
        """End it: what it reports at the end, `peak_mib`."""
        self._process.stdin.close()
        report = self._hear()
        self._process.wait(self._limit)
        return report

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _hear(self) -> dict[str, Any]:
        timer = threading.Timer(self._limit, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            words = self._errors.read().strip().splitlines()
            raise RuntimeError(
                f"{self.module} ended ({self._process.returncode}) before it answered (limit "
                f"{self._limit:g} s): {words[-1] if words else 'it said nothing'}"
            )
        return json.loads(line)


_channel = sys.stdout


def _say(message: Mapping[str, Any]) -> None:
    _channel.write(json.dumps(message) + "\n")
    _channel.flush()


def _plain_environment() -> dict[str, str]:
    """This process's, without a compilation cache: compile times are those of a first run."""
    kept = {name: value for name, value in os.environ.items() if "COMPILATION_CACHE" not in name}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
