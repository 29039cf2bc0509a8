"""Exact checkpoints of whole states: any pytree of arrays, typed keys among them.

Checkpoints are written beside the old ones and appear whole or not at all; a process that is
killed while it writes leaves the earlier ones as they were.
"""

import contextlib
import functools
import logging
import os
import pathlib
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

from creative_rl.typing import Array, PyTree

_log = logging.getLogger(__name__)


class NanStateError(ArithmeticError):
    """A state holds NaN, at the leaf `name`."""

    def __init__(self, name: str):
        super().__init__(f"{name} in the state is NaN")
        self.name = f"the state's {name}"


@jax.jit
def copy(state: PyTree) -> PyTree:
    """The same state in buffers of its own, so that the other may be donated."""
    return jax.tree.map(jnp.copy, state)


@functools.partial(jax.jit, static_argnums=1)
def _find_nan(leaves: dict[str, Array], spares_members: bool) -> dict[str, Array]:
    """For each leaf whether it holds NaN; of members that may be spared, only if all hold NaN."""
    found = {
        name: jnp.isnan(leaf).any(range(int(spares_members), leaf.ndim))
        for name, leaf in leaves.items()
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    }
    if spares_members and found:
        lost = functools.reduce(jnp.logical_or, found.values())
        found = {name: leaf.any() & lost.all() for name, leaf in found.items()}
    return found


class CheckpointWriter:
    """Writes checkpoints in the background and keeps the newest.

    Use it as a context manager, or `close` it: the last checkpoint is whole only then.

    Args:
      folder: made where it does not exist.
      keep: newest checkpoints that stay.

    Attributes:
      latest: update of the newest checkpoint, None where there is none.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 3):
        if keep < 1:
            raise ValueError(f"checkpoints: keep must be at least 1, got {keep}")
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep, create=True, cleanup_tmp_directories=True
        )
        self._manager = ocp.CheckpointManager(_absolute(folder), options=options)
        self.latest = self._manager.latest_step()

    def save(self, state: PyTree, update: int, spares_members: bool = False) -> None:
        """Start to write `state` as checkpoint `update`, which must be larger than any before.

        The state is copied first, so the caller may donate it right away. Where it
        `spares_members`, which lie along the first axis, only NaN in every one of them counts.

        Raises:
          NanStateError: the state holds NaN; the checkpoints stay as they are.
        """
        leaves = _by_name(state)
        for name, is_nan in jax.device_get(_find_nan(leaves, spares_members)).items():
            if is_nan:
                raise NanStateError(name)
        self._manager.save(update, args=ocp.args.StandardSave(copy(leaves)), force=True)
        self.latest = update

    def close(self) -> None:
        """Wait until everything is on disk."""
        self._manager.wait_until_finished()
        self._manager.close()

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def save(folder: str | os.PathLike, state: PyTree, update: int, keep: int = 3) -> None:
    """Write one checkpoint and wait for it."""
    with CheckpointWriter(folder, keep) as writer:
        writer.save(state, update)


def updates(folder: str | os.PathLike) -> list[int]:
    """The updates that have a checkpoint, oldest first; none where there is no folder."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def latest_update(folder: str | os.PathLike) -> int | None:
    """The newest checkpoint's update, or None."""
    return max(updates(folder), default=None)


def discard_after(folder: str | os.PathLike, update: int) -> None:
    """Remove the checkpoints newer than `update`: the damaged ones that `restore` passed over."""
    for newer in updates(folder):
        if newer > update:
            shutil.rmtree(pathlib.Path(folder) / str(newer))


def restore(
    folder: str | os.PathLike, template: PyTree, update: int | None = None
) -> tuple[PyTree, int]:
    """Read a checkpoint back.

    Args:
      folder: where `save` wrote.
      template: arrays or `jax.ShapeDtypeStruct`s of the same structure, as from `jax.eval_shape`;
        where a struct has a sharding, its array will lie so, on however many devices it was before.
      update: which checkpoint; None for the newest that can be read: damaged ones are passed over
        with a logged warning.

    Returns:
      The state and its update.

    Raises:
      ValueError: there is no checkpoint, none can be read, or it holds another structure.
    """
    available = updates(folder)
    if not available:
        raise ValueError(f"{folder}: there is no checkpoint; resume the run or train again")
    if update is not None and update not in available:
        raise ValueError(f"{folder}: there is no checkpoint {update}; it has {available}")
    for candidate in reversed(available) if update is None else [update]:
        try:
            return _read(_absolute(folder), candidate, template), candidate
        except _DamagedError as error:
            damaged = f"checkpoint {candidate} in {folder} is damaged ({error})"
            if candidate != available[0] and update is None:
                _log.warning("%s; falling back to an older one", damaged)
    if update is None:
        raise ValueError(f"{damaged} and there is no older one; start the run again")
    raise ValueError(f"{damaged}; choose another of {available}")


class _DamagedError(Exception):
    """A checkpoint that cannot be read."""


def _read(folder: pathlib.Path, update: int, template: PyTree) -> PyTree:
    """One checkpoint: `_DamagedError` where it cannot be read, ValueError where it does not fit."""
    item = folder / str(update) / "default"
    wanted = _by_name(_placed(template))
    with _quiet(), ocp.StandardCheckpointer() as checkpointer:
        try:
            stored = checkpointer.metadata(item).item_metadata
            if stored is None:
                raise FileNotFoundError("the list of its arrays cannot be read")
            shapes = {name: leaf.shape for name, leaf in stored.tree.items()}
        except Exception as error:
            raise _DamagedError(_first_line(error)) from error
        _check_fit(folder / str(update), shapes, wanted)
        try:
            leaves = checkpointer.restore(item, wanted)
        except Exception as error:
            raise _DamagedError(_first_line(error)) from error
    return jax.tree.unflatten(jax.tree.structure(template), [leaves[name] for name in wanted])


def _placed(template: PyTree) -> PyTree:
    """The template with places: where it says none, this process's first device, wherever the
    arrays lay when they were written."""
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])

    def place(leaf: Any) -> jax.ShapeDtypeStruct:
        sharding = getattr(leaf, "sharding", None) or here
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return jax.tree.map(place, template)


def _check_fit(path: pathlib.Path, stored: dict[str, Any], template: dict[str, Any]) -> None:
    """Compare names and shapes before reading: the reader's own complaint fills pages."""
    raw = jax.eval_shape(_raw_keys, template)
    wanted = {name: leaf.shape for name, leaf in raw.items()}
    for name in sorted({*stored, *wanted}):
        if stored.get(name) != wanted.get(name):
            there, here = (shapes.get(name, "absent") for shapes in (stored, wanted))
            raise ValueError(
                f"checkpoint {path} is not of this learner's state: {name} is {there} there and "
                f"{here} here; use the settings it was made with"
            )


def _by_name(tree: PyTree) -> dict[str, Any]:
    """The leaves in their order, by their path: what is stored, free of the tree's own classes."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): leaf
        for path, leaf in jax.tree.leaves_with_path(tree)
    }


def _raw_keys(tree: PyTree) -> PyTree:
    """Typed keys as the numbers they are stored as."""

    def raw(leaf: Array) -> Array:
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.random.key_data(leaf) if is_key else leaf

    return jax.tree.map(raw, tree)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what orbax and its threads print beside an error that is reported in one line."""
    orbax_log, hook = logging.getLogger("absl"), sys.unraisablehook
    level = orbax_log.level

    def pass_on_others(unraisable: Any) -> None:
        if "Event loop is closed" not in str(unraisable.exc_value):
            hook(unraisable)

    orbax_log.setLevel(logging.ERROR)
    sys.unraisablehook = pass_on_others
    try:
        yield
    except _DamagedError:
        time.sleep(0.2)  # threads that read the other arrays still run into the closed loop
        raise
    finally:
        sys.unraisablehook = hook
        orbax_log.setLevel(level)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _absolute(folder: str | os.PathLike) -> pathlib.Path:
    return pathlib.Path(folder).absolute()
