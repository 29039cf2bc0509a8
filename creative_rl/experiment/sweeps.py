"""Sweeps: every point of a config's plain fields, times seeds, trained in one compiled program.

The swept numbers are part of each member's state, and its learner is rebuilt from them inside the
trace. So a sweep is a training run like any other: logged, saved, resumed. A member that diverges
is told apart and shown as NaN from there on; the others go on.
"""

import dataclasses
import itertools
import json
import math
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.atomic import write_json
from creative_rl.configs import validate
from creative_rl.experiment import checkpoint, memory, records
from creative_rl.experiment.recorder import Metrics
from creative_rl.experiment.sizes import LARGEST_SIZE, whole_number
from creative_rl.experiment.training import Status, check_keys, train
from creative_rl.registry import unknown_name
from creative_rl.typing import Array, Key, Learner, PyTree, as_key


@dataclasses.dataclass(frozen=True)
class SweepResult:
    """What a sweep of P points times S seeds led to.

    Attributes:
      configs: of every point.
      values: the swept fields, P numbers each.
      states: the learners', leaves [P, S, ...]; `member` takes one out.
      metrics: of every update of this call, leaves [updates, P, S]. Where a member is lost, those
        that are floats are NaN; whole numbers are what its learner says.
      diverged: bool[P, S], members with a metric that became infinite or NaN, or NaN in the state.
      status: as of `train`.
      num_updates: updates that the states have seen, those before this call included.
      signal: the signal's number where interrupted.
    """

    configs: tuple[Any, ...]
    values: dict[str, tuple[float, ...]]
    states: PyTree
    metrics: Metrics
    diverged: np.ndarray
    status: Status
    num_updates: int
    signal: int | None = None

    def member(self, point: int, seed: int) -> PyTree:
        """The state of one learner, for the `act` of `make_learner(configs[point])`."""
        return jax.tree.map(lambda leaf: leaf[point, seed], self.states)

    def final(self, metric: str, num_updates: int = 10) -> np.ndarray:
        """float64[P, S]: the mean of a metric over the last updates; NaN where a member diverged.

        Means over episodes are taken over episodes; NaN where none ended.

        Raises:
          ValueError: there is no such metric.
        """
        if metric not in self.metrics:
            raise ValueError(f"sweep: {unknown_name('metric', metric, sorted(self.metrics))}")
        weights = np.ones(())
        if records.is_over_episodes(metric, self.metrics):
            weights = self.metrics["num_episodes"][-num_updates:]
        means = records.weighted_mean(self.metrics[metric][-num_updates:], weights)
        return np.where(self.diverged, np.nan, means)


class SweepState(flax.struct.PyTreeNode):
    """A member: its numbers, its learner's state, and whether that is lost."""

    values: dict[str, Array]
    inner: PyTree
    diverged: Array  # bool


def grid(**fields: Sequence[float]) -> dict[str, tuple[float, ...]]:
    """Every combination of the fields' values, the last field's varying fastest.

    Raises:
      ValueError: a field has no list of numbers.

    Example:
      >>> grid(learning_rate=[0.1, 0.2], gamma=[0.9, 0.99])
      {'learning_rate': (0.1, 0.1, 0.2, 0.2), 'gamma': (0.9, 0.99, 0.9, 0.99)}
    """
    for name, numbers in fields.items():
        _check_listed("grid", name, numbers)
    points = list(itertools.product(*fields.values()))
    return {name: tuple(point[i] for point in points) for i, name in enumerate(fields)}


def sweep(
    make_learner: Callable[[Any], Learner],
    config: Any,
    key: Key,
    num_updates: int,
    values: Mapping[str, Sequence[float]],
    num_seeds: int = 1,
    *,
    out: str | os.PathLike | None = None,
    check_memory: bool = True,
    **train_keywords: Any,
) -> SweepResult:
    """Train `num_seeds` learners at every point of `values`, all in one program.

    A member learns as it does alone, up to the rounding of sums that are batched differently. Seed
    j starts from the same key at every point, so that points differ by their numbers and not by
    their luck.

    Args:
      make_learner: builds the learner of a config whose swept fields may be tracers.
      config: what is the same at every point.
      key: split over the seeds as by `train`, or as many keys.
      num_updates: updates of every member.
      values: plain fields of the config, by name, with one number for every point (see `grid`).
      num_seeds: learners at every point.
      out: as for `train`, its members numbered point by point; there is also `sweep.json`: config,
        values and number of seeds.
      check_memory: refuse more members than fit.
      **train_keywords: for `train`.

    Raises:
      ValueError: a size that is no whole number of at least 1, a `state`, a field that is static
        or unknown, no points or not as many for every field, a number out of its field's range,
        more members than fit into memory; or as from `train`.
      DivergedError: all members diverged.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-target-tutorial")
      >>> config = crl.PPOConfig(num_envs=4, num_steps=5)
      >>> values = {"learning_rate": [1e-3, 1e-2, 1e-1]}
      >>> make_learner = lambda config: crl.learners.ppo(env, config)
      >>> result = sweep(make_learner, config, jax.random.key(0), 2, values, 4, progress=False)
      >>> result.metrics["episode_return"].shape
      (2, 3, 4)
    """
    num_updates = whole_number("sweep: num_updates", num_updates)
    if train_keywords.get("chunk_updates") is not None:
        whole_number("sweep: chunk_updates", train_keywords["chunk_updates"])
    if train_keywords.pop("state", None) is not None:
        raise ValueError("sweep: makes its own states; leave state out, or resume a sweep in out")
    points = _points(config, values)
    num_seeds = whole_number("sweep: num_seeds", num_seeds, high=LARGEST_SIZE // len(points))
    key = as_key(key)
    check_keys("sweep", key, num_seeds)
    configs = tuple(dataclasses.replace(config, **point) for point in points)

    def make(values: Mapping[str, Any]) -> Learner:
        return make_learner(dataclasses.replace(config, **values))

    learner, start = population(make, points, num_seeds)
    shape = (len(points), num_seeds)
    if check_memory:
        num_copies = 0 if out is None else checkpoint.num_copies()
        memory.check(learner, math.prod(shape), start=start, num_copies=num_copies)
    if out is not None:
        _describe(pathlib.Path(out), config, points, num_seeds)
    keys = key if key.ndim else jax.random.split(key, num_seeds)
    keys = jnp.tile(keys, len(points))
    result = train(
        learner, keys, num_updates, state=start, out=out, check_memory=False, **train_keywords
    )
    diverged = lost(result.state).reshape(shape)
    leaves, structure = jax.tree.flatten(result.state.inner)
    result = dataclasses.replace(result, state=None)
    for index, leaf in enumerate(leaves):  # one at a time: there may be no room for two states
        leaves[index] = leaf.reshape(*shape, *leaf.shape[1:])
    return SweepResult(
        configs=configs,
        values={name: tuple(point[name] for point in points) for name in points[0]},
        states=jax.tree.unflatten(structure, leaves),
        metrics={
            name: rows.reshape(len(rows), *shape)
            for name, rows in result.metrics.items()
            if name != "diverged"
        },
        diverged=diverged,
        status=result.status,
        num_updates=result.num_updates,
        signal=result.signal,
    )


def population(
    make_learner: Callable[[Mapping[str, Any]], Learner],
    points: Sequence[Mapping[str, float]],
    num_seeds: int,
) -> tuple[Learner, Callable[[Key], SweepState]]:
    """The learner whose states carry their numbers, and what starts all of them from their keys.

    Args:
      make_learner: from a point's numbers, which may be tracers.
      points: the numbers of every point, by the same names.
      num_seeds: members at every point; those of a point are neighbours.
    """
    columns = {name: jnp.asarray(_column([point[name] for point in points])) for name in points[0]}
    alone = make_learner(points[0])

    def init(key: Key, values: dict[str, Array]) -> SweepState:
        return SweepState(values, make_learner(values).init(key), jnp.bool_(False))

    def update(state: SweepState) -> tuple[SweepState, dict[str, Array]]:
        inner, metrics = make_learner(state.values).update(state.inner)
        floats = [name for name, m in metrics.items() if jnp.issubdtype(m.dtype, jnp.floating)]
        sound = {name: jnp.isfinite(metrics[name]) & ~state.diverged for name in floats}
        diverged = ~jnp.stack([*sound.values(), ~state.diverged]).all()
        metrics |= {name: jnp.where(sound[name], metrics[name], jnp.nan) for name in floats}
        if "finished" in metrics:
            metrics["finished"] |= diverged
        return SweepState(state.values, inner, diverged), metrics | {"diverged": diverged}

    def start(keys: Key) -> SweepState:
        places = jnp.arange(len(keys)) // num_seeds  # a part of all keys is a part of all members
        return jax.vmap(init)(keys, {name: column[places] for name, column in columns.items()})

    first_values = {name: column[0] for name, column in columns.items()}
    learner = alone._replace(init=lambda key: init(key, first_values), update=update, generate=None)
    return learner, start


def _points(config: Any, values: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """The numbers of every point, checked against the fields' ranges."""
    if not isinstance(values, Mapping):
        raise ValueError(
            "sweep: values must be lists of numbers by the name of their field, such as "
            f"{{'learning_rate': [1e-3, 1e-2]}}, got {values!r}"
        )
    fields = {field.name: field for field in dataclasses.fields(config)}
    plain = [name for name, field in fields.items() if not field.metadata.get("static")]
    lengths = {}
    for name in values:
        if name not in fields:
            raise ValueError(f"sweep: {unknown_name('field', name, plain)}")
        if name not in plain:
            raise ValueError(
                f"sweep: {name} shapes the program, so one program cannot vary it; run one sweep "
                "for each of its values"
            )
        _check_listed("sweep", name, values[name])
        lengths[name] = len(values[name])
    if not lengths or 0 in lengths.values():
        raise ValueError(f"sweep: needs at least one number of one field, got {dict(values)!r}")
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(
            f"sweep: every field needs as many numbers, but {shown}; grid() makes all combinations"
        )
    columns = {
        name: [_number(fields[name], value) for value in column] for name, column in values.items()
    }
    rows = zip(*columns.values(), strict=True)
    points = [dict(zip(columns, row, strict=True)) for row in rows]
    for point in points:
        validate(dataclasses.replace(config, **point))
    return points


def _check_listed(who: str, name: str, numbers: Any) -> None:
    """Refuse what is no list of numbers; the numbers themselves are not looked at."""
    shape = getattr(numbers, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(f"{who}: {name} needs a list of numbers, got an array of shape {shape}")
    if isinstance(numbers, str) or not isinstance(numbers, Sequence | np.ndarray | Array):
        raise ValueError(
            f"{who}: {name} needs a list of numbers, such as [0.1, 0.2], got {numbers!r}"
        )


def _number(field: dataclasses.Field, value: Any) -> float:
    """A plain number, of NumPy's or JAX's as well; whole ones as floats where the field is one."""
    if getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"sweep: {field.name} needs numbers, got {value!r}")
    return float(value) if isinstance(field.default, float) else value


def _column(numbers: list[float]) -> np.ndarray:
    """Numbers as the device has them: ints stay ints, which the config's rules keep in bounds."""
    dtype = jax.dtypes.canonicalize_dtype(int if isinstance(numbers[0], int) else float)
    return np.array(numbers, dtype)


def lost(states: SweepState) -> np.ndarray:
    """bool[members]: whether each has diverged, or will have by its next update."""
    return np.asarray(jax.jit(jax.vmap(_is_lost))(states))


def _is_lost(state: SweepState) -> Array:
    """Whether a member has diverged, or will have by its next update."""
    floats = [leaf for leaf in jax.tree.leaves(state.inner) if _is_float(leaf)]
    return jnp.stack([state.diverged, *(jnp.isnan(leaf).any() for leaf in floats)]).any()


def _is_float(leaf: Array) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.floating)


def _describe(
    out: pathlib.Path, config: Any, points: Sequence[Mapping[str, float]], num_seeds: int
) -> None:
    """Write `sweep.json`, unless the folder has one: it must say the same."""
    path = out / "sweep.json"
    values = {name: [point[name] for point in points] for name in points[0]}
    mine = {"config": dataclasses.asdict(config), "values": values, "num_seeds": num_seeds}
    if path.exists():
        if json.loads(path.read_text()) != json.loads(json.dumps(mine)):
            raise ValueError(
                f"sweep: {out} holds another sweep; choose another out, or what its sweep.json says"
            )
    elif checkpoint.latest_update(out / "checkpoints") is None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, mine)
