"""Melodies of the user's own MIDI files: at every step the highest note that sounds."""

import hashlib
import os
import pathlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from creative_rl.corpora.keys import shift_from_notes, shift_from_tonic
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import (
    STEPS_PER_QUARTER,
    Tune,
    check_fit,
    nearest_step,
    tune_from_spans,
)
from creative_rl.works import midi_file
from creative_rl.works.spans import Span

SUFFIXES = (".mid", ".midi")


def find(folder: pathlib.Path) -> list[pathlib.Path]:
    """All MIDI files below a folder, by their suffix in any case, in order of path.

    Links to folders are not followed.

    Raises:
      OSError: the folder, or one below it, cannot be listed.
    """

    def stop(error: OSError) -> None:
        raise error

    found = []
    for parent, _, names in os.walk(folder, onerror=stop):
        found += [pathlib.Path(parent, name) for name in names if name.lower().endswith(SUFFIXES)]
    return sorted(found)


def fingerprint(folder: pathlib.Path, paths: Iterable[pathlib.Path]) -> str:
    """A hash that changes when a file is added, removed, renamed, resized or written to."""
    lines = []
    for path in paths:
        status = path.stat()
        lines.append(f"{path.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def read(path: pathlib.Path, name: str) -> Tune:
    """The melody of a MIDI file, drums left out.

    Bars follow the file's time signatures, 4/4 where there is none. Its key signature counts
    where it names one key other than C: programs write C major unasked, so then, as where there
    is none, the notes decide.

    Raises:
      Unusable: the file is malformed, has no notes, or does not keep time with the grid.
    """
    try:
        file = midi_file.parse(path)
        notes = [note for note in midi_file.notes_in(file) if not note.is_drum]
        metres, key = _signatures(file)
    except ImportError:
        raise
    except Exception as error:  # mido's errors share no base, and one file must not stop the rest
        raise Unusable(str(error) or type(error).__name__) from error
    check_fit([note.start for note in notes])
    check_fit([note.end for note in notes], fits_grid=False)
    voice = midi_file.on_grid(notes, STEPS_PER_QUARTER, nearest_step)
    spans = [Span(*note[:3]) for note in voice]
    bars = bar_lines(metres, spans[-1].end)
    shift = shift_from_notes(spans) if key is None else shift_from_tonic(*key)
    return tune_from_spans(name, spans, bars[:-1], bars[-1], shift)


def bar_lines(metres: Sequence[tuple[int, int]], length: int) -> list[int]:
    """Steps of the bar lines from 0 to the first at or after `length`.

    Args:
      metres: (step, steps a bar) of every change, in order of time; a change begins a bar.
      length: steps to cover, at least 1.
    """
    changes = [(0, 4 * STEPS_PER_QUARTER)]
    changes += [change for change in metres if change[0] < length]
    ends = [step for step, _ in changes[1:]] + [length]
    lines: list[int] = []
    for (begin, bar), end in zip(changes, ends, strict=True):
        lines += range(begin, end, bar)
    return [*lines, lines[-1] + changes[-1][1]]


def _signatures(file: Any) -> tuple[list[tuple[int, int]], tuple[str, bool] | None]:
    """Changes of metre as `bar_lines` takes them, and the key: its tonic, and whether minor."""
    metres: dict[int, int] = {}
    keys = set()
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "time_signature":
                _add_metre(metres, Fraction(now, file.ticks_per_beat), message)
            elif message.type == "key_signature":
                keys.add(message.key)
    return sorted(metres.items()), _only_key(keys)


def _add_metre(metres: dict[int, int], time: Fraction, message: Any) -> None:
    bar = Fraction(4 * STEPS_PER_QUARTER * message.numerator, message.denominator)
    if bar >= 1 and bar.denominator == 1:  # else damaged, or finer than the grid
        metres[nearest_step(time)] = int(bar)


def _only_key(keys: set[str]) -> tuple[str, bool] | None:
    if len(keys) != 1 or keys == {"C"}:
        return None
    key = keys.pop()
    return key.removesuffix("m"), key.endswith("m")
