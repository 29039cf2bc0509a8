"""One score on the host: its check, its voices as notes, and melodies as scores of one voice."""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

from creative_rl.ops.events import HOLD, LOWEST_CODE
from creative_rl.ops.events import LOWEST_PITCH as LOWEST_OF_MELODIES
from creative_rl.ops.harmony import NUM_CHORDS
from creative_rl.works import spans
from creative_rl.works.batches import check_single
from creative_rl.works.melody import Melody
from creative_rl.works.score import Score
from creative_rl.works.spans import HIGHEST_PITCH, Span

LOWEST_PITCH = 0
"""The MIDI pitch of a score's code 2."""
HIGHEST_CODE = HIGHEST_PITCH + LOWEST_CODE
PIANO = 0
"""The program of melodies."""
VELOCITY = 84
"""How loud the notes of melodies are."""


class VoiceNote(NamedTuple):
    """One note: in the steps `start .. end - 1`, at a MIDI pitch, with a velocity of 1..127."""

    start: int
    end: int
    pitch: int
    velocity: int


def sounding_pitches(events: np.ndarray) -> np.ndarray:
    """int[..., T]: the MIDI pitch at every step of a score's events [..., T], -1 for none.

    >>> sounding_pitches(np.array([1, 62, 1, 0, 1])).tolist()
    [-1, 60, 60, -1, -1]
    """
    codes = spans.carried(events, events != HOLD).astype(int)
    return np.where(codes >= LOWEST_CODE, codes - LOWEST_CODE, -1)


def on_host(score: Score) -> Score:
    """One score with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, arrays do not fit each other, or a field is out of range.
    """
    leaves = (score.events, score.velocities, score.chords, score.programs, score.length)
    events, velocities, chords, programs, length = map(np.asarray, jax.device_get(leaves))
    shapes = (events.shape, velocities.shape, chords.shape, programs.shape, length.shape)
    check_single("Score", "events", events, 2, length)
    num_voices, num_steps = events.shape
    if num_voices < 1 or shapes[1:4] != (events.shape, (num_steps,), (num_voices,)):
        raise ValueError(
            "Score: events and velocities must be [V, T] with V at least 1, chords [T], programs "
            f"[V], got the shapes {', '.join(map(str, shapes[:4]))}"
        )
    spans.check_length("Score", length, num_steps)
    spans.check_range("Score: events", events, 0, HIGHEST_CODE)
    spans.check_range("Score: velocities", velocities, 0, 127)
    starts = events[:, : int(length)] >= LOWEST_CODE
    spans.check_range("Score: velocities of notes", velocities[:, : int(length)][starts], 1, 127)
    spans.check_range("Score: chords", chords, 0, NUM_CHORDS - 1)
    spans.check_range("Score: programs", programs, 0, 127)
    spans.check_times("Score", score.tempo, score.steps_per_quarter)
    names = tuple(score.names)
    if len(names) not in (0, num_voices) or not all(
        isinstance(name, str) and name.isprintable() for name in names
    ):
        raise ValueError(
            f"Score: names must be none or {num_voices} strings of printable characters, "
            f"got {names!r}"
        )
    return Score(
        events, velocities, chords, programs, length, names, score.tempo, score.steps_per_quarter
    )


def notes_of(score: Score) -> list[list[VoiceNote]]:
    """The notes of every voice of one score, in order of time; inside a voice none overlap."""
    score = on_host(score)
    length = int(score.length)
    return [
        [
            VoiceNote(*span, int(loudness[span.start]))
            for span in spans.sounding(codes[:length], LOWEST_PITCH)
        ]
        for codes, loudness in zip(score.events, score.velocities, strict=True)
    ]


def events_of(notes: Iterable[VoiceNote], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and velocities of one voice, int32[length] both: the inverse of `notes_of`.

    A note's velocity stands at all of its steps, and before the first note its own; codes are the
    fewest events, as `spans.events_of` gives them.
    """
    notes = list(notes)
    codes = spans.codes_of((Span(*note[:3]) for note in notes), length, LOWEST_PITCH)
    velocities = np.full(length, notes[0].velocity if notes else VELOCITY, np.int32)
    for note in notes:
        velocities[note.start :] = note.velocity
    return codes, velocities


def chords_of(score: Score) -> list[tuple[int, int]]:
    """Step and code of every chord symbol of one score, in order of time."""
    score = on_host(score)
    codes = score.chords[: int(score.length)]
    return [(int(step), int(codes[step])) for step in np.flatnonzero(codes)]


def voice_names(score: Score) -> tuple[str, ...]:
    """The names of the voices; `Voice 1`, `Voice 2` where they have none."""
    count = np.shape(score.programs)[-1]
    return tuple(score.names) or tuple(f"Voice {number}" for number in range(1, count + 1))


def as_score(work: Melody | Score) -> Score:
    """One melody as a score of one voice, a piano; a score as it is, checked.

    Raises:
      ValueError: as `on_host` here and of melodies does.
    """
    if isinstance(work, Score):
        return on_host(work)
    melody = spans.on_host(work)
    codes = np.asarray(melody.events, np.int32)
    shift = LOWEST_OF_MELODIES - LOWEST_PITCH
    return Score(
        events=np.where(codes >= LOWEST_CODE, codes + shift, codes)[None].astype(np.int32),
        velocities=np.full((1, codes.size), VELOCITY, np.int32),
        chords=np.zeros(codes.size, np.int32),
        programs=np.array([PIANO], np.int32),
        length=np.asarray(melody.length, np.int32),
        names=("Melody",),
        tempo=melody.tempo,
        steps_per_quarter=melody.steps_per_quarter,
    )
