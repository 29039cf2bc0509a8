"""Trials: the points of a task's space, and the run that each of them is.

A trial's id is a hash of all that it is made of, so that it is found again wherever it is asked
for, by whatever file.
"""

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from creative_rl import registry
from creative_rl.experiment import assembly
from creative_rl.experiment.spec import RunSpec, config_from_dict
from creative_rl.experiment.sweeping.file import Search, Task
from creative_rl.experiment.sweeping.values import Range
from creative_rl.registry import unknown_name

Point = Mapping[str, Any]
"""A value by the dotted name of what is varied."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """A point of a task, as a run.

    Attributes:
      id: 12 hexadecimal digits.
      spec: the run but for `num_updates`; None where the point cannot be one.
      error: why, in one line.
    """

    id: str
    task: Task
    point: Point
    spec: RunSpec | None = None
    error: str | None = None


def check(task: Task) -> None:
    """Refuse names that the environment does not have.

    Raises:
      ValueError: an unknown field of it, or reward term; the line names the key.
    """
    varied = [name.partition(".") for name in task.space]
    target = task.environment
    if target in registry.ENVIRONMENTS:
        target = registry.ENVIRONMENTS[target].target
    cls = registry.load(target) if ":" in target else None
    if dataclasses.is_dataclass(cls):
        fields = [field.name for field in dataclasses.fields(cls) if field.init]
        for name in [*task.env, *(inner for table, _, inner in varied if table == "env")]:
            if name not in fields:
                raise ValueError(f"env.{name}: {unknown_name('field', name, fields)}")
    env = registry.make(task.environment, **task.env)
    terms = sorted(env.default_params.weights)
    for name in [*task.weights, *(inner for table, _, inner in varied if table == "weights")]:
        if name not in terms:
            raise ValueError(f"weights.{name}: {unknown_name('reward term', name, terms)}")


def points(task: Task, search: Search) -> list[Point]:
    """The points that a search begins with: all of a grid, or those that are drawn."""
    if search.num_trials is None:
        values = [choice for choice in task.space.values() if isinstance(choice, tuple)]
        return [dict(zip(task.space, row, strict=True)) for row in itertools.product(*values)]
    random = np.random.default_rng(search.seed)
    return [
        {name: _drawn(random, choice) for name, choice in task.space.items()}
        for _ in range(search.num_trials)
    ]


def make(task: Task, point: Point) -> Trial:
    """The trial at a point; where that cannot be one, the trial says why."""
    spec, error = None, None
    try:
        spec = _spec(task, point)
        assembly.check(spec)
    except Exception as broken:  # whatever a point runs into is told in its row
        spec, error = None, one_line(broken)
    named: dict[str, Any] = {
        "task": {**dataclasses.asdict(task), "space": None},
        "point": dict(point),
    }
    if spec is not None:
        version = registry.make(spec.environment, **spec.env_overrides).version
        named = {**spec.to_dict(), "num_updates": None, "steps": task.steps, "version": version}
    canonical = json.dumps(named, sort_keys=True, default=str)
    return Trial(hashlib.sha256(canonical.encode()).hexdigest()[:12], task, point, spec, error)


def is_plain(task: Task, name: str) -> bool:
    """Whether a program takes what is varied as a number, so that one trains all its values."""
    table, dot, _ = name.partition(".")
    if dot:
        return table == "weights"
    fields = {field.name: field for field in dataclasses.fields(task.config_class)}
    return not fields[name].metadata.get("static")


def one_line(error: BaseException) -> str:
    """An error in a line; its kind is named where it was not raised to be read."""
    name = "" if isinstance(error, (ValueError, ImportError)) else f"{type(error).__name__}: "
    words = " ".join(str(error).split()) or type(error).__name__
    return f"{name}{words}"[:500]


def _spec(task: Task, point: Point) -> RunSpec:
    tables: dict[str, dict[str, Any]] = {
        "env": dict(task.env),
        "weights": dict(task.weights),
        "": dict(task.config),
    }
    for name, value in point.items():
        table, _, inner = name.rpartition(".")
        tables[table][inner] = value
    return RunSpec(
        environment=task.environment,
        learner=task.learner,
        config=config_from_dict(task.config_class, tables[""]),
        env_overrides=tables["env"],
        weights=tables["weights"],
        seed=task.seed,
        num_seeds=task.seeds,
        num_updates=1,
        corpus=task.corpus,
        prior=task.prior,
        prior_weight=task.prior_weight,
    )


def _drawn(random: np.random.Generator, choice: tuple[Any, ...] | Range) -> Any:
    if isinstance(choice, tuple):
        return choice[int(random.integers(len(choice)))]
    low, high = choice.low, choice.high
    if choice.is_whole and not choice.log:
        return int(random.integers(int(low), int(high), endpoint=True))
    if not choice.log:
        return random.uniform(low, high)
    drawn = min(max(math.exp(random.uniform(math.log(low), math.log(high))), low), high)
    return round(drawn) if choice.is_whole else drawn
