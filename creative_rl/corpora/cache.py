"""Tunes kept between runs: one `.npz` a source, rebuilt whenever it is not what was asked for."""

import io
import logging
import os
import pathlib
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from creative_rl.atomic import write_bytes
from creative_rl.corpora.tunes import Tune
from creative_rl.ops.events import LOWEST_CODE

_LOG = logging.getLogger(__name__)


class TuneSet(NamedTuple):
    """What a source gives."""

    tunes: list[Tune]
    skipped: list[tuple[str, str]]
    """(name, reason)"""


def default_folder() -> pathlib.Path:
    """`creative_rl/corpora` in the user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`)."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(caches, "creative_rl", "corpora")


def cached(path: pathlib.Path, key: str, build: Callable[[], TuneSet]) -> TuneSet:
    """The tunes stored at `path` under `key`; else those of `build`, which are then stored.

    A file that is damaged, foreign or of another key is replaced. One that cannot be written is
    a logged line: the tunes are there all the same.
    """
    try:
        return unpack(path.read_bytes(), key)
    except FileNotFoundError:
        pass
    except OSError as error:
        _LOG.warning("cannot read the cache file %s (%s); building it again", path, error)
    except Stale:
        _LOG.info("the cache file %s is of another version or of changed files; rebuilding", path)
    except Damaged as error:
        _LOG.warning("%s is not a cache file of tunes (%s); building it again", path, error)
    tunes = build()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, pack(tunes, key))
    except OSError as error:
        _LOG.warning("cannot keep tunes in %s (%s); the next run reads them anew", path, error)
    return tunes


class Damaged(ValueError):
    """The bytes are no packed tunes."""


class Stale(ValueError):
    """The tunes were packed under another key."""


def pack(tune_set: TuneSet, key: str) -> bytes:
    """Tunes as an `.npz` of arrays: events and starts end to end, with offsets."""
    tunes, skipped = tune_set
    arrays = {
        "key": np.array(key),
        "names": np.array([tune.name for tune in tunes], np.str_),
        "shifts": np.array([tune.shift for tune in tunes], np.int8),
        "skipped": np.array(skipped, np.str_).reshape(-1, 2),
    }
    for field, kind in (("events", np.uint8), ("starts", np.int32)):
        parts = [getattr(tune, field) for tune in tunes]
        arrays[field] = np.concatenate([np.zeros(0, kind), *parts])
        arrays[f"{field}_offsets"] = np.cumsum([0, *map(len, parts)])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes, key: str) -> TuneSet:
    """The inverse of `pack`.

    Raises:
      Damaged: the bytes are anything else.
      Stale: they were packed under another key.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)
        if str(arrays["key"]) != key:
            raise Stale(str(arrays["key"]))
        names, shifts = arrays["names"], arrays["shifts"]
        events = _parts(arrays, "events", np.uint8, len(names))
        starts = _parts(arrays, "starts", np.int32, len(names))
        skipped = [(str(name), str(reason)) for name, reason in arrays["skipped"]]
        tunes = [
            Tune(str(name), *parts)
            for name, *parts in zip(names, events, starts, shifts.tolist(), strict=True)
        ]
        _check(tunes)
    except Stale:
        raise
    except (
        OSError, ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError,
        RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise Damaged(f"{type(error).__name__}: {error}") from error
    return TuneSet(tunes, skipped)


def _parts(arrays: dict[str, np.ndarray], field: str, kind: type, num: int) -> list[np.ndarray]:
    values, offsets = arrays[field], arrays[f"{field}_offsets"]
    if values.dtype != kind or values.ndim != 1 or offsets.shape != (num + 1,):
        raise ValueError(f"{field} has another form")
    if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
        raise ValueError(f"the offsets of {field} do not fit it")
    return np.split(values, offsets[1:-1]) if num else []


def _check(tunes: Sequence[Tune]) -> None:
    for tune in tunes:
        inside = (tune.starts >= 0) & (tune.starts < len(tune.events))
        if not inside.all() or (tune.events[tune.starts] < LOWEST_CODE).any():
            raise ValueError(f"{tune.name} starts where it has no note")
        if tune.events.max() > LOWEST_CODE + 127 or not 0 <= tune.shift < 12:
            raise ValueError(f"{tune.name} has events or a shift out of range")
