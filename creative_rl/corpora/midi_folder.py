"""Melodies of the user's own MIDI files: at every step the highest note that sounds."""

import hashlib
import itertools
import os
import pathlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from creative_rl.corpora.keys import shift_from_notes, shift_from_tonic
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import (
    STEPS_PER_QUARTER,
    Tune,
    check_fit,
    nearest_step,
    tune_from_spans,
)
from creative_rl.works.midi_file import Note, read_notes
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
        notes = [note for note in read_notes(path) if not note.is_drum]
        metres, key = _signatures(path)
    except ImportError:
        raise
    except Exception as error:  # mido's errors share no base, and one file must not stop the rest
        raise Unusable(str(error) or type(error).__name__) from error
    check_fit([note.start for note in notes])
    check_fit([note.end for note in notes], fits_grid=False)
    spans = highest_voice(notes)
    bars = bar_lines(metres, spans[-1].end)
    shift = shift_from_notes(spans) if key is None else shift_from_tonic(*key)
    return tune_from_spans(name, spans, bars[:-1], bars[-1], shift)


def highest_voice(notes: Sequence[Note]) -> list[Span]:
    """One voice on the grid: at every step the highest sounding note.

    A note that a higher one covers sounds again, as a new note, where that one ends first. Of
    equal pitches the later counts.
    """
    spans = []
    for note in notes:
        start = nearest_step(note.start)
        spans.append(Span(start, max(start + 1, nearest_step(note.end)), note.pitch))
    spans.sort(key=lambda span: (span.pitch, span.start))
    top = np.full(max(span.end for span in spans) + 1, -1, np.int32)  # by step, which span
    for index, span in enumerate(spans):
        top[span.start : span.end] = index
    borders = np.flatnonzero(np.diff(top, prepend=-1)).tolist()
    return [
        Span(start, end, spans[top[start]].pitch)
        for start, end in itertools.pairwise(borders)
        if top[start] >= 0
    ]


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


def _signatures(path: pathlib.Path) -> tuple[list[tuple[int, int]], tuple[str, bool] | None]:
    """Changes of metre as `bar_lines` takes them, and the key: its tonic, and whether minor."""
    import mido

    file = mido.MidiFile(path)
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
