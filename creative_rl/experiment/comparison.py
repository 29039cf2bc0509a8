"""Learners compared over tasks and seeds: from runs and sweeps to a table.

The score of a run is its metric's mean over the last tenth of its updates. Of a sweep's task with
several trials the best one stands for the learner; the same seeds choose it, which flatters it.
Where there are several tasks, scores are scaled in each from 0, the worst of all runs that are
compared, to 1, the best, so that aggregates (see `metrics.aggregates`) weigh tasks alike. A task is
known by its environment, and by its own name too where a sweep has several of one environment.
"""

import collections
import dataclasses
import itertools
import math
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from creative_rl.experiment.records import final, read_records
from creative_rl.experiment.run import Run
from creative_rl.experiment.sweeping import tables
from creative_rl.experiment.sweeping.results import read_result
from creative_rl.metrics.aggregates import (
    Estimate,
    interquartile_mean,
    probability_of_improvement,
)
from creative_rl.registry import unknown_name

RETURN = "episode_return"
_ENDS = ("value", "95 % from", "to")


class Table(NamedTuple):
    """A table in texts: its head, and rows as long as that."""

    columns: list[str]
    rows: list[list[str]]


class _Entry(NamedTuple):
    """The scores of one learner on one task, and where they are from."""

    source: str
    learner: str
    task: str
    is_max: bool
    scores: np.ndarray  # float64[seeds]
    note: str | None = None
    own_name: str | None = None  # of a sweep's task, without the learner's


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Scores, and what they add up to.

    Attributes:
      scores: float64[seeds] by learner and task, as they were measured.
      shared: the tasks that all learners have.
      scaled: as `scores`, of the shared tasks, in a form where more is better.
      aggregates: interquartile means over the shared tasks, by learner.
      better: how often a run of the first is better than one of the second, by pair, over the
        tasks that those two share.
      notes: what a reader must know.
    """

    scores: dict[str, dict[str, np.ndarray]]
    shared: tuple[str, ...]
    scaled: dict[str, list[np.ndarray]]
    aggregates: dict[str, Estimate]
    better: dict[tuple[str, str], Estimate]
    notes: tuple[str, ...]

    @property
    def mean_name(self) -> str:
        """Of what the aggregates are: where no learner has four runs, nothing is cut off."""
        are_few = all(name in _with_few_runs(self.scaled) for name in self.aggregates)
        return "mean" if are_few else "interquartile mean"

    def tables(self) -> list[Table]:
        """Means of every task, aggregates, and probabilities of improvement, where there are."""
        learners = list(self.scores)
        tasks = dict.fromkeys(task for own in self.scores.values() for task in own)
        means = [[t, *(_mean(self.scores[name].get(t)) for name in learners)] for t in tasks]
        found = [Table(["task, mean (seeds)", *learners], means)]
        if self.aggregates:
            over = f"{len(self.shared)} tasks, scaled" if len(self.shared) > 1 else self.shared[0]
            rows = [[name, *_figures(e)] for name, e in self.aggregates.items()]
            found.append(Table([f"{self.mean_name} over {over}", *_ENDS], rows))
        if self.better:
            rows = [[f"{a} over {b}", *_figures(e)] for (a, b), e in self.better.items()]
            found.append(Table(["probability of improvement", *_ENDS], rows))
        return found

    def markdown(self) -> str:
        """The tables and notes, as Markdown."""
        return "\n\n".join([*map(_markdown, self.tables()), *self.notes])


def compare(
    paths: Sequence[str | os.PathLike], metric: str | None = None, direction: str | None = None
) -> Comparison:
    """Read runs and sweeps, and compare the learners in them.

    Args:
      paths: run directories, and folders of sweeps.
      metric: by name; None for what each sweep is for, of runs the return.
      direction: `max` or `min`; None for the sweep's own, of runs `max`.

    Raises:
      ValueError: a path is neither, has no such metric, or nothing in it can be compared.
    """
    entries = [entry for path in paths for entry in _read(pathlib.Path(path), metric, direction)]
    entries = _told_apart(entries)
    if not entries:
        raise ValueError("compare: none of the runs has a score; train them first")
    scores: dict[str, dict[str, np.ndarray]] = {}
    is_max: dict[str, bool] = {}
    for name, entry in zip(_names(entries), entries, strict=True):
        own = scores.setdefault(name, {})
        if entry.task in own:
            raise ValueError(f"compare: {name} has {entry.task} twice, in {entry.source}; name one")
        if is_max.setdefault(entry.task, entry.is_max) != entry.is_max:
            raise ValueError(
                f"compare: {entry.task} is better by more and by less; give --direction"
            )
        own[entry.task] = entry.scores
    shared = tuple(t for t in is_max if all(t in own for own in scores.values()))
    scaled = _scaled(scores, shared, is_max)
    better = {}
    for a, b in itertools.combinations(scores, 2):
        both = [task for task in scores[a] if task in scores[b]]
        if both:
            signs = [1.0 if is_max[task] else -1.0 for task in both]
            ours, theirs = (
                [s * scores[n][t] for s, t in zip(signs, both, strict=True)] for n in (a, b)
            )
            better[a, b] = probability_of_improvement(ours, theirs)
    notes = [entry.note for entry in entries if entry.note]
    if not shared:
        notes.append(
            "No task is shared by all learners: there is no interquartile mean over tasks."
        )
    aggregates = {name: interquartile_mean(own) for name, own in scaled.items()} if shared else {}
    notes += _cautions(scaled if shared else {}, aggregates, better)
    return Comparison(scores, shared, scaled, aggregates, better, tuple(dict.fromkeys(notes)))


def _cautions(
    scaled: Mapping[str, Sequence[np.ndarray]],
    aggregates: Mapping[str, Estimate],
    better: Mapping[tuple[str, str], Estimate],
) -> list[str]:
    """What figures of few runs are not."""
    notes = []
    if few := _with_few_runs(scaled):
        whose = ", ".join(few)
        notes.append(
            f"Of fewer than four runs nothing is cut off: the mean of all runs, of {whose}."
        )
    named = [*aggregates.items(), *((f"{a} over {b}", e) for (a, b), e in better.items())]
    if bare := [name for name, estimate in named if estimate.low is None]:
        notes.append(f"A task with one seed alone has no interval: {', '.join(bare)}.")
    return notes


def _with_few_runs(scaled: Mapping[str, Sequence[np.ndarray]]) -> list[str]:
    """Learners with too few runs for a quarter to be one."""
    return [name for name, own in scaled.items() if sum(map(len, own)) < 4]


def _read(path: pathlib.Path, metric: str | None, direction: str | None) -> Iterator[_Entry]:
    """The scores in a run directory or a sweep's folder."""
    if (path / "sweep.json").is_file():
        yield from _read_sweep(path, metric, direction)
        return
    run = Run.open(path)
    name = metric or RETURN
    found = _metric(path, final(read_records(run.path / "metrics.jsonl")), name)
    spec = run.config["spec"]
    scores = np.array(found, np.float64)
    if not np.isfinite(scores).all():
        raise ValueError(f"compare: {path} has seeds without {name}; leave it out")
    task = _task(spec["environment"], name)
    yield _Entry(str(path), spec["learner"], task, direction != "min", scores)


def _read_sweep(path: pathlib.Path, metric: str | None, direction: str | None) -> Iterator[_Entry]:
    """The best trial of every task that has one."""
    for task in tables.read_about(path)["tasks"]:
        name = metric or task["metric"]
        is_max = (direction or task["direction"]) == "max"
        best: np.ndarray | None = None
        for trial in task["trials"]:
            result = read_result(path, trial["id"])
            if result is None or not result["history"]:
                continue
            final_values = result["history"][-1]["final"]
            found = _metric(path / "trials" / trial["id"], final_values, name)
            scores = np.array([math.nan if v is None else v for v in found], np.float64)
            is_better = best is None or (scores.mean() > best.mean()) == is_max
            if np.isfinite(scores).all() and is_better:
                best = scores
        note = None
        if len(task["trials"]) > 1:
            note = (
                f"{path.name}: of each task's {len(task['trials'])} trials the best is shown, "
                "chosen by the same seeds."
            )
        if best is not None:
            key = _task(task["environment"], name)
            own_name = task["name"].removesuffix(f"-{task['learner']}")
            yield _Entry(str(path), task["learner"], key, is_max, best, note, own_name)


def _metric(path: pathlib.Path, found: Mapping[str, Any], name: str) -> Any:
    if name not in found:
        raise ValueError(f"compare: {path}: {unknown_name('metric', name, sorted(found))}")
    return found[name]


def _task(environment: str, metric: str) -> str:
    return environment if metric == RETURN else f"{environment}, {metric}"


def _told_apart(entries: Sequence[_Entry]) -> list[_Entry]:
    """Tasks with their own names, where a sweep has several of one environment and learner.

    Names that differ in their learner at the end alone, such as small-ppo and small-dqn, are of
    one task; the name that a task has by itself is the environment's.
    """
    count = collections.Counter((e.source, e.learner, e.task) for e in entries)
    several = {task for (_, _, task), num in count.items() if num > 1}
    return [
        e._replace(task=f"{e.task} ({e.own_name})")
        if e.task in several and e.own_name not in (None, e.task.partition(",")[0])
        else e
        for e in entries
    ]


def _names(entries: Sequence[_Entry]) -> list[str]:
    """A learner's name, with where it is from where several have the same task."""
    count: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        count.setdefault((entry.learner, entry.task), set()).add(entry.source)
    several = {learner for (learner, _), sources in count.items() if len(sources) > 1}
    return [
        f"{e.learner} ({pathlib.Path(e.source).name})" if e.learner in several else e.learner
        for e in entries
    ]


def _scaled(
    scores: Mapping[str, Mapping[str, np.ndarray]],
    shared: Sequence[str],
    is_max: Mapping[str, bool],
) -> dict[str, list[np.ndarray]]:
    """Shared tasks from the worst run to the best; one task alone stays in its own unit."""
    if len(shared) == 1:
        return {name: [own[shared[0]]] for name, own in scores.items()}
    scaled: dict[str, list[np.ndarray]] = {name: [] for name in scores}
    for task in shared:
        runs = np.concatenate([own[task] for own in scores.values()])
        low, high = runs.min(), runs.max()
        worst, best = (low, high) if is_max[task] else (high, low)
        span = best - worst if high > low else 1.0
        for name, own in scores.items():
            scaled[name].append((own[task] - worst) / span)
    return scaled


def _mean(scores: np.ndarray | None) -> str:
    return "–" if scores is None else f"{scores.mean():.4g} ({len(scores)})"


def _figures(estimate: Estimate) -> list[str]:
    return ["–" if figure is None else f"{figure:.3g}" for figure in estimate]


def _markdown(table: Table) -> str:
    line = ["---", *["--:"] * (len(table.columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (table.columns, line, *table.rows))
