"""Where records go: JSON lines as the source of truth, TensorBoard, Weights & Biases."""

import json
import logging
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

_log = logging.getLogger(__name__)

if TYPE_CHECKING:  # it brings NumPy, which a command line does without
    from creative_rl.experiment.records import Record


class Logger(Protocol):
    """A receiver of records."""

    def write(self, records: "Sequence[Record]") -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """Appends records to a file, one a line, whole when `write` returns.

    Raises:
      RuntimeError: they cannot be written; the file is as it was before.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = pathlib.Path(path)

    def write(self, records: "Sequence[Record]") -> None:
        size = None
        try:
            with self._path.open("ab", buffering=0) as file:
                size, data = file.tell(), "".join(json.dumps(r) + "\n" for r in records).encode()
                while data:
                    data = data[file.write(data) :]
        except OSError as error:
            if size is not None:
                os.truncate(self._path, size)
            raise RuntimeError(
                f"cannot write {self._path} ({error.strerror}); put that right, then resume the run"
            ) from error

    def close(self) -> None:
        """Nothing is open between writes."""


class TensorBoard:
    """Writes records as TensorBoard scalars, one event a record; seeds as `metric/seed-0`, ..."""

    def __init__(self, folder: str | os.PathLike, first_update: int = 0):
        try:
            from tensorboardX import SummaryWriter
            from tensorboardX.proto.summary_pb2 import Summary
        except ImportError as error:
            raise ImportError(
                "TensorBoard events need tensorboardX: pip install 'creative_rl[log]'"
            ) from error
        self._summary = Summary
        # A short queue would make training wait for the thread that writes.
        self._writer = SummaryWriter(
            str(folder), purge_step=first_update + 1, max_queue=10_000, flush_secs=10
        )

    def write(self, records: "Sequence[Record]") -> None:
        for record in records:
            scalars = flat_scalars(record)
            values = [
                self._summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()
            ]
            # One event for all: a call a scalar costs more than many an update.
            self._writer.file_writer.add_summary(self._summary(value=values), record["update"])

    def close(self) -> None:
        try:
            self._writer.close()
        except OSError as error:  # `metrics.jsonl` has all of it
            _log.warning("TensorBoard events are not complete: %s", error.strerror)
            self._writer.file_writer.event_writer._closed = True  # it would try again at exit


class WeightsAndBiases:
    """Writes records to Weights & Biases; `WANDB_MODE=offline` keeps them in the run's folder."""

    def __init__(self, folder: str | os.PathLike):
        try:
            import wandb
        except ImportError as error:
            raise ImportError(
                "--log wandb needs Weights & Biases: pip install 'creative_rl[wandb]'"
            ) from error
        folder = pathlib.Path(folder)
        self._run = wandb.init(
            project="creative_rl", name=folder.name, id=folder.name, dir=folder, resume="allow"
        )

    def write(self, records: "Sequence[Record]") -> None:
        for record in records:
            self._run.log(flat_scalars(record), step=record["update"])

    def close(self) -> None:
        self._run.finish()


def flat_scalars(record: "Record") -> dict[str, float]:
    """A record as single numbers, one a seed, without what is missing."""
    scalars: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, list):
            scalars.update({f"{name}/seed-{i}": v for i, v in enumerate(value) if v is not None})
        elif name != "update":
            scalars[name] = value
    return scalars


LOGGERS: dict[str, Callable[[pathlib.Path, int], Logger]] = {
    "tensorboard": lambda out, first_update: TensorBoard(out / "tensorboard", first_update),
    "wandb": lambda out, first_update: WeightsAndBiases(out),
}
"""By name, each from the run's folder and the updates before."""


def open_loggers(
    out: pathlib.Path, names: Sequence[str] | None, first_update: int = 0
) -> list[Logger]:
    """`JsonLines`, and the named ones; None for TensorBoard where it is installed.

    Raises:
      ValueError: an unknown name.
      ImportError: a named logger's package is not installed.
    """
    if unknown := [name for name in names or () if name not in LOGGERS]:
        raise ValueError(f"unknown logger {unknown[0]!r}; known: {', '.join(LOGGERS)}")
    if names is None:
        try:
            extra: list[Logger] = [LOGGERS["tensorboard"](out, first_update)]
        except ImportError:
            extra = []
    else:
        extra = [LOGGERS[name](out, first_update) for name in names]
    return [JsonLines(out / "metrics.jsonl"), *extra]
