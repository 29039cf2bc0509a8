"""Exact checkpoints of whole states: any pytree of arrays, typed keys among them.

Checkpoints are written in the background, beside the old ones, and appear and go whole or not at
all; a process that is killed while it writes leaves the earlier ones as they were.
"""

import contextlib
import errno
import functools
import logging
import os
import pathlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

from creative_rl.experiment.checkpoint_folder import (
    best_of,
    clear,
    discard_after,
    latest_update,
    remove,
    updates,
)
from creative_rl.typing import Array, PyTree

__all__ = [
    "CheckpointWriter",
    "NanStateError",
    "SaveError",
    "best_of",
    "copy",
    "discard_after",
    "latest_update",
    "num_copies",
    "restore",
    "save",
    "updates",
]

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


class SaveError(RuntimeError):
    """A checkpoint could not be written; those before it are whole.

    Attributes:
      update: of the checkpoint that is missing.
      latest: update of the newest checkpoint, None where there is none.
    """

    def __init__(self, folder: pathlib.Path, update: int, latest: int | None, reason: str):
        kept = "no earlier one is there" if latest is None else f"checkpoint {latest} is kept"
        super().__init__(
            f"checkpoint {update} could not be written to {folder} ({reason}); {kept}; put that "
            "right, then resume the run"
        )
        self.update, self.latest = update, latest


class CheckpointWriter:
    """Writes checkpoints in the background, one at a time, and keeps the newest and the best.

    Use it as a context manager, or `close` it: the last checkpoint is whole only then. What killed
    processes left half-written or half-removed in the folder is cleared away first.

    Args:
      folder: made where it does not exist.
      keep: newest checkpoints that stay.
      score: how good the checkpoint of an update is, None where that is not known; the one with
        the highest score stays too. It is called in the background.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        keep: int = 3,
        score: Callable[[int], float | None] = lambda update: None,
    ):
        if keep < 1:
            raise ValueError(f"checkpoints: keep must be at least 1, got {keep}")
        self._folder, self._keep, self._score = _absolute(folder), keep, score
        self._folder.mkdir(parents=True, exist_ok=True)
        clear(self._folder)
        self._whole = latest_update(folder)
        self._writing: int | None = None
        self._thread: threading.Thread | None = None
        self._failure: SaveError | None = None
        self._quiet = contextlib.ExitStack()
        self._quiet.enter_context(_quiet())
        self._checkpointer = ocp.AsyncCheckpointer(
            ocp.StandardCheckpointHandler(),
            # A folder that cannot be made is told at once, and not after a time-out.
            async_options=ocp.options.AsyncOptions(create_directories_asynchronously=False),
        )

    @property
    def latest(self) -> int | None:
        """Update of the newest checkpoint, the one that is being written included; or None."""
        return self._whole if self._writing is None else self._writing

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is being written, for which `save` would wait."""
        return self._thread is not None and self._thread.is_alive()

    def save(self, state: PyTree, update: int, spares_members: bool = False) -> None:
        """Start to write `state` as checkpoint `update`, which must be larger than any before.

        It waits for the checkpoint before and until the state is in the host's memory, so the
        caller may donate it right away. Where it `spares_members`, which lie along the first axis,
        only NaN in every one of them counts.

        Raises:
          NanStateError: the state holds NaN; the checkpoints stay as they are.
          SaveError: the checkpoint before, or this one, could not be written.
        """
        leaves = _by_name(state)
        for name, is_nan in jax.device_get(_find_nan(leaves, spares_members)).items():
            if is_nan:
                raise NanStateError(name)
        self.wait()
        self._writing = update
        if num_copies():
            leaves = copy(leaves)
        try:
            self._checkpointer.save(
                self._folder / str(update),
                args=ocp.args.StandardSave(leaves),
            )
        except Exception as error:
            self._fail(update, error)
            self.wait()
        self._thread = threading.Thread(target=self._finish, args=(update,), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Wait until the checkpoint that is being written is on disk.

        Raises:
          SaveError: it could not be written. It is raised once.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure from None

    def close(self) -> None:
        """`wait`, and let go of what writes."""
        try:
            self.wait()
        finally:
            self._checkpointer.close()
            self._quiet.close()

    def _finish(self, update: int) -> None:
        """In the background: wait until it is written, then remove what is not kept."""
        try:
            self._checkpointer.wait_until_finished()
        except BaseException as error:
            self._fail(update, error)
            return
        self._whole, self._writing = update, None
        if jax.process_index() == 0:
            try:
                self._remove_old()
            except OSError as error:
                _log.warning("old checkpoints in %s were not removed: %s", self._folder, error)

    def _remove_old(self) -> None:
        found = updates(self._folder)
        kept = {*found[-self._keep :], best_of(found, self._score)}
        for update in found:
            if update not in kept:
                remove(self._folder, update)

    def _fail(self, update: int, error: BaseException) -> None:
        self._writing = None
        self._failure = SaveError(self._folder, update, self._whole, _reason(error))
        _let_threads_end()
        with contextlib.suppress(OSError):
            clear(self._folder)

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            self.close()
        except SaveError as failure:
            if kind is None:
                raise
            _log.warning("%s", failure)  # what is under way tells more


def num_copies() -> int:
    """Copies of a state on the device while it is saved: off an accelerator it is copied at once,
    whereas a processor's arrays are shared with what writes them."""
    return int(jax.default_backend() == "cpu")


def save(folder: str | os.PathLike, state: PyTree, update: int, keep: int = 3) -> None:
    """Write one checkpoint and wait for it."""
    with CheckpointWriter(folder, keep) as writer:
        writer.save(state, update)


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
    item = folder / str(update)
    if (item / "default").is_dir():  # as earlier ones were written
        item /= "default"
    wanted = _by_name(_placed(template))
    with _quiet(), ocp.StandardCheckpointer() as checkpointer:
        try:
            stored = checkpointer.metadata(item).item_metadata
            if stored is None:
                raise FileNotFoundError("the list of its arrays cannot be read")
            shapes = {name: leaf.shape for name, leaf in stored.tree.items()}
        except Exception as error:
            _let_threads_end()
            raise _DamagedError(_first_line(error)) from error
        _check_fit(folder / str(update), shapes, wanted)
        try:
            leaves = checkpointer.restore(item, wanted)
        except Exception as error:
            _let_threads_end()
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

    def pass_on_others(unraisable: Any) -> None:
        if "Event loop is closed" not in str(unraisable.exc_value):
            hook(unraisable)

    orbax_log.addFilter(_is_not_of_orbax)
    sys.unraisablehook = pass_on_others
    try:
        yield
    finally:
        sys.unraisablehook = hook
        orbax_log.removeFilter(_is_not_of_orbax)


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
    return "orbax" not in record.pathname


def _let_threads_end() -> None:
    """Those that handle the other arrays still run into the event loop that an error has closed."""
    time.sleep(0.2)


def _reason(error: BaseException) -> str:
    """Why a file could not be written, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    full = os.strerror(errno.ENOSPC)
    return full if full in str(error) else _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _absolute(folder: str | os.PathLike) -> pathlib.Path:
    return pathlib.Path(folder).absolute()
