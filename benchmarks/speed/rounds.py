"""Interleaved rounds (A B C A B C) and their summary: median, least and greatest."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.record import Row

Report = Mapping[str, Any]


class Spread(NamedTuple):
    """The median of repeated measurements, the least and the greatest of them."""

    value: float
    low: float
    high: float
    count: int

    def row(self, name: str, metric: str, source: str | None = None) -> Row:
        return Row(name, metric, self.value, self.low, self.high, self.count, source=source)


def interleave(
    contenders: Mapping[str, Callable[[int], Report]], num_rounds: int
) -> dict[str, list[Report]]:
    """Run every contender once a round, in turn, so that the machine's noise hits all alike."""
    reports: dict[str, list[Report]] = {name: [] for name in contenders}
    for number in range(num_rounds):
        for name, run in contenders.items():
            reports[name].append(run(number))
    return reports


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def rates(reports: Sequence[Report], clock: str = "seconds") -> list[float]:
    """Steps a second, by the wall (`seconds`) or by the processor (`cpu_seconds`)."""
    return [report["steps"] / report[clock] for report in reports]


def ratios(reports: Sequence[Report], rivals: Sequence[Report], clock: str = "seconds") -> Spread:
    """How many times as fast as the rival, round by round: neighbours share their noise."""
    pairs = zip(rates(reports, clock), rates(rivals, clock), strict=True)
    return spread([own / other for own, other in pairs])
