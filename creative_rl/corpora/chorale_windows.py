"""Windows of Bach's chorales, to accompany and to learn accompanying from."""

import dataclasses
import os
import pathlib

import numpy as np

from creative_rl.corpora import cache, chorale_parts, chord_labels, split, windows
from creative_rl.corpora.chorale_parts import Chorale
from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF
from creative_rl.works.score import Score

LOWEST_BASS = 36
NUM_BASS_PITCHES = 36
"""What `bass_actions` reach: three octaves from MIDI 36 up."""
_CHOIR, _VELOCITY = 52, 80  # General MIDI, counted from 0
_PHRASE = 16  # frames in common, and one, that make two pieces versions of one tune


@dataclasses.dataclass(frozen=True, eq=False)
class ChoraleWindows:
    """Windows of one length `T`, in frames of an eighth note; each starts on a downbeat.

    Attributes:
      parts: uint8[N, 4, T], soprano, alto, tenor, bass: 0 note-off, 1 hold, `2 + p` the MIDI
        pitch p. A note that goes on from before the window begins again on its first frame.
      chords: uint8[N, T], the chord at every frame: 0 none, else a code of `ops.harmony`.
      bars: int32[N], frames in a bar.
      names: the piece that each window is from.
    """

    parts: np.ndarray
    chords: np.ndarray
    bars: np.ndarray
    names: tuple[str, ...]

    @property
    def melodies(self) -> np.ndarray:
        """uint8[N, T]: the sopranos."""
        return self.parts[:, 0]

    @property
    def chord_actions(self) -> np.ndarray:
        """uint8[N, T]: what an `accompaniment-chord` would have done, 0 where the chord goes on.

        With `melodies` these are examples for behaviour cloning: an online player tells the action
        at frame t from the melody before t and the actions before t.
        """
        return chord_labels.as_changes(self.chords)

    @property
    def bass_actions(self) -> np.ndarray:
        """uint8[N, T]: what an `accompaniment-voice` would have done to play the bass: 0 note-off,
        1 hold, `2 + k` MIDI 36 + k. The few pitches below 36 sound an octave higher."""
        bass = self.parts[:, 3].astype(int)
        above = (bass - LOWEST_CODE - LOWEST_BASS) % 12 + 12 * np.clip(
            (bass - LOWEST_CODE - LOWEST_BASS) // 12, 0, NUM_BASS_PITCHES // 12 - 1
        )
        return np.where(bass >= LOWEST_CODE, LOWEST_CODE + above, bass).astype(np.uint8)

    @property
    def scores(self) -> Score:
        """The windows as a batch of scores, the soprano first: to save, hear and measure."""
        events = self.parts.astype(np.int32)
        num, num_voices, length = events.shape
        return Score(
            events=events,
            velocities=np.full_like(events, _VELOCITY),
            chords=self.chord_actions.astype(np.int32),
            programs=np.full((num, num_voices), _CHOIR, np.int32),
            length=np.full(num, length, np.int32),
            names=chorale_parts.VOICES,
            steps_per_quarter=chorale_parts.FRAMES_PER_QUARTER,
        )

    def __len__(self) -> int:
        return len(self.parts)


@dataclasses.dataclass(frozen=True, eq=False)
class ChoraleCorpus:
    """Four-part chorales, split so that no tune is in both parts.

    Attributes:
      train: windows to learn from.
      held_out: windows of other tunes.
      train_names: pieces in `train`, in order of their windows.
      held_out_names: pieces in `held_out`, in order of their windows.
      skipped: (name, reason) of every piece that is in neither.
    """

    train: ChoraleWindows
    held_out: ChoraleWindows
    train_names: tuple[str, ...]
    held_out_names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return (
            f"ChoraleCorpus({len(self.train_names)} pieces, {len(self.train)} windows to train on; "
            f"{len(self.held_out_names)} pieces, {len(self.held_out)} windows held out; "
            f"{len(self.skipped)} pieces skipped)"
        )


def load_chorales(
    *,
    length: int = 64,
    held_out: float = 0.1,
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
) -> ChoraleCorpus:
    """Bach's four-part chorales, from inside music21, as windows in frames of an eighth note.

    Pieces are transposed to C major or A minor by their key signature, all four voices by the same
    interval, at most a tritone. Chords are labels by rule (`chord_labels.label`). Windows start on
    downbeats where the soprano begins a note, half their length apart or a little more
    (`windows.cut`), and do not pass a piece's end.

    Args:
      length: frames in a window, at least 1; eight are a bar of 4/4.
      held_out: share of tunes held out, in [0, 1); by name and `seed`, all versions of one tune on
        one side (`split`): those whose sopranos share 16 frames and one from a downbeat on.
      seed: another one gives another split.
      cache_dir: where the voices are kept between calls; None for the user's cache folder
        (`cache.default_folder`).

    Raises:
      ValueError: an argument is out of range, or no piece is that long.
      ImportError: music21 is not installed.
    """
    if length < 1:
        raise ValueError(f"load_chorales: length must be at least 1 frame, got {length}")
    if not 0 <= held_out < 1:
        raise ValueError(f"load_chorales: held_out is a share of tunes in [0, 1), got {held_out}")
    folder = pathlib.Path(cache_dir).expanduser() if cache_dir else cache.default_folder()
    pieces, skipped = chorale_parts.load(folder)
    usable, unfit = _usable(pieces, length)
    if not usable:
        raise ValueError(
            f"load_chorales: none of {len(pieces)} pieces has a window of {length} frames; give a "
            "smaller length"
        )
    family_of = split.families(
        {name: windows.cut(piece.parts[0], piece.starts, _PHRASE) for name, piece in usable.items()}
    )
    kept_back = split.held_out_names(family_of, held_out, seed)
    train_names = tuple(name for name in usable if name not in kept_back)
    held_out_names = tuple(name for name in usable if name in kept_back)
    return ChoraleCorpus(
        train=_windows([usable[name] for name in train_names], length),
        held_out=_windows([usable[name] for name in held_out_names], length),
        train_names=train_names,
        held_out_names=held_out_names,
        skipped=tuple(skipped + unfit),
    )


def _usable(pieces: list[Chorale], length: int) -> tuple[dict[str, Chorale], list[tuple[str, str]]]:
    """Pieces by name that have a window and are no copy, and those left out, with the reason."""
    usable: dict[str, Chorale] = {}
    skipped = []
    first_with: dict[bytes, str] = {}
    for piece in pieces:
        twin = first_with.setdefault(piece.parts.tobytes(), piece.name)
        if twin != piece.name:
            skipped.append((piece.name, f"it is the same, event by event, as {twin}"))
        elif not windows.places_of(piece.starts, piece.parts.shape[1], length):
            skipped.append((piece.name, f"no downbeat in it has {length} frames after it"))
        else:
            usable[piece.name] = piece
    return usable, skipped


def _windows(pieces: list[Chorale], length: int) -> ChoraleWindows:
    """All windows of the pieces, N possibly zero."""
    parts, chords, bars, names = [], [], [], []
    for piece in pieces:
        for place in windows.places_of(piece.starts, piece.parts.shape[1], length):
            parts.append(_window(piece, place, length))
            chords.append(piece.chords[place : place + length])
            bars.append(piece.bar)
            names.append(piece.name)
    return ChoraleWindows(
        parts=np.array(parts, np.uint8).reshape(-1, 4, length),
        chords=np.array(chords, np.uint8).reshape(-1, length),
        bars=np.array(bars, np.int32),
        names=tuple(names),
    )


def _window(piece: Chorale, place: int, length: int) -> np.ndarray:
    """uint8[4, T]: the events from a frame on, what sounds there beginning anew."""
    events = piece.parts[:, place : place + length].copy()
    pitches = piece.sounding[:, place]
    from_before = events[:, 0] == HOLD
    events[:, 0] = np.where(from_before & (pitches >= 0), LOWEST_CODE + pitches, events[:, 0])
    events[:, 0][pitches < 0] = NOTE_OFF
    return events
