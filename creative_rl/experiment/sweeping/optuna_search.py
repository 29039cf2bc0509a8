"""Optuna asks what to run next, and is told what came of it; the rest is as in any sweep.

Its journal lies in the sweep's folder, with a study for every task, so that a search that was
stopped goes on: points that it had asked for are trained first.
"""

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

from creative_rl.experiment.sweeping import trials
from creative_rl.experiment.sweeping.file import Search, Task
from creative_rl.experiment.sweeping.trials import Trial
from creative_rl.experiment.sweeping.values import Range
from creative_rl.experiment.sweeping.workers import Worker

if TYPE_CHECKING:
    from creative_rl.experiment.sweeping.driver import Sweep


def search_with_optuna(sweep: "Sweep", worker: Worker) -> int | None:
    """Ask for points, batch by batch, until every task has its number of trials.

    Returns:
      The number of the signal that stopped it, or None.

    Raises:
      ImportError: Optuna is not installed.
    """
    search = sweep.file.search
    studies = {task.name: _study(sweep, task) for task in sweep.file.tasks}
    while True:
        asked: list[tuple[Any, Any, Trial]] = []
        for task in sweep.file.tasks:
            study = studies[task.name]
            asked += [(study, *one) for one in _ask(study, task, search)]
        if not asked:
            return None
        chosen = list({trial.id: trial for _, _, trial in asked}.values())
        signal = sweep.train(chosen, (0, 1, 1), worker)
        if signal is not None:
            return signal
        for study, number, trial in asked:
            _tell(study, number, sweep.score(trial))


def _ask(study: Any, task: Task, search: Search) -> list[tuple[int, Trial]]:
    """The next points with their numbers: those that were asked for before, or a batch of new."""
    import optuna

    known = study.get_trials(deepcopy=False)
    waiting = [t for t in known if t.state == optuna.trial.TrialState.RUNNING]
    asked = [
        (t.number, t.params) for t in waiting if set(t.params) == set(task.space)
    ]  # a kill may have come between the values of a point
    for broken in (t for t in waiting if set(t.params) != set(task.space)):
        study.tell(broken.number, state=optuna.trial.TrialState.FAIL)
    if not asked:
        num_left = (search.num_trials or 0) - len(known)
        for _ in range(min(search.batch, num_left)):
            trial = study.ask()
            for name, choice in task.space.items():
                _suggest(trial, name, choice)
            asked.append((trial.number, trial.params))
    return [(number, trials.make(task, _point(task, params))) for number, params in asked]


def _tell(study: Any, number: int, score: float) -> None:
    import optuna

    if math.isfinite(score):
        study.tell(number, score)
    else:
        study.tell(number, state=optuna.trial.TrialState.FAIL)


def _study(sweep: "Sweep", task: Task) -> Any:
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise ImportError(
            "search = 'optuna' needs Optuna: pip install 'creative_rl[sweep]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(sweep.out / "optuna.log")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        is_max = task.direction == "max"
        study = optuna.create_study(
            storage=storage,
            study_name=task.name,
            direction="maximize" if is_max else "minimize",
            load_if_exists=True,
        )
        # A search that goes on must not draw again what it began with.
        seed = sweep.file.search.seed + len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return study


def _suggest(trial: Any, name: str, choice: tuple[Any, ...] | Range) -> None:
    if isinstance(choice, tuple):
        trial.suggest_categorical(name, [_category(value) for value in choice])
    elif choice.is_whole:
        trial.suggest_int(name, choice.low, choice.high, log=choice.log)
    else:
        trial.suggest_float(name, choice.low, choice.high, log=choice.log)


def _point(task: Task, params: dict[str, Any]) -> dict[str, Any]:
    """A point of Optuna's, with the values that its categories stand for."""
    point = {}
    for name, choice in task.space.items():
        value = params[name]
        if isinstance(choice, tuple):
            value = next(item for item in choice if _category(item) == value)
        point[name] = value
    return point


def _category(value: Any) -> Any:
    """Optuna's categories are single values: a list is its JSON."""
    return json.dumps(value) if isinstance(value, tuple) else value
