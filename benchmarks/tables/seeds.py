"""Figures of several seeds as one row: their mean, between the ends of its interval."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from benchmarks.record import Row

Measures = Mapping[str, float]
T = TypeVar("T")


def seeds_argument(default: int) -> Callable[[argparse.ArgumentParser], None]:
    """Adds `--seeds NUM`, policies of every row."""

    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seeds", type=_num_seeds, default=default, help="of every row")

    return add


def _num_seeds(text: str) -> int:
    if (num := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {num}")
    return num


def in_turn(steps: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """What each row's step gives, told as it comes, with the seconds that it took."""
    found = {}
    for name, step in steps.items():
        begin = time.perf_counter()
        found[name] = step()
        print(f"{name}: {found[name]} ({time.perf_counter() - begin:.0f} s)", file=sys.stderr)
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the mean with 95 percent confidence: the bootstrap's percentiles."""
    generator = np.random.default_rng(0)
    draws = generator.choice(np.asarray(values), size=(10_000, len(values)))
    low, high = np.percentile(draws.mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def over_seeds(
    name: str,
    metric: str,
    values: Sequence[float],
    published: float | None = None,
    source: str | None = None,
) -> Row:
    """A row of values, one a seed; a single one has no interval."""
    low, high = interval(values) if len(values) > 1 else (None, None)
    return Row(name, metric, float(np.mean(values)), low, high, len(values), published, source)


def measured_rows(
    found: Mapping[str, Sequence[Measures]],
    sources: Mapping[str, str],
    published: Mapping[str, Measures],
    reference: str,
) -> list[Row]:
    """A row for every measure of every name.

    Args:
      found: what each of a name's seeds measured.
      sources: how a name came about; `see the module` for others.
      published: figures to stand beside, by name.
      reference: where those are from.
    """
    made = []
    for name, seeds in found.items():
        ours, theirs = sources.get(name, "see the module"), published.get(name, {})
        for metric in seeds[0]:
            source = f"{reference}; ours: {ours}" if metric in theirs else ours
            values = [measures[metric] for measures in seeds]
            made.append(over_seeds(name, metric, values, theirs.get(metric), source))
    return made
