"""The command lines of `creative-rl sweep` and `creative-rl compare`. Imports no JAX."""

import argparse
import dataclasses
import pathlib
from collections.abc import Sequence

from creative_rl.experiment.flags import whole
from creative_rl.experiment.parser import Parser, UsageError, as_usage, at_least
from creative_rl.experiment.sweeping import file
from creative_rl.experiment.sweeping.file import SweepFile


@dataclasses.dataclass(frozen=True)
class SweepArguments:
    """What was asked for.

    Attributes:
      file: the sweep.
      out: its folder.
      is_plan: only tell what would run.
      workers: processes side by side; 1 for this one.
      ray: address of a Ray cluster, or `auto`; None without Ray.
    """

    file: SweepFile
    out: pathlib.Path
    is_plan: bool
    workers: int
    ray: str | None


def parse_sweep(argv: Sequence[str]) -> SweepArguments:
    """Read the command line of `creative-rl sweep`, and its file.

    Raises:
      UsageError: something in either is unknown, missing or out of range.
    """
    parser = Parser(
        "sweep", "Train every trial of a sweep's file; what is trained never runs twice."
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="the sweep, as TOML: see the README")
    add("--out", metavar="DIR", help="its folder (default runs/NAME or runs/NAME-BUDGET)")
    add("--budget", metavar="NAME", help="one of the file's [budgets]")
    add(
        "--plan",
        action="store_true",
        help="only tell how many trials there are, and what memory and time they take, by a probe",
    )
    add(
        "--workers",
        type=whole,
        default=1,
        metavar="N",
        help="groups that train side by side, in N processes (default 1: in this one)",
    )
    add("--ray", metavar="ADDRESS", help="train on a Ray cluster; auto for one of this machine")
    add("--search", choices=file.SEARCHES, help="in place of the file's own")
    arguments = parser.parse_all(argv)
    at_least("--workers", arguments.workers)
    if arguments.ray is not None and arguments.workers > 1:
        raise UsageError("--workers: Ray has its own; give --ray or --workers")
    found = as_usage(file.read, arguments.file, arguments.budget, arguments.search)
    name = found.name if found.budget is None else f"{found.name}-{found.budget}"
    out = pathlib.Path("runs", name) if arguments.out is None else pathlib.Path(arguments.out)
    return SweepArguments(found, out, arguments.plan, arguments.workers, arguments.ray)


def parse_compare(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line of `creative-rl compare`.

    Raises:
      UsageError: something in it is unknown or missing.
    """
    parser = Parser("compare", "Compare runs and sweeps over tasks and seeds, with intervals.")
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help="run directories, and folders of sweeps")
    add(
        "--metric", metavar="NAME", help="what to compare (default what a sweep is for, or returns)"
    )
    add("--direction", choices=("max", "min"), help="whether more of it is better")
    add("--out", metavar="FILE", help="write the picture as .png or .svg, or a page as .html")
    return parser.parse_all(argv)
