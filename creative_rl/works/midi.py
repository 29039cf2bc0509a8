"""Melodies as MIDI files, through mido."""

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from creative_rl.works import midi_file
from creative_rl.works.melody import Melody
from creative_rl.works.midi_file import TICKS_PER_QUARTER, Note, on_grid
from creative_rl.works.spans import Span, events_of, on_host, spans_of
from creative_rl.works.voices import PIANO, VELOCITY, VoiceNote

_MARK = "creative_rl.Melody "


def encode_melody(melody: Melody) -> bytes:
    """One melody as the bytes of a MIDI file: one track, 480 ticks a quarter note.

    Raises:
      ValueError: the melody is a batch, or a field is out of range.
      ImportError: mido is not installed.
    """
    mido = midi_file.import_mido()
    melody = on_host(melody)
    ticks = TICKS_PER_QUARTER / melody.steps_per_quarter
    notes = (VoiceNote(*span, VELOCITY) for span in spans_of(melody))
    track = [
        mido.MetaMessage("track_name", name="melody"),
        mido.MetaMessage("text", text=_MARK + _codes(melody)),
        mido.MetaMessage("set_tempo", tempo=midi_file.microseconds(melody.tempo)),
        mido.Message("program_change", program=PIANO),
        *midi_file.note_messages(notes, ticks, channel=0),
    ]
    return midi_file.encode_tracks([track], round(int(melody.length) * ticks), type=0)


def read_melody(path: str | os.PathLike, steps_per_quarter: int = 4) -> Melody:
    """The melody of a MIDI file, with numpy leaves.

    A file of ours gives the melody that was written. Of any other the notes count, drums left
    out: rounded to the grid, at every step the highest that sounds, up to the end of the last.

    Args:
      path: a Standard MIDI File of type 0 or 1.
      steps_per_quarter: grid for a file that does not bring its own.

    Raises:
      ValueError: not a readable MIDI file, longer than `midi_file.MAX_STEPS` steps, or with a
        melody below MIDI 48; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: mido is not installed.
    """
    file = midi_file.parse(path)
    notes = [note for note in midi_file.notes_in(file) if not note.is_drum]
    # Notes alone cannot tell a rest from a hold in silence, nor an empty step at the start from
    # either, so our files carry the codes as text beside them. The text is what was written; the
    # notes are what is heard, and another program may have changed them and kept the text. So
    # the codes count only as long as they still say the notes.
    written = _written_melody(file)
    try:
        if written is not None and _heard(notes, written.steps_per_quarter) == spans_of(written):
            return written
        spans = _heard(notes, steps_per_quarter)
        length = max((span.end for span in spans), default=0)
        events = events_of(spans, length)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    tempo = 60e6 / midi_file.tempo_in(file)
    return Melody(events, np.array(length, np.int32), tempo, steps_per_quarter)


def _heard(notes: Iterable[Note], steps_per_quarter: int) -> list[Span]:
    return [Span(*note[:3]) for note in on_grid(notes, steps_per_quarter)]


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
    for text in midi_file.texts_in(file, _MARK):
        try:
            fields = json.loads(text)
            melody = on_host(
                Melody(
                    np.array(fields["events"], np.int32),
                    np.array(fields["length"], np.int32),
                    float(fields["tempo"]),
                    fields["steps_per_quarter"],
                )
            )
            if midi_file.microseconds(melody.tempo) == midi_file.tempo_in(file):
                return melody
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue  # somebody else's text, or damaged: the notes are there still
    return None
