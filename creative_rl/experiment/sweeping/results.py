"""What came of a trial: `trials/<id>/result.json` in a sweep's folder. Imports no JAX."""

import json
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from creative_rl.atomic import write_json
from creative_rl.experiment.records import Record, final, read_records

RESULT = "result.json"


def read_result(out: str | os.PathLike, id: str) -> dict[str, Any] | None:
    """What came of a trial; None where it has not ended.

    Args:
      out: folder of the sweep.
      id: of the trial.

    Raises:
      ValueError: the file is damaged; the message names it.
    """
    return _read(pathlib.Path(out, "trials", id, RESULT))


def is_trial(folder: pathlib.Path) -> bool:
    """Whether a run is a trial of a sweep, where the sweep has it and with a result."""
    folder = folder.resolve()
    is_inside = folder.parent.name == "trials" and (folder.parents[1] / "sweep.json").is_file()
    return is_inside and (folder / RESULT).is_file()


def rewrite(folder: pathlib.Path, num_seeds: int, status: str, error: str | None) -> None:
    """Tell anew what came of a trial that went on without its sweep, by its curves.

    Args:
      folder: of the trial, which has a result.
      num_seeds: of the trial.
      status: how it ended.
      error: why, where it did not end well.

    Raises:
      ValueError: the result or the curves are damaged; the message names the file.
    """
    found = _read(folder / RESULT) or {"history": []}
    rows = read_records(folder / "metrics.jsonl")
    if not rows:
        return
    diverged = np.full(num_seeds, status == "diverged")
    reached = {"num_updates": rows[-1]["update"], "steps": rows[-1]["steps"]}
    before = [entry for entry in found["history"] if entry["steps"] < reached["steps"]]
    written = {
        **found,
        **reached,
        "status": status,
        "error": error,
        "seconds": rows[-1]["seconds"],
        "diverged": diverged.tolist(),
        "history": [*before, {**reached, "final": finals(rows, diverged)}],
    }
    write_json(folder / RESULT, written)


def finals(rows: Sequence[Record], diverged: np.ndarray) -> dict[str, list[float | None]]:
    """The last values of each seed, None where it diverged, bool[seeds]."""
    return {
        name: [
            None if is_lost or math.isnan(value) else value
            for value, is_lost in zip(values, diverged, strict=True)
        ]
        for name, values in final(rows).items()
    }


def _read(path: pathlib.Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or not {"status", "history"} <= found.keys():
            raise ValueError("it must hold an object with status and history")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"cannot read {path} ({error}); remove it") from error
    return found
