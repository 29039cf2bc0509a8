"""A group's training, from its start or its checkpoint to the folders of its trials.

groups/<id>/        the group while it trains: metrics.jsonl, checkpoints/
trials/<id>/        a run directory for `creative-rl resume`, `create`, `evaluate`, `report`
trials/<id>/result.json   what came of it; written last, so a trial that has it is whole
"""

import contextlib
import fcntl
import json
import pathlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.atomic import write_bytes, write_json
from creative_rl.experiment import checkpoint, sweeps
from creative_rl.experiment.records import Record, read_records
from creative_rl.experiment.run import describe
from creative_rl.experiment.sweeping.groups import Built, Job, build, state_shapes
from creative_rl.experiment.sweeping.results import RESULT, finals, read_result
from creative_rl.experiment.sweeping.trials import one_line
from creative_rl.experiment.training import DivergedError, TrainResult, train
from creative_rl.typing import PyTree

ENDED = ("finished", "diverged", "refused")
"""Of a trial that would not go on with more steps."""


def run(job: Job, built: Built | None = None, *, progress: bool = False) -> int | None:
    """Train a group, or go on with it where its newest checkpoint is, and write its trials.

    Whatever goes wrong is told in the trials' results, not raised.

    Returns:
      The signal's number where one came; then the group is saved, and its trials are not written.
    """
    folder = pathlib.Path(job.out, "groups", job.id)
    with _alone(folder):
        if all(_is_done(read_result(job.out, id), job.last_update) for id in job.ids):
            return None  # by another worker, while this one waited for it
        try:
            signal = _train(job, built or build(job.specs, job.fields), folder, progress)
        except DivergedError as error:
            signal = None
            end_all(job, "diverged", one_line(error))
        except Exception as error:
            end_all(job, "failed", one_line(error))
            return None
        if signal is None:
            shutil.rmtree(folder, ignore_errors=True)
        return signal


def end_all(job: Job, status: str, error: str) -> None:
    """As `end`, for every trial of a group."""
    for id in job.ids:
        end(job.out, job.task, id, status, error)


def end(out: str | pathlib.Path, task: str, id: str, status: str, error: str) -> None:
    """Write how a trial ended without a result; what it reached before stays."""
    before = read_result(out, id) or {"num_updates": 0, "steps": 0, "seconds": 0.0, "history": []}
    folder = _trial(out, id)
    folder.mkdir(parents=True, exist_ok=True)
    ended = {"id": id, "task": task, "status": status, "error": error}
    write_json(folder / RESULT, {**before, **ended})


def _train(job: Job, built: Built, folder: pathlib.Path, progress: bool) -> int | None:
    """Train the group and write its trials, or return the signal that came."""
    result = train(
        built.learner,
        built.keys,
        job.last_update - job.first_update,
        out=folder,
        state=_states(job, built) if job.first_update else built.start,
        resume=True,
        keep_checkpoints=1,
        loggers=[],
        progress=progress,
    )
    if result.status != "interrupted":
        _write_trials(job, built, result, read_records(folder / "metrics.jsonl"))
    return result.signal


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Wait until no other worker is at the group: one whose driver was killed still saves it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_done(result: Mapping[str, Any] | None, last_update: int) -> bool:
    if result is None or result["status"] == "failed":
        return False
    return result["num_updates"] >= last_update or result["status"] in ENDED


def _trial(out: str | pathlib.Path, id: str) -> pathlib.Path:
    return pathlib.Path(out, "trials", id)


def _states(job: Job, built: Built) -> PyTree:
    """The members' states, from the checkpoints of their trials."""
    shapes = state_shapes(built)
    num_seeds = len(built.keys) // len(job.ids)
    template = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct((num_seeds, *leaf.shape[1:]), leaf.dtype), shapes.inner
    )
    restored = [
        checkpoint.restore(_trial(job.out, id) / "checkpoints", template, job.first_update)[0]
        for id in job.ids
    ]
    inner = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *restored)
    values = jax.jit(lambda keys: built.start(keys).values)(built.keys)
    states = sweeps.SweepState(values, inner, jnp.zeros(len(built.keys), bool))
    return states.replace(diverged=jnp.asarray(sweeps.lost(states)))


@jax.jit
def _member(states: PyTree, index: jax.Array) -> PyTree:
    """One trial's states of all trials': the index is an argument, so all share a program."""
    return jax.tree.map(lambda leaf: leaf[index], states)


def _write_trials(job: Job, built: Built, result: TrainResult, records: list[Record]) -> None:
    """Every trial's folder, of the group's state and records."""
    num = len(job.ids)
    num_seeds = len(built.keys) // num
    diverged = sweeps.lost(result.state).reshape(num, num_seeds)
    states = jax.tree.map(
        lambda leaf: leaf.reshape(num, num_seeds, *leaf.shape[1:]), result.state.inner
    )
    update = job.first_update + result.num_updates
    about = describe(built.specs[0], built.version)
    for index, (id, spec) in enumerate(zip(job.ids, built.specs, strict=True)):
        folder = _trial(job.out, id)
        if not job.first_update:
            shutil.rmtree(folder, ignore_errors=True)  # what a kill has left half written
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", {**about, "spec": spec.to_dict(), "hash": spec.hash})
        own = slice(index * num_seeds, (index + 1) * num_seeds)
        rows = _records(job, built, folder / "metrics.jsonl", records, own)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        write_bytes(folder / "metrics.jsonl", lines.encode())
        checkpoint.discard_after(folder / "checkpoints", job.first_update)
        if not diverged[index].all():
            with checkpoint.CheckpointWriter(folder / "checkpoints", keep=2) as writer:
                writer.save(_member(states, jnp.int32(index)), update, spares_members=True)
        is_whole = update >= spec.num_updates or result.status == "finished"
        status = result.status if is_whole else "interrupted"
        write_json(folder / "status.json", {"status": status, "num_updates": update})
        write_json(folder / RESULT, _result(job, built, result, id, rows, diverged[index]))


def _result(
    job: Job,
    built: Built,
    result: TrainResult,
    id: str,
    rows: Sequence[Record],
    diverged: np.ndarray,
) -> dict[str, Any]:
    """What `result.json` holds; `history` has an entry for every stretch of training."""
    history = (read_result(job.out, id) or {"history": []})["history"]
    update = job.first_update + result.num_updates
    reached = {
        "num_updates": update,
        "steps": update * built.learner.steps_per_update,
        "final": finals(rows, diverged),
    }
    is_lost = bool(diverged.all())
    return {
        "id": id,
        "task": job.task,
        "status": "diverged" if is_lost else result.status,
        "error": "no seed stayed finite" if is_lost else None,
        "num_updates": update,
        "steps": reached["steps"],
        "seconds": rows[-1]["seconds"] if rows else 0.0,
        "diverged": diverged.tolist(),
        "history": [h for h in history if h["num_updates"] <= job.first_update] + [reached],
    }


def _records(
    job: Job, built: Built, path: pathlib.Path, records: Sequence[Record], own: slice
) -> list[Record]:
    """A trial's records: those of earlier stretches, and its part of the group's."""
    rows = [row for row in read_records(path) if row["update"] <= job.first_update]
    before = rows[-1]["seconds"] if rows else 0.0
    share = 1 / len(job.ids)
    for record in records:
        update = record["update"] + job.first_update
        row: Record = {
            "update": update,
            "steps": update * built.learner.steps_per_update,
            "seconds": round(before + share * record["seconds"], 3),
        }
        metrics = {name: values[own] for name, values in record.items() if name not in row}
        row |= {n: values for n, values in metrics.items() if any(v is not None for v in values)}
        rows.append(row)
    return rows
