"""Scores as pictures: a piano roll of all voices, each in its colour, through Pillow."""

import itertools
from typing import Any, NamedTuple

from creative_rl.ops.harmony import symbol
from creative_rl.works.piano_roll import COLOURS
from creative_rl.works.pillow import png
from creative_rl.works.roll_paper import Frame, Pen, draw_note, frame_of, on_paper
from creative_rl.works.score import Score
from creative_rl.works.voices import chords_of, notes_of, on_host, voice_names

_ROW_OF_TEXT = 13  # points
_LETTER = 5.6  # points that a letter of the legend takes, at most but for the widest scripts
_BOX = 9
_LEAST_LEGEND = 240

# Neighbours among these hues differ most.
VOICE_COLOURS = tuple(
    COLOURS[pitch_class] for pitch_class in (8, 7, 4, 5, 6, 2, 3, 0, 11, 9, 10, 1)
)
"""Fill and edge by voice; after the twelfth they start again."""


class _Entry(NamedTuple):
    """Where a voice stands in the legend, in points from its upper left corner."""

    x: float
    y: float
    voice: int
    name: str


def draw(score: Score) -> Any:
    """One score as a `PIL.Image.Image` on white paper, as `piano_roll.draw` has it.

    Voices have colours, which the legend below names; the quieter a note, the paler. Chord
    symbols stand above the bars' numbers, those that would run into the next left out.

    Raises:
      ValueError: the score is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    score = on_host(score)
    voices, chords = notes_of(score), chords_of(score)
    pitches = [note.pitch for notes in voices for note in notes]
    frame = frame_of(pitches, int(score.length), _ROW_OF_TEXT if chords else 0)
    width = max(frame.right, frame.left + _LEAST_LEGEND)
    legend = _legend(voice_names(score), width - frame.left)

    def draw_notes(pen: Pen) -> None:
        for number, notes in reversed(list(enumerate(voices))):  # the first lies on top
            fill, edge = voice_colour(number)
            for note in notes:
                draw_note(pen, frame, note, shade(fill, note.velocity), edge)
        _draw_chords(pen, frame, chords)
        for x, y, voice, name in legend:
            left, top = frame.left + x, frame.bottom + 8 + y
            pen.box(left, top, left + _BOX, top + _BOX, *voice_colour(voice), 2.0, 0.75)
            pen.text(left + _BOX + 4, top + _BOX / 2, name, "lm")

    below = legend[-1].y + _ROW_OF_TEXT + 6
    return on_paper(frame, score.steps_per_quarter, draw_notes, below, width)


def encode_png(score: Score) -> bytes:
    """One score's piano roll as the bytes of a PNG file; raises as `draw` does."""
    return png(draw(score))


def voice_colour(voice: int) -> tuple[str, str]:
    """Fill and edge of a voice, counted from 0."""
    return VOICE_COLOURS[voice % len(VOICE_COLOURS)]


def shade(colour: str, velocity: int) -> str:
    """`#rrggbb`, paler for quieter notes: from a third of its strength to all of it at 127."""
    strength = 1 / 3 + 2 / 3 * velocity / 127
    channels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - value)):02x}" for value in channels)


def _legend(names: tuple[str, ...], width: float) -> list[_Entry]:
    """The voices from left to right, in as many rows as they need."""
    entries, x, y = [], 0.0, 0.0
    for voice, name in enumerate(names):
        room = _BOX + 4 + _LETTER * len(name)
        if x > 0 and x + room > width:
            x, y = 0.0, y + _ROW_OF_TEXT
        entries.append(_Entry(x, y, voice, name))
        x += room + 12
    return entries


def _draw_chords(pen: Pen, frame: Frame, chords: list[tuple[int, int]]) -> None:
    for (step, code), (end, _) in itertools.pairwise([*chords, (frame.length, 0)]):
        room = None if end == frame.length else frame.x(end) - frame.x(step) - 2
        pen.text(frame.x(step) + 2, frame.top - 15, symbol(code), "ls", 10.0, room)
