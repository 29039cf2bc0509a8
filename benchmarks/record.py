"""What a benchmark leaves behind: a Markdown table, and a JSON file written whole or not at all."""

import argparse
import dataclasses
import datetime
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

from creative_rl.atomic import write_bytes

RESULTS = pathlib.Path(__file__).parent / "results"
PACKAGES = ("creative_rl", "jax", "jaxlib", "flax", "optax", "numpy")


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes:
      name: what was measured.
      metric: of which quantity, with its unit.
      value: the median, or the only measurement.
      low: least of the repeated measurements.
      high: greatest of them.
      seeds: how many measurements there were.
      published: the figure in the source, where there is one.
      source: paper and table, or the library that was measured.
    """

    name: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    published: float | None = None
    source: str | None = None


@dataclasses.dataclass(frozen=True)
class Goal:
    """A figure asked of the benchmark.

    Attributes:
      what: the quantity, with its unit.
      bound: the figure.
      value: what was measured; None where this run did not measure it.
      at_most: whether less is better.
    """

    what: str
    bound: float
    value: float | None
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the value keeps the bound; None where there is no value."""
        if self.value is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def to_dict(self) -> dict[str, Any]:
        goal = f"{'<=' if self.at_most else '>='} {self.bound:g}"
        value = None if self.value is None else _rounded(self.value)
        return {"what": self.what, "goal": goal, "value": value, "reached": self.reached}


@dataclasses.dataclass(frozen=True)
class Record:
    """A finished run of a benchmark.

    Attributes:
      benchmark: its name, which is also the name of its file.
      command: what repeats it, without paths of this machine.
      seconds: how long it took.
      device: `cpu`, or the kind of the accelerator.
      versions: of the packages that were measured, by name.
      rows: the figures.
      goals: those asked for.
      part: which part of the benchmark was run; "" for all of it, which no part overwrites.

    Raises:
      ValueError: there is no row, two rows measure the same, or a figure is not finite.
    """

    benchmark: str
    command: str
    seconds: float
    device: str
    versions: Mapping[str, str]
    rows: Sequence[Row]
    goals: Sequence[Goal]
    part: str = ""

    def __post_init__(self):
        if not self.rows:
            raise ValueError(f"{self.benchmark}: a record needs at least one row, got none")
        seen: set[tuple[str, str]] = set()
        for row in self.rows:
            if (row.name, row.metric) in seen:
                raise ValueError(f"{self.benchmark}: {row.name}, {row.metric} is there twice")
            seen.add((row.name, row.metric))
            _check_finite(f"{row.name}, {row.metric}", (row.value, row.low, row.high))
        for goal in self.goals:
            _check_finite(goal.what, (goal.value,))

    def to_dict(self) -> dict[str, Any]:
        """The form of the JSON file."""
        return {
            "benchmark": self.benchmark,
            "command": self.command,
            "commit": commit(),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "seconds": _rounded(self.seconds),
            "machine": {**machine(), "device": self.device},
            "versions": dict(self.versions),
            "rows": [
                {name: _rounded(value) for name, value in dataclasses.asdict(row).items()}
                for row in self.rows
            ],
            "goals": [goal.to_dict() for goal in self.goals],
        }

    def markdown(self) -> str:
        """Two tables, the figures and the goals."""
        lines = ["| what | metric | value | low | high |", "|---|---|--:|--:|--:|"]
        for row in self.rows:
            figures = " | ".join(_shown(figure) for figure in (row.value, row.low, row.high))
            lines.append(f"| {row.name} | {row.metric} | {figures} |")
        if self.goals:
            lines += ["", "| goal | asked | measured | reached |", "|---|--:|--:|---|"]
        for goal in self.goals:
            verdict = {None: "not measured", True: "yes", False: "no"}[goal.reached]
            asked = goal.to_dict()["goal"]
            lines.append(f"| {goal.what} | {asked} | {_shown(goal.value)} | {verdict} |")
        return "\n".join(lines)

    def write(self, folder: str | os.PathLike | None = None) -> pathlib.Path:
        """Write `<benchmark>.json`, of a part `<benchmark>.<part>.json`, on an accelerator
        `<benchmark>.<device>.json` or `<benchmark>.<part>.<device>.json`.

        The file is written whole or not at all; `folder` is `benchmarks/results` where None.
        """
        slug = re.sub(r"[^a-z0-9]+", "-", self.device.lower()).strip("-")
        names = (self.benchmark, self.part, "" if slug == "cpu" else slug)
        name = ".".join(filter(None, names))
        data = json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"
        return write_bytes(pathlib.Path(folder or RESULTS) / f"{name}.json", data.encode())


class Session:
    """A run of a benchmark in progress: its arguments, its clock and its end.

    With `--quick` the end prints the tables and writes nothing.
    """

    def __init__(self, module: str, arguments: argparse.Namespace, argv: Sequence[str]):
        self.benchmark = module.rpartition(".")[2]
        self.command = public_command(module, argv)
        self.quick = arguments.quick
        self._start = time.perf_counter()

    def finish(
        self,
        rows: Sequence[Row],
        goals: Sequence[Goal],
        device: str,
        peers: Mapping[str, str] | None = None,
        part: str = "",
    ) -> Record:
        """Print the tables and, unless quick, write the file."""
        record = Record(
            benchmark=self.benchmark,
            command=self.command,
            seconds=time.perf_counter() - self._start,
            device=device,
            versions={**versions(PACKAGES), **(peers or {})},
            rows=rows,
            goals=goals,
            part=part,
        )
        print(record.markdown())
        if self.quick:
            print("\n--quick: nothing was written; the figures are rough.")
        else:
            print(f"\nwritten: {record.write().name}")
        return record

    def picture(self, draw: Callable[[], bytes]) -> None:
        """Unless quick, write what `draw` makes to `<benchmark>.png`, beside the results."""
        if not self.quick:
            write_bytes(RESULTS / f"{self.benchmark}.png", draw())


def start(
    doc: str | None,
    spec: ModuleSpec,
    argv: Sequence[str] | None,
    *add: Callable[[argparse.ArgumentParser], None],
) -> tuple[argparse.Namespace, Session]:
    """Read a benchmark's command line and begin its session.

    Args:
      doc: the module's; its first line is the help's.
      spec: the module's `__spec__`, which has its full name even where it is run.
      argv: the arguments; None for those of the process.
      add: each adds an argument of the benchmark's own.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    command_line = parser(doc)
    for argument in add:
        argument(command_line)
    options = command_line.parse_args(arguments)
    return options, Session(spec.name, options, arguments)


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with what every benchmark takes."""
    arguments = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    arguments.add_argument(
        "--quick", action="store_true", help="rough figures in under a minute; writes no file"
    )
    return arguments


def public_command(module: str, argv: Sequence[str]) -> str:
    """The command line, with `PATH` for every argument (or value after `=`) that is a path."""
    shown = []
    for argument in argv:
        option, equals, value = argument.partition("=")
        if equals and _is_path(value):
            argument = f"{option}=PATH"
        elif not equals and _is_path(argument):
            argument = "PATH"
        shown.append(argument)
    return " ".join(["python", "-m", module, *shown])


def changed_fields(config: Any) -> dict[str, Any]:
    """Of a config's fields those that are not at their defaults, for a row's source."""
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default
    }


def machine() -> dict[str, Any]:
    """The processor, the cores that this process may use, and the memory in GiB."""
    try:
        cores = len(os.sched_getaffinity(0))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # not on every system
        cores, memory = os.cpu_count() or 1, 0
    return {"cpu": _processor(), "cores": cores, "memory_gib": round(memory / 2**30)}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Of Python, and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit that is checked out, `+` if files differ from it; None outside a checkout."""
    here = pathlib.Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        found = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return found.stdout.strip() or None


def _processor() -> str:
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


def _check_finite(what: str, figures: Iterable[float | None]) -> None:
    for figure in figures:
        if figure is not None and not math.isfinite(figure):
            raise ValueError(f"{what}: figures must be finite, got {figure}")


def _rounded(value: Any) -> Any:
    """Numbers to four significant digits: more would be noise."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _shown(figure: float | None) -> str:
    if figure is None:
        return ""
    if abs(figure) >= 1e6:
        return f"{figure / 1e6:.3g} M"
    return f"{figure / 1e3:.3g} k" if abs(figure) >= 1e4 else f"{figure:.3g}"
