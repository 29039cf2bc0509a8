"""Groups: trials that differ in numbers alone, which one compiled program trains side by side."""

import dataclasses
import hashlib
import json
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from creative_rl.experiment import assembly, memory, sweeps
from creative_rl.experiment.chunks import compiled_chunk
from creative_rl.experiment.preparation import prepare
from creative_rl.experiment.session import whole_updates
from creative_rl.experiment.spec import RunSpec
from creative_rl.experiment.sweeping.trials import Trial, is_plain, one_line
from creative_rl.registry import unknown_name
from creative_rl.typing import Key, Learner, PyTree

_PROBE_SECONDS = 0.3
"""Updates are timed until they have taken so long."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A group on a stretch of its training: all that a worker needs, as plain values.

    Attributes:
      out: folder of the sweep.
      task: name.
      ids: of the trials.
      specs: their runs, whose `num_updates` is that of the whole training.
      fields: what is a number in the program: fields of the config, and `weights.TERM`.
      first_update: updates that the trials have behind them.
      last_update: updates that they have at the end.
    """

    out: str
    task: str
    ids: tuple[str, ...]
    specs: tuple[RunSpec, ...]
    fields: tuple[str, ...]
    first_update: int
    last_update: int

    @property
    def id(self) -> str:
        named = json.dumps([self.ids, self.fields, self.first_update, self.last_update])
        return hashlib.sha256(named.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """JSON values only; `from_dict` reads them back."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**fields, "specs": [spec.to_dict() for spec in self.specs]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Job":
        """The job that `to_dict` wrote."""
        lists = {name: tuple(values[name]) for name in ("ids", "fields")}
        specs = tuple(RunSpec.from_dict(spec) for spec in values["specs"])
        return cls(**{**values, **lists, "specs": specs})


class Built(NamedTuple):
    """A group's program.

    Attributes:
      specs: of the trials, with what their corpus or prior was found to be.
      version: of the environment.
      learner: of one member, its numbers in its state.
      start: from the keys of all members to their states.
      keys: of all members, those of a trial neighbours.
    """

    specs: tuple[RunSpec, ...]
    version: int
    learner: Learner
    start: Any
    keys: Key


@dataclasses.dataclass(frozen=True)
class Group:
    """A job with what is known of it beforehand.

    Attributes:
      job: what is to be trained.
      built: its program, where this process made it.
      memory_bytes: what it needs at its fullest.
      compile_seconds, update_seconds: by a probe; None without one.
    """

    job: Job
    built: Built | None
    memory_bytes: int
    compile_seconds: float | None = None
    update_seconds: float | None = None

    @property
    def seconds(self) -> float | None:
        """What the training is expected to take; None without a probe."""
        if self.update_seconds is None or self.compile_seconds is None:
            return None
        num_updates = self.job.last_update - self.job.first_update
        return self.compile_seconds + num_updates * self.update_seconds


def grouped(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials by their program: those of a task that differ in plain numbers alone."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        assert trial.spec is not None
        values = trial.spec.to_dict()
        for name in fields_of(trial):
            table, _, inner = name.rpartition(".")
            del values[table or "config"][inner]
        found.setdefault(json.dumps([trial.task.name, values], sort_keys=True), []).append(trial)
    return list(found.values())


def fields_of(trial: Trial) -> tuple[str, ...]:
    """Of what the trial's task varies those that are numbers in its program."""
    return tuple(name for name in trial.task.space if is_plain(trial.task, name))


def build(specs: Sequence[RunSpec], fields: Sequence[str]) -> Built:
    """The program that trains runs which differ in `fields` and in nothing else.

    Raises:
      ValueError: as from `prepare` and `assembly.build`.
    """
    first, materials = prepare(specs[0])
    specs = tuple(_as_prepared(spec, first, fields) for spec in specs)

    def make(values: Mapping[str, Any]) -> Learner:
        numbers = {name: value for name, value in values.items() if "." not in name}
        weights = {name.partition(".")[2]: v for name, v in values.items() if "." in name}
        config = dataclasses.replace(first.config, **numbers)
        spec = dataclasses.replace(first, config=config, weights={**first.weights, **weights})
        return assembly.build(spec, materials)[1]

    points = [{name: _value(spec, name) for name in fields} for spec in specs]
    learner, start = sweeps.population(make, points, first.num_seeds or 1)
    keys = jnp.tile(assembly.seed_keys(first), len(specs))
    env = assembly.build(first, materials)[0]
    return Built(specs, env.version, learner, start, keys)


def plan(
    trials: Sequence[Trial], out: str, stretch: tuple[int, int, int], num_workers: int = 1
) -> tuple[list[Group], dict[str, str]]:
    """The groups of trials; of those that cannot be built the error, by their id.

    A group that does not fit into a worker's share of the free memory is cut into equal parts
    that do.

    Args:
      trials: that have a spec.
      out: folder of the sweep.
      stretch: (from, to, whole): which part of its steps each trial trains for.
      num_workers: groups that train side by side on this machine.
    """
    groups: list[Group] = []
    errors: dict[str, str] = {}
    free = memory.available_bytes()
    limit = None if free is None else free // num_workers
    for members in grouped(trials):
        try:
            groups += _groups(members, out, stretch, limit)
        except Exception as broken:  # one group's fault is not the sweep's
            errors |= {trial.id: one_line(broken) for trial in members}
    return groups, errors


def probe(group: Group) -> Group:
    """Compile the group's program and time some updates of it; their results are dropped."""
    built = group.built or build(group.job.specs, group.job.fields)
    begin = time.perf_counter()
    state = jax.jit(built.start)(built.keys)
    chunk = compiled_chunk(built.learner.update, True)
    state, _ = jax.block_until_ready(chunk(state, jnp.int32(1)))
    compiled = time.perf_counter() - begin
    count, taken = 1, 0.0
    while taken < _PROBE_SECONDS and count < 256:
        begin = time.perf_counter()
        state, _ = jax.block_until_ready(chunk(state, jnp.int32(count)))
        taken = time.perf_counter() - begin
        seconds = taken / count
        count *= 2
    return dataclasses.replace(group, compile_seconds=compiled, update_seconds=seconds)


def read_measures(path: pathlib.Path) -> dict[str, list[float]]:
    """What earlier probes took, seconds of compilation and of an update by a job's id.

    Args:
      path: a file of JSON, which need not be there.

    Raises:
      ValueError: the file is damaged; the line names it.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or not all(map(_is_pair, found.values())):
            raise ValueError("it must hold an object with two numbers of seconds for each group")
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"cannot read {path} ({error}); remove it, its times are measured again"
        ) from error
    return found


def _is_pair(times: Any) -> bool:
    return isinstance(times, list) and [type(time) for time in times] == [float, float]


def state_shapes(built: Built) -> PyTree:
    """Of all members' states."""
    return jax.eval_shape(built.start, built.keys)


def _groups(
    members: Sequence[Trial], out: str, stretch: tuple[int, int, int], limit: int | None
) -> list[Group]:
    """One group, or as many equal parts of it as need at most `limit` bytes one by one."""
    first, last, whole = stretch
    task, fields = members[0].task, fields_of(members[0])
    parts, num_parts = [list(members)], 1
    while True:
        groups = []
        for part in parts:
            specs = [trial.spec for trial in part if trial.spec is not None]
            built = build(specs, fields)
            num_updates = whole_updates(built.learner, task.steps)
            if whole > num_updates:
                raise ValueError(
                    f"rungs: the first trains for one in {whole} of {num_updates} updates, which "
                    "is none; give fewer rungs or more steps"
                )
            specs = [dataclasses.replace(spec, num_updates=num_updates) for spec in built.specs]
            ends = [_updates(built.learner, task.steps, n, whole) for n in (first, last)]
            job = Job(out, task.name, tuple(t.id for t in part), tuple(specs), fields, *ends)
            _check_metric(built, task.metric)
            need = memory.estimate(built.learner, len(built.keys), start=built.start, num_copies=1)
            groups.append(Group(job, built._replace(specs=tuple(specs)), need))
        most = max(group.memory_bytes for group in groups)
        if limit is None or most <= limit or num_parts == len(members):
            return groups  # one that is too large alone is refused where it trains
        num_parts = min(len(members), max(num_parts + 1, -(-num_parts * most // limit)))
        size = -(-len(members) // num_parts)
        parts = [list(members[i : i + size]) for i in range(0, len(members), size)]


def _check_metric(built: Built, metric: str) -> None:
    """Refuse a metric that the learner does not have, before anything is trained for it."""
    chunk = compiled_chunk(built.learner.update, True)
    names = jax.eval_shape(chunk, state_shapes(built), jax.ShapeDtypeStruct((), jnp.int32))[1]
    if metric not in names:
        raise ValueError(unknown_name("metric", metric, sorted(names)))


def _updates(learner: Learner, steps: int, part: int, whole: int) -> int:
    """Updates for `part` of `whole` of the steps, rounded up; 0 for none."""
    return whole_updates(learner, -(-steps * part // whole)) if part else 0


def _value(spec: RunSpec, name: str) -> float:
    table, _, inner = name.rpartition(".")
    return spec.weights[inner] if table else getattr(spec.config, inner)


def _as_prepared(spec: RunSpec, first: RunSpec, fields: Sequence[str]) -> RunSpec:
    """A run with the corpus or the prior of the group's first, and its own numbers."""
    numbers = {name: getattr(spec.config, name) for name in fields if "." not in name}
    found = {
        name: getattr(first, name) for name in ("corpus", "corpus_sizes", "prior", "prior_config")
    }
    return dataclasses.replace(spec, config=dataclasses.replace(first.config, **numbers), **found)
