"""MIDI files through mido: notes, tempo, and texts of ours; what melodies and scores share."""

import collections
import io
import itertools
import os
import pathlib
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from creative_rl.works.voices import VoiceNote

TICKS_PER_QUARTER = 480
DRUM_CHANNEL = 9  # counted from 0: the tenth of General MIDI
MAX_STEPS = 65_536
"""Longest work read: a damaged time would otherwise ask for gigabytes of rests."""

_DEFAULT_TEMPO = 500_000  # microseconds a quarter note where the file names none, by the standard


class Note(NamedTuple):
    """A note of a MIDI file; times in quarter notes from the start of the file."""

    start: float
    end: float
    pitch: int
    channel: int
    is_drum: bool
    velocity: int = 64
    """1..127; what the standard gives to instruments that know of none"""


def import_mido() -> Any:
    """The package mido, or an ImportError that says how to get it."""
    try:
        import mido
    except ImportError as error:
        raise ImportError("MIDI files need mido: pip install 'creative_rl[media]'") from error
    return mido


def parse(path: str | os.PathLike) -> Any:
    """A `mido.MidiFile` whose times are in ticks of a quarter note.

    Raises:
      ValueError: the file is not a readable MIDI file; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: mido is not installed.
    """
    mido = import_mido()
    data = pathlib.Path(path).read_bytes()
    try:
        file = mido.MidiFile(file=io.BytesIO(data))
    except (
        OSError, EOFError, ValueError, KeyError, IndexError, struct.error,
        mido.KeySignatureError,
    ) as error:  # fmt: skip
        reason = str(error) or "it ends too early"
        raise ValueError(f"{path} is not a readable MIDI file: {reason}") from error
    if file.type not in (0, 1):
        raise ValueError(f"{path}: MIDI files of type 0 or 1 are read, this is type {file.type}")
    if file.ticks_per_beat <= 0:
        raise ValueError(f"{path}: its times are in seconds (SMPTE), not in quarter notes")
    return file


def notes_in(file: Any) -> list[Note]:
    """All notes of a file that `parse` made, sorted by start, then by pitch.

    Tracks are read apart, so equal pitches in two of them do not end each other; inside one, a
    note-off ends the oldest of its pitch and channel. A note that is never ended lasts to the
    end of its track; one without duration is left out.
    """
    notes: list[Note] = []
    for track in file.tracks:
        notes.extend(track_notes(track, file.ticks_per_beat))
    return sorted(notes, key=lambda note: (note.start, note.pitch))


def track_notes(track: Iterable[Any], ticks_per_quarter: int) -> Iterable[Note]:
    """The notes of one track, in no order; see `notes_in`."""
    now = 0
    # Starts and velocities by channel and pitch, oldest first.
    sounding: collections.defaultdict[tuple[int, int], collections.deque[tuple[int, int]]]
    sounding = collections.defaultdict(collections.deque)
    spans = []
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        starts = sounding[message.channel, message.note]
        if message.type == "note_on" and message.velocity > 0:
            starts.append((now, message.velocity))
        elif starts:
            spans.append((*starts.popleft(), now, message.channel, message.note))
    for (channel, pitch), starts in sounding.items():
        spans.extend((*start, now, channel, pitch) for start in starts)
    for start, velocity, end, channel, pitch in spans:
        if end > start:
            yield Note(
                start / ticks_per_quarter,
                end / ticks_per_quarter,
                pitch,
                channel,
                channel == DRUM_CHANNEL,
                velocity,
            )


def on_grid(
    notes: Iterable[Note],
    steps_per_quarter: int,
    nearest_step: Callable[[float], int] | None = None,
) -> list[VoiceNote]:
    """One voice on the grid: at every step the highest sounding note, in order of time.

    A note that a higher one covers sounds again, as a new note, where that one ends first. Of
    equal pitches the later counts.

    Args:
      notes: in any order.
      steps_per_quarter: of the grid.
      nearest_step: from a time in quarter notes; rounds half to even where None.

    Raises:
      ValueError: it is longer than `MAX_STEPS` steps.
    """
    nearest_step = nearest_step or (lambda quarters: round(quarters * steps_per_quarter))
    rounded = []
    for note in notes:
        start = nearest_step(note.start)
        end = max(start + 1, nearest_step(note.end))
        rounded.append(VoiceNote(start, end, note.pitch, note.velocity))
    length = max((note.end for note in rounded), default=0)
    if length > MAX_STEPS:
        raise ValueError(f"the notes last {length} steps, at most {MAX_STEPS} are read")
    rounded.sort(key=lambda note: (note.pitch, note.start))
    highest = np.full(length + 1, -1, np.int32)  # by step, which note; the last step ends it
    for index, (start, end, *_) in enumerate(rounded):
        highest[start:end] = index
    borders = np.flatnonzero(np.diff(highest, prepend=-1)).tolist()
    return [
        VoiceNote(start, end, *rounded[highest[start]][2:])
        for start, end in itertools.pairwise(borders)
        if highest[start] >= 0
    ]


def tempo_in(file: Any) -> int:
    """Microseconds a quarter note at the start; later changes of tempo are passed over."""
    tempos = [m.tempo for track in file.tracks for m in track if m.type == "set_tempo"]
    return tempos[0] if tempos and tempos[0] > 0 else _DEFAULT_TEMPO


def microseconds(tempo: float) -> int:
    """Microseconds a quarter note, as MIDI files count tempo.

    Raises:
      ValueError: the tempo is none that a MIDI file can hold.
    """
    if not 60e6 / 0xFFFFFF <= tempo <= 60e6:
        raise ValueError(f"a MIDI file's tempo is 3.6 to 6e7 quarter notes a minute, got {tempo!r}")
    return round(60e6 / tempo)


def texts_in(file: Any, mark: str) -> Iterable[str]:
    """What follows `mark` in those of the file's texts that start with it."""
    for track in file.tracks:
        for message in track:
            if message.type == "text" and message.text.startswith(mark):
                yield message.text.removeprefix(mark)


def to_latin(text: str) -> str:
    """Any text as characters of one byte each, which is what mido writes; `from_latin` inverts."""
    return text.encode().decode("latin-1")


def from_latin(text: str) -> str:
    """A text as mido read it, in the UTF-8 that it may be; else as it is."""
    try:
        return text.encode("latin-1").decode()
    except ValueError:
        return text


def note_messages(notes: Iterable[VoiceNote], ticks: float, channel: int) -> list[Any]:
    """Messages that sound one voice's notes, which are in order of time and never overlap.

    Args:
      notes: of the voice.
      ticks: in a step.
      channel: 0..15.
    """
    mido = import_mido()
    messages, now = [], 0
    for start, end, pitch, velocity in notes:
        for kind, step in (("note_on", start), ("note_off", end)):
            tick = round(step * ticks)
            message = mido.Message(
                kind, note=pitch, velocity=velocity, channel=channel, time=tick - now
            )
            messages.append(message)
            now = tick
    return messages


def encode_tracks(tracks: Iterable[Iterable[Any]], end: int, type: int) -> bytes:
    """Tracks of messages as the bytes of a file; every track ends at tick `end`."""
    mido = import_mido()
    file = mido.MidiFile(type=type, ticks_per_beat=TICKS_PER_QUARTER)
    for messages in tracks:
        track = mido.MidiTrack(messages)
        rest = end - sum(message.time for message in track)
        track.append(mido.MetaMessage("end_of_track", time=rest))
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()
