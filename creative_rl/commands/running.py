"""What commands share: the run they are about, JAX, columns."""

import argparse
from collections.abc import Iterable

from creative_rl.experiment import device_flags
from creative_rl.experiment.parser import Parser
from creative_rl.experiment.run import Run


def run_parser(name: str, description: str | None) -> Parser:
    """A parser whose first argument is a run directory."""
    parser = Parser(name, description)
    parser.add_argument("run", metavar="RUN", help="run directory")
    return parser


def add_checkpoint(parser: Parser) -> None:
    """The flag that says which checkpoint of the run plays."""
    parser.add_argument(
        "--checkpoint", type=_checkpoint, default="latest", metavar="WHICH",
        help="best, latest or the update of one (default latest)",
    )  # fmt: skip


def _checkpoint(text: str) -> str | int:
    if text in ("best", "latest"):
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"must be best, latest or an update, got {text!r}")


def prepare_jax(run: str | None = None, where: device_flags.Where | None = None) -> None:
    """Load JAX with its cache and devices; what is no run directory is refused before."""
    if run is not None:
        Run.open(run)
    from creative_rl.experiment import compilation_cache

    compilation_cache.enable()
    if where is not None:
        where.join()


def print_columns(rows: Iterable[tuple[str, str]]) -> None:
    """Names and what there is to say of them, in two columns."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"  {name:<{width}}  {text}")
