"""Whether a training run fits into memory, told before anything is compiled or allocated.

The need is read from shapes and from the traced programs (see `liveness`), which costs what tracing
costs; training uses the same trace, so it is made once.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.experiment.chunks import compiled_chunk
from creative_rl.experiment.devices import Placement, key_shapes, make_init
from creative_rl.experiment.liveness import peak_bytes
from creative_rl.experiment.memory_parts import PARTS as STATE_PARTS
from creative_rl.experiment.memory_parts import state_parts
from creative_rl.typing import Key, Learner, PyTree

WORKING, METRICS, COPIES = "working memory", "metrics", "saved copies"
PARTS = (*STATE_PARTS, WORKING, METRICS, COPIES)
_ROOT = pathlib.Path("/")


def estimate(
    learner: Learner,
    num_members: int | None = None,
    *,
    start: Callable[[Key], PyTree] | None = None,
    num_copies: int = 0,
    placement: Placement | None = None,
) -> int:
    """Bytes that `train` needs on a device at its fullest: within a factor of two, often a tenth.

    Args:
      learner: what to train.
      num_members: learners trained side by side in one program; None for one alone.
      start: what makes the state from the members' keys, instead of `learner.init`.
      num_copies: further copies of the state, such as the one that is being saved.
      placement: of several devices, each of which has its part of the state, and computes its part
        of what is not as large as parameters.

    Raises:
      ValueError: `num_members` is below 1.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-target")
      >>> small = crl.learners.dqn(env, crl.DQNConfig(replay_size=1_000_000))
      >>> large = crl.learners.dqn(env, crl.DQNConfig(replay_size=1_000_000_000))
      >>> round(estimate(large) / estimate(small), -2)
      1000.0
    """
    return sum(
        parts(
            learner, num_members, start=start, num_copies=num_copies, placement=placement
        ).values()
    )


def parts(
    learner: Learner,
    num_members: int | None = None,
    *,
    start: Callable[[Key], PyTree] | None = None,
    num_copies: int = 0,
    placement: Placement | None = None,
) -> dict[str, int]:
    """Bytes of each of `PARTS`, of which `estimate` is the sum.

    Beside the parts of the state (see `memory_parts`) there are the rows of metrics of one call,
    the saved copies of the state, and working memory: the rollout, gradients, and all else that
    an update holds when it holds most.

    Args:
      learner, num_members, start, num_copies, placement: as for `estimate`.

    Raises:
      ValueError: as `estimate`.
    """
    if num_members is not None and num_members < 1:
        raise ValueError(f"memory: num_members must be at least 1, got {num_members}")
    init: Any = jax.jit(make_init(learner, num_members, start))
    chunk = traced_chunk(learner, num_members, start=start, placement=placement)
    state, metric_rows = chunk.out_info
    metrics = _size(metric_rows)
    most = max(_peak(init.trace(key_shapes(num_members))), _peak(chunk))
    working = max(most - _size(state) - metrics, 0)
    if placement is not None:
        state, working = _local(placement, state), _share(placement, state, working)
    found = state_parts(state)
    copies = num_copies * sum(found.values())
    return {**found, WORKING: working, METRICS: metrics, COPIES: copies}


def traced_chunk(
    learner: Learner,
    num_members: int | None = None,
    *,
    start: Callable[[Key], PyTree] | None = None,
    placement: Placement | None = None,
) -> jax.stages.Traced:
    """The program of many updates, as training compiles it, traced for the shapes of the state.

    Args:
      learner, num_members, start, placement: as for `estimate`.
    """
    state = jax.eval_shape(make_init(learner, num_members, start), key_shapes(num_members))
    chunk: Any = compiled_chunk(learner.update, num_members is not None, placement)
    return chunk.trace(state, _COUNT)


def check(
    learner: Learner,
    num_members: int | None = None,
    *,
    limit: int | None = None,
    start: Callable[[Key], PyTree] | None = None,
    num_copies: int = 0,
    placement: Placement | None = None,
) -> None:
    """Refuse what does not fit, before it is compiled.

    Args:
      learner, num_members, start, num_copies, placement: as for `estimate`.
      limit: bytes that a device has; None for what is free. Where that is not known, all fits.

    Raises:
      ValueError: the estimate is above the limit: by how much, and what would fit.
    """
    limit = _free(placement) if limit is None else limit
    if limit is None:
        return

    def need(num: int | None) -> int:
        return estimate(learner, num, start=start, num_copies=num_copies, placement=placement)

    most = need(num_members)
    if most <= limit:
        return
    who = "training needs"
    advice = f"make {_largest(learner)} smaller"
    if placement is not None:
        who, advice = f"each of {placement.mesh.size} devices needs", f"{advice}, or take more"
    elif num_members is not None and num_members > 1:
        who = f"training {num_members:,} learners side by side needs"
        fitting = _most_members(need, num_members, most, limit)
        if fitting:
            advice = f"{fitting:,} would fit"
    raise ValueError(
        f"memory: {who} about {shown(most)}, but {shown(limit)} are free, which is "
        f"{shown(most - limit)} too little; {advice}"
    )


def available_bytes() -> int | None:
    """Memory that is free on the device; None where that cannot be found out.

    On an accelerator it is what its allocator has left; on a processor what the machine can give
    away, or what is left to this process's control group where that is less (Linux).
    """
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return max(0, stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    if jax.default_backend() != "cpu":
        return None
    known = [free for free in (_machine_bytes(), *_group_bytes()) if free is not None]
    return min(known, default=None)


def shown(size: int) -> str:
    """A size in bytes as people read it: 3 digits and a unit.

    Example:
      >>> shown(1536), shown(3 * 2**40)
      ('1.50 KiB', '3.00 TiB')
    """
    number, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if number < 1000 or unit == "PiB":
            break
        number /= 1024
    return (
        f"{size} B"
        if unit == "B"
        else f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"
    )


_COUNT = jax.ShapeDtypeStruct((), jnp.int32)


def _free(placement: Placement | None) -> int | None:
    """Bytes that a device may use; those of a processor have one memory together."""
    found = available_bytes()
    if found is None or placement is None or jax.default_backend() != "cpu":
        return found
    return found // placement.num_local


def _local(placement: Placement, state: PyTree) -> PyTree:
    """The shapes of what one device has of a state."""
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(place.shard_shape(leaf.shape), leaf.dtype),
        state,
        placement.state,
    )


def _share(placement: Placement, state: PyTree, working: int) -> int:
    """Of what one device would hold beside the state, what one of several does: its part, but at
    least new parameters beside the old."""
    leaves = jax.tree.leaves(state)
    shards = [placement.num_shards(spec) for spec in placement.specs]
    whole = sum(
        _size(leaf) // num
        for leaf, num in zip(leaves, shards, strict=True)
        if num == placement.num_population
    )
    working //= placement.num_population
    return max(working // placement.num_env, min(working, whole))


def _peak(traced: jax.stages.Traced) -> int:
    donated = [argument.donated for argument in jax.tree.leaves(traced.args_info)]
    return peak_bytes(traced.jaxpr, donated)


def _size(tree: PyTree) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _largest(learner: Learner) -> str:
    """The largest array of one learner's state, by its path."""
    state = jax.eval_shape(learner.init, key_shapes(None))
    path, leaf = max(
        jax.tree.leaves_with_path(state), key=lambda item: item[1].size * item[1].dtype.itemsize
    )
    name = jax.tree_util.keystr(path, simple=True, separator="/")
    return f"the state's {name} ({shown(_size(leaf))})"


def _most_members(need: Callable[[int], int], num_members: int, most: int, limit: int) -> int:
    """Members that fit, approached from above along secants; 0 where not even one does."""
    low, low_need = 1, need(1)  # the other end of the secant
    if low_need > limit:
        return 0
    while most > limit:
        step = (most - limit) * (num_members - low) // (most - low_need)
        low, low_need = num_members, most
        num_members = max(1, num_members - 1 - step)
        most = need(num_members)
    return num_members


def _machine_bytes() -> int | None:
    try:
        text = (_ROOT / "proc/meminfo").read_text()
        return int(text.partition("MemAvailable:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return None


def _group_bytes() -> list[int | None]:
    """What is left to the control group and to those that it is in, as far as they are limited."""
    try:
        lines = (_ROOT / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            base = _ROOT / "sys/fs/cgroup" / controllers
            places = [base / path.lstrip("/"), *(base / path.lstrip("/")).parents]
            found += [_left(place) for place in places if place.is_relative_to(base)]
    return found


def _left(group: pathlib.Path) -> int | None:
    """Bytes that a group may still use: what it caches of files can be dropped."""
    for most, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),  # version 2
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
    ):
        try:
            limit = int((group / most).read_text())  # "max" where there is none
            in_use = int((group / used).read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue
        return max(0, limit - in_use + int(stat.get(cached, 0)))
    return None
