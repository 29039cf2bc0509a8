"""Melodies as pictures: a piano roll, through Pillow."""

from typing import Any

from creative_rl.works.melody import Melody
from creative_rl.works.pillow import png
from creative_rl.works.roll_paper import draw_note, frame_of, on_paper
from creative_rl.works.spans import on_host, spans_of

# By pitch class, fill and edge: in Oklch of lightness 0.72 and 0.54, a fifth turning the hue
# by a twelfth of its circle. Semitones, neighbours in the picture, lie far apart in colour.
COLOURS = (
    ("#eb827b", "#a94f4a"), ("#3fb1ea", "#0078aa"), ("#ca9d33", "#8e6800"), ("#ab93ed", "#745eac"),
    ("#6dba70", "#3b8040"), ("#e380a9", "#a34e72"), ("#00bbcb", "#008190"), ("#e28d4f", "#a3591c"),
    ("#7ca2f6", "#4c6bb4"), ("#a2ae44", "#6d7607"), ("#cd87d1", "#915495"), ("#21bfa0", "#00846b"),
)  # fmt: skip


def draw(melody: Melody) -> Any:
    """One melody as a `PIL.Image.Image` on white paper.

    Time runs to the right, a line a beat, numbered bars of four; pitch runs upwards, from two
    semitones below the lowest note to two above the highest. A note has its pitch class's colour.

    Raises:
      ValueError: the melody is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    melody = on_host(melody)
    spans = spans_of(melody)
    frame = frame_of((span.pitch for span in spans), int(melody.length))

    def draw_notes(pen: Any) -> None:
        for span in spans:
            draw_note(pen, frame, span, *COLOURS[span.pitch % 12])

    return on_paper(frame, melody.steps_per_quarter, draw_notes)


def encode_png(melody: Melody) -> bytes:
    """One melody's piano roll as the bytes of a PNG file; raises as `draw` does."""
    return png(draw(melody))
