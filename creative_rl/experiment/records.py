"""The records of a run: what one line of `metrics.jsonl` holds.

    {"update": 200, "steps": 409600, "seconds": 3.21, "episode_return": 12.5, "loss": 0.031, ...}

`update` counts updates from 1, `steps` environment steps of one seed, `seconds` the time spent
training. A metric is a number, or a list with one number per seed (null where a seed has none). A
run has at most about `MAX_RECORDS` records: where there are more updates, each record sums up a
window of updates that ends with `update`, with `num_episodes` added up, `episode_*` averaged over
episodes (absent where none ended) and everything else averaged over updates.
"""

import json
import os
import pathlib
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from creative_rl.atomic import write_bytes

MAX_RECORDS = 2000
CLOCKS = ("update", "steps", "seconds")
"""What a record has besides metrics."""

Record = dict[str, Any]


class RecordBuilder:
    """Turns per-update metrics into records.

    Args:
      num_updates: updates in the whole run, which sets the window.
      steps_per_update: environment steps of one seed in one update.
      first_update: updates done before.
    """

    def __init__(self, num_updates: int, steps_per_update: int, first_update: int = 0):
        self.window = -(-num_updates // MAX_RECORDS)
        self._steps_per_update = steps_per_update
        self.num_done = first_update
        self._waiting: list[Mapping[str, np.ndarray]] = []
        self._num_waiting = 0

    def add(self, metrics: Mapping[str, np.ndarray], seconds: float) -> list[Record]:
        """Take in the next updates, leaves [num(, seeds)]; returns the windows they complete."""
        self._waiting.append(metrics)
        self._num_waiting += len(next(iter(metrics.values())))
        return self._take(seconds, whole_windows=True)

    def flush(self, seconds: float) -> list[Record]:
        """The updates that wait for the end of their window, before a checkpoint or the end."""
        return self._take(seconds, whole_windows=False)

    def _take(self, seconds: float, whole_windows: bool) -> list[Record]:
        last = self.num_done + self._num_waiting
        ends = list(range(self.window * (self.num_done // self.window + 1), last + 1, self.window))
        if not whole_windows and self._num_waiting and ends[-1:] != [last]:
            ends.append(last)
        if not ends:
            return []
        merged = {
            name: np.concatenate([part[name] for part in self._waiting])
            for name in self._waiting[0]
        }
        starts = [start - self.num_done for start in [self.num_done, *ends[:-1]]]
        taken = ends[-1] - self.num_done
        whole = {name: values[:taken] for name, values in merged.items()}
        records = [
            {
                "update": end,
                "steps": end * self._steps_per_update,
                "seconds": round(seconds, 3),
                **summary,
            }
            for end, summary in zip(ends, summarise(whole, starts), strict=True)
        ]
        self.num_done = ends[-1]
        self._num_waiting = last - self.num_done
        rest = {name: values[taken:] for name, values in merged.items()}
        self._waiting = [rest] if self._num_waiting else []
        return records


def summarise(metrics: Mapping[str, np.ndarray], starts: Sequence[int]) -> list[Record]:
    """One number (or list of one per seed) for each metric and window.

    Args:
      metrics: leaves [num(, seeds)].
      starts: rows where the windows begin, the first being 0; each ends where the next begins.
    """
    lengths = np.diff([*starts, len(next(iter(metrics.values())))])
    has_episodes = "num_episodes" in metrics
    episodes = metrics.get("num_episodes", np.zeros(0, np.int32))
    totals = np.add.reduceat(episodes, starts) if has_episodes else episodes
    summaries: list[Record] = [{} for _ in starts]
    for name, values in metrics.items():
        if name == "num_episodes":
            column = totals.tolist()
        elif is_over_episodes(name, metrics):
            sums = np.add.reduceat(values.astype(np.float64) * episodes, starts)
            means = np.where(totals > 0, sums / np.maximum(totals, 1), np.nan)
            column = [_seven_digits(row) for row in means.tolist()]
        elif values.dtype != bool:
            sums = np.add.reduceat(values.astype(np.float64), starts)
            means = sums / lengths.reshape(-1, *(1,) * (values.ndim - 1))
            column = [_seven_digits(row) for row in means.tolist()]
        else:
            continue
        for summary, value in zip(summaries, column, strict=True):
            if not _is_missing(value):
                summary[name] = value
    return summaries


def is_over_episodes(name: str, has: Container[str]) -> bool:
    """Whether means of a metric are over episodes, which are counted, and not over updates."""
    return name.startswith("episode_") and "num_episodes" in has


def _seven_digits(value: float | list) -> Any:
    """Floats with the digits that float32 has; None for NaN."""
    if isinstance(value, list):
        return [_seven_digits(item) for item in value]
    return float(f"{value:.7g}") if value == value else None


def _is_missing(value: Any) -> bool:
    """Whether there is no number, for no seed."""
    return all(map(_is_missing, value)) if isinstance(value, list) else value is None


def read_records(path: str | os.PathLike) -> list[Record]:
    """The records of a `metrics.jsonl`; a last line cut off by a kill is left out.

    Raises:
      ValueError: a line before it is damaged; the message names it.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    return list(_whole_records(path))


def final(records: Sequence[Record], share: float = 0.1) -> dict[str, list[float]]:
    """Each metric's mean over the last part of a run, one number a seed; NaN where there is none.

    Means over episodes are taken over episodes, all others over updates.

    Args:
      records: of a run, from its first on.
      share: of its updates that count, from the end.

    Example:
      >>> records = [{"update": n, "steps": n, "seconds": 0.0, "loss": n} for n in range(1, 21)]
      >>> final(records)
      {'loss': [19.5]}
    """
    updates = [0, *(record["update"] for record in records)]
    first = updates[-1] * (1 - share)
    rows = [
        (record, record["update"] - before)
        for record, before in zip(records, updates, strict=False)
        if record["update"] > first
    ]
    names = dict.fromkeys(name for record, _ in rows for name in record if name not in CLOCKS)
    return {name: mean(rows, name).tolist() for name in names}


def mean(rows: Sequence[tuple[Record, int]], name: str) -> np.ndarray:
    """float64[seeds]: one metric over those records that have it; NaN where no number is.

    Args:
      rows: records, and how many updates each sums up.
      name: of a metric that one of them has at least; over episodes where they are counted.
    """
    kept = [(record, length) for record, length in rows if record.get(name) is not None]
    values = np.array([numbers(record[name]) for record, _ in kept])
    weights = np.array([[float(length)] for _, length in kept])
    if all(is_over_episodes(name, record) for record, _ in kept):
        weights = np.array([numbers(record["num_episodes"]) for record, _ in kept])
    return weighted_mean(values, weights)


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """float64: the mean over the first axis of what is finite; NaN where that has no weight.

    Example:
      >>> weighted_mean(np.array([[1.0, 2.0], [4.0, np.nan]]), np.array([[1], [2]]))
      array([3., 2.])
    """
    values = np.asarray(values, np.float64)
    weights = np.where(np.isfinite(values), weights, 0.0)
    total = weights.sum(axis=0)
    sums = (np.where(weights > 0, values, 0.0) * weights).sum(axis=0)
    return np.divide(sums, total, out=np.full_like(total, np.nan), where=total > 0)


def numbers(value: Any) -> list[float]:
    """Those of all seeds, of whatever nesting; NaN where there is none."""
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [float("nan") if value is None else float(value)]


def truncate(path: str | os.PathLike, update: int) -> list[Record]:
    """Drop the records after `update`, so that a resumed run writes no update twice.

    What a process that was killed here left behind goes too.

    Returns:
      The records kept.
    """
    path = pathlib.Path(path)
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        left.unlink()
    records = [record for record in read_records(path) if record["update"] <= update]
    if path.exists():
        write_bytes(path, "".join(json.dumps(record) + "\n" for record in records).encode())
    return records


def _whole_records(path: pathlib.Path) -> Iterator[Record]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is cut
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("it must be an object")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"cannot read {path}, line {number}: {error}; remove it") from error
        yield record
