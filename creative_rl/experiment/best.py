"""Which checkpoint is the best, by the records up to it."""

import os
from collections.abc import Sequence

import numpy as np

from creative_rl.experiment.records import Record, mean, read_records

MEASURES = (
    ("qd_score", 1),
    ("episode_return", 1),
    ("best_held_out_nll", -1),
    ("held_out_nll", -1),
    ("nll", -1),
    ("loss", -1),
)
"""Metrics that tell how good a learner is, and whether more or less of them is better: the first
that it has counts. Losses of a game, such as a GAN's, tell nothing."""
WINDOW = 10
"""Records whose mean a score is: single updates are noisy."""


class Scores:
    """A receiver of records that scores their checkpoints; higher is better.

    The score of an update is the mean of the metric over the last `WINDOW` records up to it that
    have it (see `records.mean`), over all seeds.

    Attributes:
      metric: what counts; None where no record has such a metric.
    """

    def __init__(self, records: Sequence[Record] = ()):
        self.metric: str | None = None
        self._sign = 1
        self._last = 0
        self._found: list[tuple[Record, int]] = []
        self.write(records)

    def write(self, records: Sequence[Record]) -> None:
        """Take in records, newer than those before."""
        for record in records:
            if self.metric is None:
                self.metric, self._sign = _measure(record)
            if self.metric is not None and record.get(self.metric) is not None:
                self._found.append((record, record["update"] - self._last))
            self._last = record["update"]

    def close(self) -> None:
        """Nothing is open."""

    def score(self, update: int) -> float | None:
        """How good the learner was then; None where nothing was known of it."""
        rows = [row for row in self._found if row[0]["update"] <= update][-WINDOW:]
        means = mean(rows, self.metric or "")
        means = means[np.isfinite(means)]
        return self._sign * float(means.mean()) if means.size else None


def read_scores(path: str | os.PathLike) -> Scores:
    """Of a `metrics.jsonl`.

    Raises:
      ValueError: it is damaged.
    """
    return Scores(read_records(path))


def _measure(record: Record) -> tuple[str | None, int]:
    """The first of the measures that the learner has: an `episode_return` is absent from records in
    which no episode ended, but they count them."""
    has = {*record, *(["episode_return"] if "num_episodes" in record else [])}
    return next(((name, sign) for name, sign in MEASURES if name in has), (None, 1))
