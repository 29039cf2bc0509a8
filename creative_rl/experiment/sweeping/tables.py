"""A sweep's results as rows: for queries (CSV, and Parquet where pyarrow is), and for people.

results   one row a trial and seed: what it was, how it ended, the last value of every metric
curves    one row a trial, seed and record: every metric on the way

A varied field is in the column `param_FIELD`, with `_` for the dot of `weights.TERM`. `score` is
the task's own metric. Imports no JAX.
"""

import csv
import io
import json
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from creative_rl.atomic import write_bytes
from creative_rl.experiment.records import CLOCKS, read_records
from creative_rl.experiment.sweeping.results import read_result

Row = dict[str, Any]
_FIXED = ("sweep", "task", "environment", "learner", "trial", "seed")


def read_about(out: str | os.PathLike) -> dict[str, Any]:
    """What `sweep.json` says.

    Raises:
      ValueError: the folder is no sweep, or the file is damaged.
    """
    path = pathlib.Path(out, "sweep.json")
    if not path.is_file():
        raise ValueError(f"{out} is no sweep; start one with: creative-rl sweep FILE --out {out}")
    try:
        about = json.loads(path.read_bytes())
        if not isinstance(about, dict) or not {"name", "budget", "tasks"} <= about.keys():
            raise ValueError("it must hold an object with name, budget and tasks")
    except ValueError as error:
        raise ValueError(
            f"cannot read {path} ({error}); remove it and start the sweep again, of which nothing "
            "runs twice"
        ) from error
    return about


def result_rows(out: str | os.PathLike) -> list[Row]:
    """A row for every trial and seed, those without a result among them."""
    about = read_about(out)
    rows = []
    for task, trial in _trials(about):
        found = _result(out, trial["id"])
        history = found.get("history") or [{"final": {}}]
        final = history[-1]["final"]
        status = found["status"]
        if status == "completed" and found["steps"] < task["steps"]:
            status = "stopped"  # by halving, before all its steps
        for index in range(task["seeds"]):
            metrics = {name: values[index] for name, values in final.items()}
            rows.append(
                {
                    **_names(about, task, trial, index),
                    "status": status,
                    "error": found.get("error"),
                    "updates": found.get("num_updates", 0),
                    "steps": found.get("steps", 0),
                    "seconds": found.get("seconds", 0.0),
                    "score": metrics.get(task["metric"]),
                    **metrics,
                }
            )
    return rows


def curve_rows(out: str | os.PathLike) -> Iterator[Row]:
    """A row for every trial, seed and record."""
    about = read_about(out)
    for task, trial in _trials(about):
        for record in read_records(pathlib.Path(out, "trials", trial["id"], "metrics.jsonl")):
            metrics = {name: values for name, values in record.items() if name not in CLOCKS}
            for index in range(task["seeds"]):
                names = _names(about, task, trial, index)
                values = {name: column[index] for name, column in metrics.items()}
                yield {**names, **{name: record[name] for name in CLOCKS}, **values}


def write(out: str | os.PathLike, *, curves: bool = False) -> None:
    """Write the table of results, and that of curves where asked for."""
    out = pathlib.Path(out)
    tables = {"results": result_rows(out)}
    if curves:
        tables["curves"] = list(curve_rows(out))
    for name, rows in tables.items():
        columns = _columns(rows)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        write_bytes(out / f"{name}.csv", text.getvalue().encode())
        _write_parquet(out / f"{name}.parquet", columns)


def label(task: str, point: Mapping[str, Any]) -> str:
    """A trial in words: its task and what was varied."""
    varied = ", ".join(f"{name} {_shown(value)}" for name, value in point.items())
    return f"{task} ({varied})" if varied else task


def counted(num: int, thing: str) -> str:
    """So many of a thing.

    Example:
      >>> counted(1, "trial"), counted(2, "trial")
      ('1 trial', '2 trials')
    """
    return f"{num} {thing}" if num == 1 else f"{num} {thing}s"


def summary(out: str | os.PathLike, most: int = 5) -> str:
    """The best trials of every task, and why others came to nothing, in Markdown."""
    about = read_about(out)
    lines = ["| task | trial | varied | mean | 95 % from | to | seeds | status |"]
    lines.append("|---|---|---|--:|--:|--:|--:|---|")
    for task in about["tasks"]:
        sign = -1 if task["direction"] == "max" else 1
        sound: list[tuple[Any, ...]] = []
        lost: dict[str, list[str]] = {}
        for trial in task["trials"]:
            found = _result(out, trial["id"])
            scores = _scores(found, task)
            mean = sum(scores) / len(scores)
            if math.isnan(mean):
                lost.setdefault(_told(found), []).append(trial["id"])
            else:
                sound.append((sign * mean, scores, trial, found))
        sound.sort(key=lambda entry: entry[0])
        lines += [_line(task, *entry[1:]) for entry in sound[:most]]
        if len(sound) > most:
            lines.append(_cells(task["name"], f"{len(sound) - most} more", *6 * [""]))
        for told, ids in lost.items():
            more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
            lines.append(_cells(task["name"], ids[0] + more, *5 * [""], told))
    return "\n".join(lines)


def _scores(found: Mapping[str, Any], task: Mapping[str, Any]) -> list[float]:
    """The task's metric of every seed, NaN where there is none."""
    history = found.get("history") or [{"final": {}}]
    values = history[-1]["final"].get(task["metric"]) or [None] * task["seeds"]
    return [math.nan if value is None else value for value in values]


def _told(found: Mapping[str, Any]) -> str:
    """How a trial ended, in words."""
    if found.get("error"):
        return f"{found['status']}: {found['error']}"
    num_lost = sum(found.get("diverged", ()))
    return (
        f"{found['status']}, {counted(num_lost, 'seed')} diverged" if num_lost else found["status"]
    )


def _line(
    task: Mapping[str, Any],
    scores: Sequence[float],
    trial: Mapping[str, Any],
    found: Mapping[str, Any],
) -> str:
    from creative_rl.experiment.evaluation import interval

    row = interval("", np.array(scores))
    varied = ", ".join(f"{name} {_shown(value)}" for name, value in trial["point"].items())
    figures = [_shown(figure) for figure in (row.mean, row.low, row.high)]
    return _cells(task["name"], trial["id"], varied, *figures, str(len(scores)), _told(found))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _trials(about: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for task in about["tasks"]:
        yield from ((task, trial) for trial in task["trials"])


def _result(out: str | os.PathLike, id: str) -> dict[str, Any]:
    return read_result(out, id) or {"status": "pending"}


def _names(
    about: Mapping[str, Any], task: Mapping[str, Any], trial: Mapping[str, Any], index: int
) -> Row:
    """What tells a row from others."""
    fixed = (
        about["name"], task["name"], task["environment"], task["learner"], trial["id"],
        task["seed"] + index,
    )  # fmt: skip
    varied = {
        f"param_{name.replace('.', '_')}": json.dumps(value) if isinstance(value, list) else value
        for name, value in trial["point"].items()
    }
    return {**dict(zip(_FIXED, fixed, strict=True)), **varied}


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows as columns, each of one type: whole, number, truth value or text, with None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _of_one_type([row.get(name) for row in rows]) for name in names}


def _of_one_type(column: list[Any]) -> list[Any]:
    kinds = {type(value) for value in column if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in column]
    if len(kinds) <= 1:
        return column
    return [None if value is None else str(value) for value in column]


def _write_parquet(path: pathlib.Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """Where pyarrow is installed; CSV is there always."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    buffer = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(dict(columns)), buffer)
    write_bytes(path, buffer.getvalue().to_pybytes())


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
