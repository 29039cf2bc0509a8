"""Training in a run directory: start one, or go on with one."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from creative_rl.atomic import write_json
from creative_rl.experiment import checkpoint, hosts, memory
from creative_rl.experiment.assembly import build, seed_keys
from creative_rl.experiment.devices import place
from creative_rl.experiment.lock import lock
from creative_rl.experiment.opening import open_run
from creative_rl.experiment.preparation import prepare
from creative_rl.experiment.run import Run, describe
from creative_rl.experiment.spec import RunSpec
from creative_rl.experiment.sweeping import results
from creative_rl.experiment.training import DivergedError, TrainResult, train
from creative_rl.typing import Learner


def start(
    spec: RunSpec,
    out: str | os.PathLike | None = None,
    *,
    total_steps: int | None = None,
    given: Iterable[str] = (),
    **options: Any,
) -> tuple[Run, TrainResult]:
    """Make a run directory and train in it.

    Args:
      spec: what to run.
      out: the directory; None for `runs/<environment>-<learner>-<time>-<hash>`.
      total_steps: environment steps of a seed, rounded up to whole updates, in place of
        `spec.num_updates`.
      given: fields of the config that must be taken as they are (see `prepare`).
      **options: for `train`.

    Raises:
      ValueError, DivergedError: as from `prepare`, `build`, `devices.place`, `memory.check`,
        `Run.create` and `train`.
    """
    spec, materials = prepare(spec, given)
    env, learner = build(spec, materials)
    if total_steps is not None:
        spec = dataclasses.replace(spec, num_updates=whole_updates(learner, total_steps))
    copies = checkpoint.num_copies()
    placement = place(learner, spec.num_seeds, options.get("devices"))
    memory.check(learner, spec.num_seeds, num_copies=copies, placement=placement)
    made = hosts.by_first(lambda: Run.create(spec, env.version, out))
    path = hosts.tell("" if made is None else str(made.path))
    run = made or Run(pathlib.Path(path), describe(spec, env.version))
    return run, _train(run, learner, **options)


def resume(
    path: str | os.PathLike, *, total_steps: int | None = None, **options: Any
) -> tuple[Run, TrainResult | None]:
    """Go on with a run where its newest checkpoint is.

    Args:
      path: the run directory.
      total_steps: a new total of environment steps of a seed; None for the run's own.
      **options: for `train`.

    Returns:
      The run, and None in place of a result where nothing was left to do.

    Raises:
      ValueError: as from `open_run`; fewer steps are asked for than are done, or others than a
        sweep has for its trial.
    """
    run, _, learner = open_run(path)
    latest = checkpoint.latest_update(run.checkpoints)
    if latest is None and (run.path / "metrics.jsonl").is_file():
        raise ValueError(
            f"{path} has metrics but no checkpoint to go on from; start a new run in another --out"
        )
    num_done = latest or 0
    if total_steps is not None:
        num_updates = whole_updates(learner, total_steps)
        if num_updates < num_done:
            raise ValueError(
                f"{path} has {num_done * learner.steps_per_update} steps already, got "
                f"--steps {total_steps}; give more, or leave it out"
            )
        whole = run.spec.num_updates
        if num_updates != whole and results.is_trial(run.path):
            raise ValueError(
                f"{path} is a trial of a sweep, whose file says {whole * learner.steps_per_update} "
                f"steps for all of them, got --steps {total_steps}; change the file and run the "
                "sweep again, or go on with a copy of the folder elsewhere"
            )
        run = hosts.by_first(lambda: _extend(run, num_updates)) or Run.open(path)
    if run.status.get("status") == "finished" or num_done >= run.spec.num_updates:
        return run, None
    return run, _train(run, learner, resume=True, **options)


def whole_updates(learner: Learner, total_steps: int) -> int:
    """Updates that make at least `total_steps` steps."""
    if total_steps < 1:
        raise ValueError(f"steps must be at least 1, got {total_steps}")
    return -(-total_steps // learner.steps_per_update)


def _extend(run: Run, num_updates: int) -> Run:
    with lock(run.path):
        return run.extended(num_updates)


def _train(run: Run, learner: Learner, **options: Any) -> TrainResult:
    """Train, and note in `status.json` how it ended; of a trial of a sweep also in its result."""
    spec = run.spec
    # That of the process before goes: one that is killed leaves none.
    (run.path / "status.json").unlink(missing_ok=True)
    try:
        result = train(learner, seed_keys(spec), spec.num_updates, out=run.path, **options)
    except DivergedError as error:
        _note(run, "diverged", error.checkpoint or 0, str(error))
        raise
    _note(run, result.status, result.num_updates)
    return result


def _note(run: Run, status: str, num_updates: int, error: str | None = None) -> None:
    if not hosts.is_first():
        return
    write_json(run.path / "status.json", {"status": status, "num_updates": num_updates})
    if results.is_trial(run.path):
        results.rewrite(run.path, run.spec.num_seeds or 1, status, error)
