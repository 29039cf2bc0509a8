"""The file of a sweep: one TOML document, every key of it known and checked.

    metric = "episode_return"   # of which the mean over the last tenth of a trial counts
    seeds = 4

    [base]                      # environment, learner, steps, and fields of the learner's config
    environment = "melody-theory"
    learner = "ppo"
    steps = 200_000
    num_envs = 64

    [space]                     # lists, or ranges where `search` draws
    learning_rate = [1e-4, 1e-3]
    weights.tonic = [1, 3]

    [budgets.quick]             # what `--budget quick` changes
    times = 0.05
    seeds = 2

Several `[[tasks]]`, each with keys as in `[base]` and a `space` and `budgets` of its own, make one
sweep over several environments or learners.
"""

import dataclasses
import os
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from creative_rl import registry
from creative_rl.experiment.sweeping import values
from creative_rl.experiment.sweeping.values import TABLES, Range
from creative_rl.registry import unknown_name

SEARCHES = ("grid", "random", "halving", "optuna")
DEFAULT_STEPS = 100_000
_SEARCH_KEYS = ("search", "num_trials", "search_seed", "eta", "rungs", "batch")
_RUN_KEYS = (
    "environment", "learner", "steps", "seeds", "seed", "metric", "direction", "corpus", "prior",
    "prior_weight",
)  # fmt: skip
_TOP_KEYS = ("name", "seeds", "metric", "direction", *_SEARCH_KEYS)


@dataclasses.dataclass(frozen=True)
class Search:
    """How points of the spaces are chosen.

    Attributes:
      kind: of `SEARCHES`.
      num_trials: of each task, where points are drawn; None for all points of a grid.
      seed: of what is drawn.
      eta: at each rung of halving the best of so many go on.
      rungs: of halving; the last trains for all steps, each before it for one in `eta`.
      batch: trials that Optuna is asked for at once, to train side by side.
    """

    kind: str = "grid"
    num_trials: int | None = None
    seed: int = 0
    eta: int = 3
    rungs: int = 3
    batch: int = 8


@dataclasses.dataclass(frozen=True)
class Task:
    """One environment and one learner, and the space that is searched.

    Attributes:
      name: unique in the file.
      steps: environment steps of a seed.
      seeds: how many seeds, from `seed` on.
      metric, direction: what makes a trial better, and whether more of it (`max`) does.
      env: keywords for `creative_rl.make`.
      weights: of reward terms.
      config: fields of the learner's config.
      space: a list of values or a `Range` by the name of what it varies: a field of the config,
        `env.FIELD` or `weights.TERM`.
    """

    name: str
    environment: str
    learner: str
    steps: int = DEFAULT_STEPS
    seeds: int = 1
    seed: int = 0
    metric: str = "episode_return"
    direction: str = "max"
    corpus: str | None = None
    prior: str | None = None
    prior_weight: float = 1.0
    env: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    space: Mapping[str, tuple[Any, ...] | Range] = dataclasses.field(default_factory=dict)

    @property
    def config_class(self) -> type:
        return registry.load(registry.learner_entry(self.learner).config)


@dataclasses.dataclass(frozen=True)
class SweepFile:
    """A sweep as its file and a budget say it.

    Attributes:
      name: the file's `name`, or its own without `.toml`.
      budget: by name; None for the file without one.
      text: of the file.
    """

    path: pathlib.Path
    name: str
    budget: str | None
    tasks: tuple[Task, ...]
    search: Search
    text: str


def read(
    path: str | os.PathLike, budget: str | None = None, search: str | None = None
) -> SweepFile:
    """Read a sweep's file.

    Args:
      path: the TOML file.
      budget: which of its `[budgets]`; None for none.
      search: in place of the file's own.

    Raises:
      ValueError: one line with the file, the key, the rule and what was given.
    """
    path = pathlib.Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"cannot read the sweep {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    try:
        return _sweep(path, text, document, budget, search)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _sweep(
    path: pathlib.Path, text: str, document: dict[str, Any], budget: str | None, search: str | None
) -> SweepFile:
    values.check_keys("", document, [*_TOP_KEYS, "base", "space", "budgets", "tasks"])
    top = {name: values.plain(name, document[name]) for name in _TOP_KEYS if name in document}
    kinds = {name.removeprefix("search_"): top.pop(name) for name in _SEARCH_KEYS if name in top}
    found = Search(**{"kind" if name == "search" else name: v for name, v in kinds.items()})
    found = dataclasses.replace(found, kind=search or found.kind)
    name = _folder_name("name", top.pop("name", path.stem))
    tasks = document.get("tasks", [{}])
    if not isinstance(tasks, list) or not tasks or not all(isinstance(t, dict) for t in tasks):
        raise ValueError("tasks: must be tables, each under [[tasks]]")
    budgets = [_budgets("", document), *(_budgets(f"tasks[{i}].", t) for i, t in enumerate(tasks))]
    known = sorted({name for table in budgets for name in table})
    if budget is not None and budget not in known:
        told = unknown_name("budget", budget, known) if known else "is in no table of this file"
        raise ValueError(f"budgets.{budget}: {told}")
    if budget is not None:
        _folder_name("budgets", budget)
    made = []
    for number, task in enumerate(tasks):
        where = f"tasks[{number}]." if "tasks" in document else ""
        own = {key: value for key, value in task.items() if key not in ("space", "budgets")}
        layers = [("", top), ("base.", values.table_of("base", document.get("base", {})))]
        layers.append((where, own))
        for owner, table in (("", budgets[0]), (where, budgets[number + 1])):
            if budget in table:
                layers.append((f"{owner}budgets.{budget}.", table[budget]))
        made.append(_task(layers, document.get("space"), task.get("space"), where, found))
    names = [task.name for task in made]
    for twice in {name for name in names if names.count(name) > 1}:
        raise ValueError(f"tasks: two have the name {twice!r}; give them a `name` each")
    return SweepFile(path, name, budget, tuple(made), found, text)


def _folder_name(key: str, name: str) -> str:
    """The name, which is that of a folder in `runs/` and must not lead out of it."""
    if not name.strip(". ") or any(mark in name for mark in "/\\\0"):
        raise ValueError(
            f"{key}: names a folder, so it must be no path and not of dots alone, got {name!r}"
        )
    return name


def _budgets(where: str, table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of `budgets`, by name."""
    budgets = values.table_of(f"{where}budgets", table.get("budgets", {}))
    return {
        name: values.table_of(f"{where}budgets.{name}", inner) for name, inner in budgets.items()
    }


def _task(
    layers: list[tuple[str, dict[str, Any]]], space: Any, own_space: Any, where: str, search: Search
) -> Task:
    """A task of its tables, the later ones before the earlier."""
    run: dict[str, Any] = {}
    times = 1.0
    learner = next((t["learner"] for _, t in reversed(layers) if "learner" in t), None)
    environment = next((t["environment"] for _, t in reversed(layers) if "environment" in t), None)
    for key, value in (("environment", environment), ("learner", learner)):
        if value is None:
            raise ValueError(f"{where}{key}: is missing; give it here or in [base]")
    if environment not in registry.environment_ids() and ":" not in str(environment):
        raise ValueError(f"{where}environment: {registry.unknown_environment(str(environment))}")
    config_class = registry.load(registry.learner_entry(str(learner)).config)
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    tables: dict[str, dict[str, Any]] = {name: {} for name in (*TABLES, "config")}
    for prefix, table in layers:
        known = [*_RUN_KEYS, *TABLES, "name", "times", *fields]
        values.check_keys(prefix, table, known)
        for key, value in table.items():
            if key in TABLES:
                tables[key] |= values.entries(prefix + key, value)
            elif key in fields:
                tables["config"][key] = values.field_value(
                    config_class, fields[key], prefix + key, value
                )
            elif key == "times":
                times = values.number(prefix + key, value, above=0)
            else:
                run[key] = values.plain(key, value, prefix)
    run["steps"] = max(1, round(run.get("steps", DEFAULT_STEPS) * times))
    run.setdefault("name", f"{environment}-{learner}")
    choices: dict[str, Any] = {}
    for prefix, table in (("space", space), (f"{where}space", own_space)):
        if table is not None:
            choices |= dict(values.choices(prefix, table, config_class, fields))
    _check_search(search, choices, where)
    halvings = min(search.rungs - 1, run["steps"].bit_length())  # 2 to that is above the steps
    if search.kind == "halving" and search.eta**halvings > run["steps"]:
        raise ValueError(
            f"rungs: the first of {search.rungs} trains for one in {search.eta} ** "
            f"{search.rungs - 1} of {run['steps']:,} steps, which is none; give fewer"
        )
    return Task(**{**run, **tables, "space": choices})


def _check_search(search: Search, space: Mapping[str, Any], where: str) -> None:
    if search.kind not in SEARCHES:
        raise ValueError(f"search: {unknown_name('search', str(search.kind), list(SEARCHES))}")
    drawn = search.kind in ("random", "optuna") or (search.kind == "halving" and search.num_trials)
    if search.kind in ("random", "optuna") and search.num_trials is None:
        raise ValueError(f"num_trials: is missing; {search.kind} needs to know how many to draw")
    if search.kind == "grid" and search.num_trials is not None:
        raise ValueError("num_trials: a grid trains all its points; leave it out, or draw")
    if drawn and not space:
        raise ValueError(f"{where}space: is missing; {search.kind} draws from one")
    ranges = [name for name, choice in space.items() if isinstance(choice, Range)]
    if ranges and not drawn:
        raise ValueError(
            f"{where}space.{ranges[0]}: a grid needs lists; give one, or draw with "
            "search = 'random' and num_trials"
        )
