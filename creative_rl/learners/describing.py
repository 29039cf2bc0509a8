"""From the names of descriptors to functions of an episode and the ranges of an archive."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from creative_rl.metrics.descriptors import DESCRIPTORS
from creative_rl.typing import Array, PyTree

TERM = "term_"
"""What the name of a reward term's sum begins with, as in metrics."""


class Axis(NamedTuple):
    """A dimension of an archive.

    Attributes:
      name: as it was asked for.
      fn: from an episode's last work and its sums of reward terms to a float32 scalar.
      low: end of the range.
      high: the other end.
    """

    name: str
    fn: Callable[[PyTree, Mapping[str, Array]], Array]
    low: float
    high: float


def axes(learner: str, env: Any, params: PyTree, told: str, num: int) -> tuple[Axis, ...]:
    """What `told` names, one axis for each of `num` numbers of cells.

    Names are those of `metrics.descriptors` for the environment's kind of work, and `term_` with
    the name of a reward term for its sum over the episode, before its weight. A range after a name,
    `NAME:LOW:HIGH`, takes the place of its own; terms have none. An empty text stands for the first
    ones of the kind of work.

    Raises:
      ValueError: a name is unknown, a range is missing or wrong, or there are not `num` names.
    """

    def start(params: PyTree) -> tuple[PyTree, Mapping[str, Array]]:
        state, timestep = env.reset(jax.random.key(0), params)
        return env.work(state, params), timestep.info["reward_terms"]

    work, terms = jax.eval_shape(start, params)
    own = DESCRIPTORS.get(type(work), {})
    known = [*own, *(TERM + name for name in terms)]
    asked = [part.strip() for part in told.split(",") if part.strip()] or list(own)[:num]
    if len(asked) != num:
        raise ValueError(
            f"{learner}: descriptors must be as many as cells has numbers, {num}, got "
            f"{len(asked)}; known: {', '.join(known)}"
        )
    found = []
    for part in asked:
        name, *ends = (piece.strip() for piece in part.split(":"))
        if name not in known:
            raise ValueError(f"{learner}: unknown descriptor {name!r}; known: {', '.join(known)}")
        if name in own:
            low, high = _range(learner, part, ends) or own[name].range(work)
            found.append(Axis(name, _of_work(own[name].fn), low, high))
        else:
            if not (given := _range(learner, part, ends)):
                raise ValueError(
                    f"{learner}: {name} needs a range of its sum over an episode, such as "
                    f"{name}:0:10"
                )
            found.append(Axis(name, _of_term(name.removeprefix(TERM)), *given))
    return tuple(found)


def _range(learner: str, part: str, ends: list[str]) -> tuple[float, float] | None:
    if not ends:
        return None
    try:
        low, high = map(float, ends)
    except ValueError:
        low = high = math.nan
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            f"{learner}: a descriptor is NAME or NAME:LOW:HIGH with LOW below HIGH, got {part!r}"
        )
    return low, high


def _of_work(fn: Callable[[PyTree], Array]) -> Callable[[PyTree, Mapping[str, Array]], Array]:
    return lambda work, terms: fn(work)


def _of_term(name: str) -> Callable[[PyTree, Mapping[str, Array]], Array]:
    return lambda work, terms: terms[name]
