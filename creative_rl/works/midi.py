"""Melodies as MIDI files, and the notes of any MIDI file, through mido."""

import collections
import io
import itertools
import json
import os
import pathlib
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from creative_rl.works.atomic import write_bytes
from creative_rl.works.melody import Melody
from creative_rl.works.spans import Span, events_of, on_host, spans_of

TICKS_PER_QUARTER = 480
DRUM_CHANNEL = 9  # counted from 0: the tenth of General MIDI
PIANO = 0
VELOCITY = 84
MAX_STEPS = 65_536
"""Longest melody read: a damaged time would otherwise ask for gigabytes of rests."""

_DEFAULT_TEMPO = 500_000  # microseconds a quarter note where the file names none, by the standard
_MARK = "creative_rl.Melody "


class Note(NamedTuple):
    """A note of a MIDI file; times in quarter notes from the start of the file."""

    start: float
    end: float
    pitch: int
    channel: int
    is_drum: bool


def read_notes(path: str | os.PathLike) -> list[Note]:
    """All notes of a MIDI file, sorted by start, then by pitch.

    Tracks are read apart, so equal pitches in two of them do not end each other; inside one, a
    note-off ends the oldest of its pitch and channel. A note that is never ended lasts to the
    end of its track; one without duration is left out.

    Raises:
      ValueError: the file is not a readable MIDI file; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: mido is not installed.
    """
    return _notes(_parse(path))


def encode_melody(melody: Melody) -> bytes:
    """One melody as the bytes of a MIDI file: one track, 480 ticks a quarter note.

    Raises:
      ValueError: the melody is a batch, or a field is out of range.
      ImportError: mido is not installed.
    """
    mido = _mido()
    melody = on_host(melody)
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="melody"),
            mido.MetaMessage("text", text=_MARK + _codes(melody)),
            mido.MetaMessage("set_tempo", tempo=_microseconds(melody.tempo)),
            mido.Message("program_change", program=PIANO),
        ]
    )
    ticks = TICKS_PER_QUARTER / melody.steps_per_quarter
    now = 0
    for start, end, pitch in spans_of(melody):
        for kind, step in (("note_on", start), ("note_off", end)):
            tick = round(step * ticks)
            track.append(mido.Message(kind, note=pitch, velocity=VELOCITY, time=tick - now))
            now = tick
    track.append(mido.MetaMessage("end_of_track", time=round(int(melody.length) * ticks) - now))
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track])
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def write_melody(melody: Melody, path: str | os.PathLike) -> pathlib.Path:
    """Write one melody as a MIDI file; `read_melody` gives back the same, event for event."""
    return write_bytes(path, encode_melody(melody))


def read_melody(path: str | os.PathLike, steps_per_quarter: int = 4) -> Melody:
    """The melody of a MIDI file, with numpy leaves.

    A file of ours gives the melody that was written. Of any other the notes count, drums left
    out: rounded to the grid, at every step the highest that sounds, up to the end of the last.

    Args:
      path: a Standard MIDI File of type 0 or 1.
      steps_per_quarter: grid for a file that does not bring its own.

    Raises:
      ValueError: not a readable MIDI file, longer than `MAX_STEPS` steps, or with a melody
        below MIDI 48; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: mido is not installed.
    """
    file = _parse(path)
    notes = [note for note in _notes(file) if not note.is_drum]
    # Notes alone cannot tell a rest from a hold in silence, nor an empty step at the start from
    # either, so our files carry the codes as text beside them. The text is what was written; the
    # notes are what is heard, and another program may have changed them and kept the text. So
    # the codes count only as long as they still say the notes.
    written = _written_melody(file)
    try:
        if written is not None and _spans(notes, written.steps_per_quarter) == spans_of(written):
            return written
        spans = _spans(notes, steps_per_quarter)
        length = max((span.end for span in spans), default=0)
        events = events_of(spans, length)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    tempo = 60e6 / _tempo(file)
    return Melody(events, np.array(length, np.int32), tempo, steps_per_quarter)


def _mido() -> Any:
    try:
        import mido
    except ImportError as error:
        raise ImportError("MIDI files need mido: pip install 'creative_rl[media]'") from error
    return mido


def _parse(path: str | os.PathLike) -> Any:
    """A `mido.MidiFile` whose times are in ticks of a quarter note."""
    mido = _mido()
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


def _notes(file: Any) -> list[Note]:
    notes: list[Note] = []
    for track in file.tracks:
        notes.extend(_track_notes(track, file.ticks_per_beat))
    return sorted(notes, key=lambda note: (note.start, note.pitch))


def _track_notes(track: Iterable[Any], ticks_per_quarter: int) -> Iterable[Note]:
    now = 0
    # Starts by channel and pitch, oldest first.
    sounding: collections.defaultdict[tuple[int, int], collections.deque[int]]
    sounding = collections.defaultdict(collections.deque)
    spans = []
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        starts = sounding[message.channel, message.note]
        if message.type == "note_on" and message.velocity > 0:
            starts.append(now)
        elif starts:
            spans.append((starts.popleft(), now, message.channel, message.note))
    for (channel, pitch), starts in sounding.items():
        spans.extend((start, now, channel, pitch) for start in starts)
    for start, end, channel, pitch in spans:
        if end > start:
            yield Note(
                start / ticks_per_quarter,
                end / ticks_per_quarter,
                pitch,
                channel,
                channel == DRUM_CHANNEL,
            )


def _spans(notes: Iterable[Note], steps_per_quarter: int) -> list[Span]:
    """One voice on the grid: at every step the highest sounding note, in order of time."""
    rounded = []
    for note in notes:
        start = round(note.start * steps_per_quarter)
        rounded.append(Span(start, max(start + 1, round(note.end * steps_per_quarter)), note.pitch))
    length = max((span.end for span in rounded), default=0)
    if length > MAX_STEPS:
        raise ValueError(f"the notes last {length} steps, at most {MAX_STEPS} are read")
    rounded.sort(key=lambda span: (span.pitch, span.start))
    highest = np.full(length + 1, -1, np.int32)  # by step, which span; the last step ends it
    for index, span in enumerate(rounded):
        highest[span.start : span.end] = index
    borders = np.flatnonzero(np.diff(highest, prepend=-1)).tolist()
    return [
        Span(start, end, rounded[highest[start]].pitch)
        for start, end in itertools.pairwise(borders)
        if highest[start] >= 0
    ]


def _codes(melody: Melody) -> str:
    """What notes cannot say, as a line of ASCII."""
    return json.dumps(
        {
            "events": melody.events.tolist(),
            "length": int(melody.length),
            "tempo": float(melody.tempo),
            "steps_per_quarter": melody.steps_per_quarter,
        },
        separators=(",", ":"),
    )


def _written_melody(file: Any) -> Melody | None:
    """The melody in the file's text, if there is one in range and the tempo was kept."""
    texts = [m.text for track in file.tracks for m in track if m.type == "text"]
    for text in texts:
        if not text.startswith(_MARK):
            continue
        try:
            fields = json.loads(text.removeprefix(_MARK))
            melody = on_host(
                Melody(
                    np.array(fields["events"], np.int32),
                    np.array(fields["length"], np.int32),
                    float(fields["tempo"]),
                    fields["steps_per_quarter"],
                )
            )
            if _microseconds(melody.tempo) == _tempo(file):
                return melody
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue  # somebody else's text, or damaged: the notes are there still
    return None


def _tempo(file: Any) -> int:
    """Microseconds a quarter note at the start; later changes of tempo are passed over."""
    tempos = [m.tempo for track in file.tracks for m in track if m.type == "set_tempo"]
    return tempos[0] if tempos and tempos[0] > 0 else _DEFAULT_TEMPO


def _microseconds(tempo: float) -> int:
    """Microseconds a quarter note, as MIDI files count tempo."""
    if not 60e6 / 0xFFFFFF <= tempo <= 60e6:
        raise ValueError(f"a MIDI file's tempo is 3.6 to 6e7 quarter notes a minute, got {tempo!r}")
    return round(60e6 / tempo)
