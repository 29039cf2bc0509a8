"""Scores as MIDI files, a track a voice, through mido."""

import json
import os
from typing import Any, NamedTuple

import numpy as np

from creative_rl.ops.harmony import chord_code, symbol
from creative_rl.works import midi, midi_file
from creative_rl.works.melody import Melody
from creative_rl.works.midi_file import DRUM_CHANNEL, TICKS_PER_QUARTER
from creative_rl.works.score import Score
from creative_rl.works.voices import (
    PIANO,
    VoiceNote,
    chords_of,
    events_of,
    notes_of,
    on_host,
    voice_names,
)

MAX_VOICES = 15
"""The channels of a MIDI file but for the drums'."""

_MARK = "creative_rl.Score "
_ARRAYS = ("events", "velocities", "chords", "programs", "length")


class _Voice(NamedTuple):
    name: str
    program: int
    notes: list[VoiceNote]


class _Content(NamedTuple):
    """What a file says to a player, in steps; voices without a note say nothing."""

    voices: list[_Voice]
    chords: list[tuple[int, int]]  # step, code
    tempo: int  # microseconds a quarter note


def encode_score(score: Score) -> bytes:
    """One score as the bytes of a MIDI file of type 1, 480 ticks a quarter note.

    The first track has the tempo and the chord symbols, as markers; each voice has a track with
    its name, on a channel with its instrument.

    Raises:
      ValueError: the score is a batch, a field is out of range, or there are more than
        `MAX_VOICES` voices.
      ImportError: mido is not installed.
    """
    mido = midi_file.import_mido()
    score = on_host(score)
    names, voices = voice_names(score), notes_of(score)
    if not fits(score):
        raise ValueError(
            f"a MIDI file has channels for {MAX_VOICES} voices, this score has {len(voices)}"
        )
    ticks = TICKS_PER_QUARTER / score.steps_per_quarter
    conductor = [
        mido.MetaMessage("text", text=_MARK + _codes(score)),
        mido.MetaMessage("set_tempo", tempo=midi_file.microseconds(score.tempo)),
    ]
    now = 0
    for step, code in chords_of(score):
        tick = round(step * ticks)
        conductor.append(mido.MetaMessage("marker", text=symbol(code), time=tick - now))
        now = tick
    tracks = [conductor]
    for number, (name, notes) in enumerate(zip(names, voices, strict=True)):
        channel = channel_of(number)
        tracks.append(
            [
                mido.MetaMessage("track_name", name=midi_file.to_latin(name)),
                mido.Message(
                    "program_change", channel=channel, program=int(score.programs[number])
                ),
                *midi_file.note_messages(notes, ticks, channel),
            ]
        )
    return midi_file.encode_tracks(tracks, round(int(score.length) * ticks), type=1)


def fits(score: Score) -> bool:
    """Whether a MIDI file has channels enough for the score's voices."""
    return np.shape(score.programs)[-1] <= MAX_VOICES


def channel_of(voice: int) -> int:
    """The MIDI channel of a voice, both counted from 0: the drums' is passed over."""
    return voice + (voice >= DRUM_CHANNEL)


def read_midi(path: str | os.PathLike) -> Melody | Score:
    """What a MIDI file holds: a `Score` where one was written, and of any other file a `Melody`.

    Raises:
      ValueError, FileNotFoundError, ImportError: as `read_score` and `midi.read_melody` do.
    """
    ours = any(True for _ in midi_file.texts_in(midi_file.parse(path), _MARK))
    return read_score(path) if ours else midi.read_melody(path)


def read_score(path: str | os.PathLike, steps_per_quarter: int = 4) -> Score:
    """The score of a MIDI file, with numpy leaves.

    A file of ours gives the score that was written. Of any other the notes count, drums left
    out: each channel of a track is a voice, rounded to the grid, at every step the highest that
    sounds; markers that are chord symbols are chords; the first tempo and instruments hold.

    Args:
      path: a Standard MIDI File of type 0 or 1.
      steps_per_quarter: grid for a file that does not bring its own.

    Raises:
      ValueError: not a readable MIDI file, without notes, or longer than `midi_file.MAX_STEPS`
        steps; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: mido is not installed.
    """
    file = midi_file.parse(path)
    # As of melodies: codes beside the notes say what notes cannot, and count only as long as
    # they still say what the file does.
    try:
        written = _written_score(file)
        if written is not None and _heard(file, written.steps_per_quarter) == _said(written):
            return written
        return _score(_heard(file, steps_per_quarter), steps_per_quarter)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _score(content: _Content, steps_per_quarter: int) -> Score:
    """The score that says this."""
    if not content.voices:
        raise ValueError("a score needs a note, this file has none but drums")
    ends = [voice.notes[-1].end for voice in content.voices]
    length = max(*ends, *(step + 1 for step, _ in content.chords), 0)
    rows = [events_of(voice.notes, length) for voice in content.voices]
    chords = np.zeros(length, np.int32)
    for step, code in content.chords:
        chords[step] = code
    return Score(
        events=np.stack([codes for codes, _ in rows]),
        velocities=np.stack([loudness for _, loudness in rows]),
        chords=chords,
        programs=np.array([voice.program for voice in content.voices], np.int32),
        length=np.array(length, np.int32),
        names=tuple(voice.name for voice in content.voices),
        tempo=60e6 / content.tempo,
        steps_per_quarter=steps_per_quarter,
    )


def _said(score: Score) -> _Content:
    """What the file of this score says."""
    voices = zip(voice_names(score), score.programs.tolist(), notes_of(score), strict=True)
    return _Content(
        [_Voice(*voice) for voice in voices if voice[2]],
        chords_of(score),
        midi_file.microseconds(score.tempo),
    )


def _heard(file: Any, steps_per_quarter: int) -> _Content:
    """What the file says, on a grid."""
    voices: list[_Voice] = []
    chords: dict[int, int] = {}
    anywhere = _programs(message for track in file.tracks for message in track)
    for track in file.tracks:
        notes = sorted(midi_file.track_notes(track, file.ticks_per_beat))
        names = [_printable(m.name) for m in track if m.type == "track_name"]
        here = anywhere | _programs(track)
        for channel in sorted({note.channel for note in notes if not note.is_drum}):
            voice = midi_file.on_grid(
                (note for note in notes if note.channel == channel), steps_per_quarter
            )
            name = names[0] if names else f"Voice {len(voices) + 1}"
            voices.append(_Voice(name, here.get(channel, PIANO), voice))
        now = 0
        for message in track:
            now += message.time
            if message.type == "marker" and (code := _chord(message.text)):
                chords[_step(now, file.ticks_per_beat, steps_per_quarter)] = code
    return _Content(voices, sorted(chords.items()), midi_file.tempo_in(file))


def _printable(name: str) -> str:
    return "".join(filter(str.isprintable, midi_file.from_latin(name)))


def _programs(messages: Any) -> dict[int, int]:
    """The first instrument of each channel that has one."""
    programs: dict[int, int] = {}
    for message in messages:
        if message.type == "program_change":
            programs.setdefault(message.channel, message.program)
    return programs


def _chord(text: str) -> int:
    """The code of a chord symbol, 0 for any other text."""
    try:
        return chord_code(text)
    except ValueError:
        return 0


def _step(tick: int, ticks_per_quarter: int, steps_per_quarter: int) -> int:
    step = round(tick / ticks_per_quarter * steps_per_quarter)
    if step >= midi_file.MAX_STEPS:
        raise ValueError(
            f"a chord symbol stands at step {step}, at most {midi_file.MAX_STEPS} are read"
        )
    return step


def _codes(score: Score) -> str:
    """The score's fields, to the last bit, as a line of ASCII."""
    fields = {name: getattr(score, name).tolist() for name in _ARRAYS}
    fields |= {
        "names": score.names,
        "tempo": float(score.tempo),
        "steps_per_quarter": score.steps_per_quarter,
    }
    return json.dumps(fields, separators=(",", ":"))


def _written_score(file: Any) -> Score | None:
    """The score in the file's text, if there is one in range."""
    for text in midi_file.texts_in(file, _MARK):
        try:
            fields = json.loads(text)
            arrays = {name: np.array(fields[name], np.int32) for name in _ARRAYS}
            score = Score(
                **arrays,
                names=tuple(fields["names"]),
                tempo=float(fields["tempo"]),
                steps_per_quarter=fields["steps_per_quarter"],
            )
            score = on_host(score)
            midi_file.microseconds(score.tempo)
            return score
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue  # somebody else's text, or damaged: the notes are there still
    return None
