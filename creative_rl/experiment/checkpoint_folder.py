"""The folder of checkpoints: one named by its update is whole, others are on their way."""

import os
import pathlib
import shutil
from collections.abc import Callable, Sequence

import jax

_TEMPORARY = (".orbax-checkpoint-tmp", ".removed")
"""In the names of what is on its way in, and on its way out."""


def updates(folder: str | os.PathLike) -> list[int]:
    """The updates that have a checkpoint, oldest first; none where there is no folder."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def latest_update(folder: str | os.PathLike) -> int | None:
    """The newest checkpoint's update, or None."""
    return max(updates(folder), default=None)


def best_of(updates: Sequence[int], score: Callable[[int], float | None]) -> int | None:
    """The update with the highest score, the newest of equals; None where no score is known.

    Example:
      >>> best_of([0, 4, 8, 12], {4: 1.0, 8: 1.0, 12: 0.5}.get)
      8
    """
    scores = {update: found for update in updates if (found := score(update)) is not None}
    return max(scores, key=lambda update: (scores[update], update), default=None)


def discard_after(folder: str | os.PathLike, update: int) -> None:
    """Remove the checkpoints newer than `update`: the damaged ones that `restore` passed over."""
    for newer in updates(folder):
        if newer > update:
            remove(pathlib.Path(folder), newer)


def remove(folder: pathlib.Path, update: int) -> None:
    """Remove a checkpoint: with one step it is no checkpoint any more, then its files go."""
    old = folder / f"{update}.removed"
    (folder / str(update)).rename(old)
    shutil.rmtree(old)


def clear(folder: pathlib.Path) -> None:
    """Remove what was left on its way in or out."""
    if jax.process_index() == 0:
        for path in folder.iterdir():
            if any(mark in path.name for mark in _TEMPORARY):
                shutil.rmtree(path)
