"""The metrics of a training run on their way from the device to the logs.

A metric that is infinite or NaN ends the run. Learners that train side by side may say in the
metric `diverged` which of them are lost: the run goes on until all are.
"""

import time
from collections.abc import Sequence

import jax
import numpy as np

from creative_rl.experiment.log import Logger
from creative_rl.experiment.progress import Progress
from creative_rl.experiment.records import Record, RecordBuilder
from creative_rl.typing import Array

Metrics = dict[str, np.ndarray]


class NotFiniteError(ArithmeticError):
    """A metric is infinite or NaN in an update, counted from 1."""

    def __init__(self, update: int, name: str):
        super().__init__(f"{name} is not finite in update {update}")
        self.update, self.name = update, name


class Recorder:
    """Checks, keeps, logs and shows the metrics of one call after the other.

    Attributes:
      num_done: updates taken in, those before this run included.
      spares_members: whether metrics tell which of the learners have diverged.
    """

    def __init__(
        self,
        builder: RecordBuilder,
        loggers: Sequence[Logger],
        progress: Progress,
        seconds: float = 0.0,
    ):
        self._builder = builder
        self._loggers = loggers
        self._progress = progress
        self._start = time.monotonic() - seconds
        self._parts: list[Metrics] = []
        self.num_done = builder.num_done
        self.spares_members = False

    def add(self, metrics: dict[str, Array], count: int) -> bool:
        """Wait for the first `count` rows of a call's metrics and take them in.

        Returns:
          Whether the learner has finished; what came after that is left out.

        Raises:
          NotFiniteError: the updates before it have been taken in.
        """
        part = {name: rows[:count] for name, rows in jax.device_get(metrics).items()}
        bad = _first_not_finite(part)
        end = _first_finished(part)
        if bad is not None and (end is None or bad[0] < end):
            self._take({name: rows[: bad[0]] for name, rows in part.items()})
            raise NotFiniteError(self.num_done + 1, bad[1])
        self._take({name: rows[:end] for name, rows in part.items()})
        return end is not None

    def flush(self) -> None:
        """Write what waits for the end of its window."""
        self._write(self._builder.flush(self._seconds))

    @property
    def window(self) -> int:
        """Updates that one record sums up."""
        return self._builder.window

    def metrics(self) -> Metrics:
        """Of all updates taken in, leaves [updates(, seeds)]; empty where there were none."""
        if not self._parts:
            return {}
        return {
            name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]
        }

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._start

    def _take(self, part: Metrics) -> None:
        count = len(next(iter(part.values())))
        if not count:
            return
        self._parts.append(part)
        self.spares_members = "diverged" in part
        self.num_done += count
        records = self._builder.add(part, self._seconds)
        self._write(records)
        self._progress.update(self.num_done, records[-1] if records else {})

    def _write(self, records: Sequence[Record]) -> None:
        if records:
            for logger in self._loggers:
                logger.write(records)


def _first_not_finite(part: Metrics) -> tuple[int, str] | None:
    """Row and name of the first metric that is infinite or NaN in a member that is not lost."""
    lost = part.get("diverged", np.zeros(1, bool))
    lost = lost & ~lost.reshape(len(lost), -1).all(1).reshape(-1, *(1,) * (lost.ndim - 1))
    found = []
    for name, rows in part.items():
        if np.issubdtype(rows.dtype, np.floating):
            sound = (np.isfinite(rows) | lost).reshape(len(rows), -1).all(1)
            if not sound.all():
                found.append((int(sound.argmin()), name))
    return min(found, default=None)


def _first_finished(part: Metrics) -> int | None:
    """Updates up to the one after which the learner, with all its seeds, has finished."""
    if "finished" not in part:
        return None
    finished = part["finished"].reshape(len(part["finished"]), -1).all(1)
    return int(finished.argmax()) + 1 if finished.any() else None
