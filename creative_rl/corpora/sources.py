"""From the name of a source to its tunes, read once and then from the cache."""

import functools
import hashlib
import os
import pathlib
from collections.abc import Callable, Sequence

from creative_rl.corpora import cache, chorales, fiddle_tunes, midi_folder, music21_folder
from creative_rl.corpora.cache import TuneSet
from creative_rl.corpora.names import did_you_mean
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import Tune

VERSION = 1
"""Changes whenever the same files give other tunes, so that old caches are left."""
NAMES = ("default", "ryans-mammoth", "bach-sopranos")

_MODULES = {
    "ryans-mammoth": (fiddle_tunes, (".abc",)),
    "bach-sopranos": (chorales, (".mxl", ".xml")),
}


def tunes_of(source: str | os.PathLike, cache_folder: pathlib.Path) -> TuneSet:
    """All tunes of a source, and what was skipped.

    Raises:
      ValueError: no such source, or a directory that is missing, unreadable or without MIDI.
      ImportError: music21 or mido is needed and not installed.
    """
    if source == "default":
        parts = [tunes_of(name, cache_folder) for name in _MODULES]
        return TuneSet(*([*a, *b] for a, b in zip(*parts, strict=True)))
    if isinstance(source, str) and source in _MODULES:
        return _built_in(source, cache_folder)
    if not str(source):
        raise ValueError("a corpus is a name or a folder of MIDI files, got an empty string")
    return _midi(pathlib.Path(source).expanduser(), cache_folder)


def _built_in(name: str, cache_folder: pathlib.Path) -> TuneSet:
    key = f"{name}, version {VERSION}, music21 {music21_folder.version()}"
    module, suffixes = _MODULES[name]

    def build() -> TuneSet:
        paths = music21_folder.files(module.FOLDER, suffixes)
        return _read_all(paths, [f"{name}/{path.stem}" for path in paths], module.read)

    return cache.cached(cache_folder / f"{name}.npz", key, build)


def _midi(folder: pathlib.Path, cache_folder: pathlib.Path) -> TuneSet:
    try:
        _check_folder(folder)
        paths = midi_folder.find(folder)
        key = f"midi, version {VERSION}, {midi_folder.fingerprint(folder, paths)}"
    except OSError as error:
        raise ValueError(
            f"cannot read the directory of MIDI files {folder} ({error.strerror}); give one whose "
            "files and sub-directories you may read"
        ) from error
    if not paths:
        raise ValueError(
            f"there is no .mid or .midi file in {folder} or below; put some there, or give "
            f"one of {', '.join(NAMES)}"
        )
    names = [path.relative_to(folder).as_posix() for path in paths]
    place = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    build = functools.partial(_read_all, paths, names, midi_folder.read)
    return cache.cached(cache_folder / f"midi-{place}.npz", key, build)


def _check_folder(folder: pathlib.Path) -> None:
    if not folder.is_dir():
        hint = did_you_mean(str(folder), NAMES)
        what = "that is a file" if folder.exists() else f"there is no such directory{hint}"
        raise ValueError(
            f"a corpus is one of {', '.join(NAMES)} or a directory of MIDI files, got "
            f"{str(folder)!r}: {what}"
        )


def _read_all(
    paths: Sequence[pathlib.Path], names: Sequence[str], read: Callable[[pathlib.Path, str], Tune]
) -> TuneSet:
    return read_voices(paths, names, lambda path, name: [read(path, name)])


def read_voices(
    paths: Sequence[pathlib.Path],
    names: Sequence[str],
    read: Callable[[pathlib.Path, str], Sequence[Tune]],
) -> TuneSet:
    """Every file's tunes one after the other, with a progress bar on a terminal's standard error.

    A file whose `read` raises `Unusable` is skipped, with its name and the reason.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    tunes: list[Tune] = []
    skipped = []
    for path, name in track(
        list(zip(paths, names, strict=True)),
        f"Reading {len(paths)} pieces",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ):
        try:
            tunes += read(path, name)
        except Unusable as error:
            skipped.append((name, str(error)))
    return TuneSet(tunes, skipped)
