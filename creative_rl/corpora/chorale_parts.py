"""Bach's four-part chorales, all voices, on a grid of eighth notes.

97 of 100 notes begin on an eighth. Those between two of them, passing sixteenths nearly all, are
left out, or where they last, come half a frame late.
"""

import functools
import pathlib
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

import numpy as np

from creative_rl.corpora import cache, chorales, chord_labels, music21_folder, sources
from creative_rl.corpora.keys import shift_from_signature
from creative_rl.corpora.score import Line, Unusable, join
from creative_rl.corpora.tunes import STEPS_PER_QUARTER, Tune, tune_from_line
from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF
from creative_rl.works.voices import sounding_pitches

VERSION = 1
"""Changes whenever the same files give other arrays, so that old caches are left."""
FRAMES_PER_QUARTER = 2
VOICES = ("soprano", "alto", "tenor", "bass")
_STRIDE = STEPS_PER_QUARTER // FRAMES_PER_QUARTER


class Chorale(NamedTuple):
    """One piece, in C major or A minor."""

    name: str
    parts: np.ndarray
    """uint8[4, F], soprano to bass: 0 note-off, 1 hold, `2 + p` the MIDI pitch p"""
    sounding: np.ndarray
    """int16[4, F]: the MIDI pitch that sounds at every frame, -1 for none"""
    chords: np.ndarray
    """uint8[F]: the chord at every frame, a code of `ops.harmony` (`chord_labels.label`)"""
    starts: np.ndarray
    """int32[S]: frames where a full bar begins with a note of the soprano, increasing"""
    bar: int
    """frames in a bar"""


def read(path: pathlib.Path, name: str) -> list[Tune]:
    """The four voices of a chorale in a `.mxl` or `.xml` file, soprano to bass, on the grid.

    Raises:
      Unusable: not one part each is a soprano, an alto, a tenor and a bass; they differ in length;
        the key signature or the metre changes; or the grid does not fit.
    """
    root = chorales.read_root(path)
    parts = [_part(root, voice) for voice in VOICES]
    fifths = {int(key.findtext("fifths", "0")) for part in parts for key in part.iter("key")}
    metres = {
        (time.findtext("beats"), time.findtext("beat-type"))
        for part in parts
        for time in part.iter("time")
    }
    for what, found in (("key signatures", fifths), ("metres", metres)):
        if len(found) != 1:
            raise Unusable(f"it has {len(found)} {what}, one is needed")
    shift = shift_from_signature(fifths.pop())
    lines = [join(chorales.bars_of(part)) for part in parts]
    return [_on_grid(line, name, shift) for line in _of_one_length(lines)]


def load(cache_folder: pathlib.Path) -> tuple[list[Chorale], list[tuple[str, str]]]:
    """All pieces in order of name, and (name, reason) of those that are skipped.

    Raises:
      ImportError: music21 is not installed.
    """
    key = f"chorales, version {VERSION}, music21 {music21_folder.version()}"

    def build() -> cache.TuneSet:
        paths = music21_folder.files(chorales.FOLDER, (".mxl", ".xml"))
        return sources.read_voices(paths, [f"chorales/{path.stem}" for path in paths], read)

    tunes, skipped = cache.cached(cache_folder / "chorales.npz", key, build)
    pieces = [tunes[i : i + len(VOICES)] for i in range(0, len(tunes), len(VOICES))]
    return sorted(map(chorale_of, pieces), key=lambda piece: piece.name), skipped


def chorale_of(voices: list[Tune]) -> Chorale:
    """The piece of four voices on the grid, transposed by at most a tritone up or five semitones
    down."""
    shift = (voices[0].shift + 5) % 12 - 5
    parts = np.stack([voice.events for voice in voices])
    is_note = parts >= LOWEST_CODE
    parts[is_note] = parts[is_note].astype(int) + shift
    sounding = sounding_pitches(parts).astype(np.int16)
    return Chorale(
        name=voices[0].name,
        parts=parts,
        sounding=sounding,
        chords=chord_labels.label(sounding.T),
        starts=voices[0].starts,
        bar=_bar(voices),
    )


def _part(root: ElementTree.Element, voice: str) -> ElementTree.Element:
    ids = [
        entry.get("id")
        for entry in root.iter("score-part")
        if entry.findtext("part-name", "").lower().startswith(voice)
    ]
    if len(ids) != 1:
        raise Unusable(f"it has {len(ids)} parts called {voice}, one is needed")
    return next(part for part in root.iter("part") if part.get("id") == ids[0])


def _of_one_length(lines: list[Line]) -> list[Line]:
    lengths = {line.length for line in lines}
    if len(lengths) != 1:
        raise Unusable("its parts differ in length")
    return lines


def _on_grid(line: Line, name: str, shift: int) -> Tune:
    """A voice on the grid of eighths, by what sounds at each of them."""
    tune = tune_from_line(name, line, shift)
    origins = _origins(tune.events)[::_STRIDE]
    events = tune.events[origins]
    events[events == HOLD] = NOTE_OFF  # before the first note
    silent = events == NOTE_OFF
    goes_on = origins[1:] == origins[:-1]
    events[1:][goes_on | (silent[1:] & silent[:-1])] = HOLD
    if silent[0]:
        events[0] = HOLD
    starts = tune.starts[tune.starts % _STRIDE == 0] // _STRIDE
    return Tune(name, events, starts.astype(np.int32), shift)


def _origins(events: np.ndarray) -> np.ndarray:
    """For every step the last one, up to it, that is no hold; 0 where there is none."""
    steps = np.where(events != HOLD, np.arange(len(events)), 0)
    return np.maximum.accumulate(steps)


def _bar(voices: list[Tune]) -> int:
    """The most frequent distance of full bars that begin with a note in any voice."""
    starts = functools.reduce(np.union1d, [voice.starts for voice in voices])
    distances, counts = np.unique(np.diff(starts), return_counts=True)
    if not len(distances):
        return 4 * FRAMES_PER_QUARTER
    return int(distances[np.argmax(counts)])
