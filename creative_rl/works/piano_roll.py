"""Melodies as pictures: a piano roll, through Pillow."""

import io
from typing import Any, NamedTuple

from creative_rl.works.melody import Melody
from creative_rl.works.notation import pitch_name
from creative_rl.works.spans import HIGHEST_PITCH, Span, on_host, spans_of

# Lengths are in points; a picture has two pixels a point, and is drawn at twice that and shrunk,
# which smooths the edges that Pillow draws hard.
PIXELS = 2
_OVERSAMPLING = 2
_ROW = 11  # height of a semitone
_STEP = 16  # width of a grid step, less where a melody is long
_WIDEST = 1200  # of the grid
_KEYS = 36  # width of the keyboard
_TOP = 17
_PADDING = 6
_MARGIN_ROWS = 2
_FEWEST_ROWS = 14

_PAPER = "#ffffff"
_BLACK_KEY_ROW = "#f1f2f6"
_ROW_LINE = "#e8eaf0"
_OCTAVE_LINE = "#c9cdd8"
_BEAT_LINE = "#e3e5ec"
_HALF_BAR_LINE = "#ced2dd"
_BAR_LINE = "#9aa1b2"
_INK = "#5b6275"
_KEYBOARD_EDGE = "#b4b9c6"
_BLACK_KEY = "#3a3f4d"
_BLACK_CLASSES = (1, 3, 6, 8, 10)

# By pitch class, fill and edge: in Oklch of lightness 0.72 and 0.54, a fifth turning the hue
# by a twelfth of its circle. Semitones, neighbours in the picture, lie far apart in colour.
_COLOURS = (
    ("#eb827b", "#a94f4a"), ("#3fb1ea", "#0078aa"), ("#ca9d33", "#8e6800"), ("#ab93ed", "#745eac"),
    ("#6dba70", "#3b8040"), ("#e380a9", "#a34e72"), ("#00bbcb", "#008190"), ("#e28d4f", "#a3591c"),
    ("#7ca2f6", "#4c6bb4"), ("#a2ae44", "#6d7607"), ("#cd87d1", "#915495"), ("#21bfa0", "#00846b"),
)  # fmt: skip


class _Frame(NamedTuple):
    """Where pitches and steps are, in points."""

    lowest: int
    highest: int
    length: int
    step: float

    @property
    def left(self) -> float:
        return _PADDING + _KEYS

    @property
    def right(self) -> float:
        return self.left + self.length * self.step

    @property
    def bottom(self) -> float:
        return _TOP + (self.highest - self.lowest + 1) * _ROW

    def x(self, step: float) -> float:
        return self.left + step * self.step

    def y(self, pitch: int) -> float:
        """The upper edge of the pitch's row."""
        return _TOP + (self.highest - pitch) * _ROW


class _Pen:
    """Pillow's, in points: whoever draws need not know of pixels."""

    def __init__(self, draw: Any, scale: int):
        self._draw = draw
        self._scale = scale

    def box(self, left, top, right, bottom, fill, outline=None, radius=0.0, width=1.0):
        corners = [round(value * self._scale) for value in (left, top, right, bottom)]
        corners[2], corners[3] = corners[2] - 1, corners[3] - 1  # Pillow counts them in
        self._draw.rounded_rectangle(
            corners,
            radius=radius * self._scale,
            fill=fill,
            outline=outline,
            width=round(width * self._scale) if outline else 0,
        )

    def vertical(self, x, top, bottom, colour, width=0.5):
        self.box(x - width / 2, top, x + width / 2, bottom, colour)

    def horizontal(self, y, left, right, colour, width=0.5):
        self.box(left, y - width / 2, right, y + width / 2, colour)

    def text(self, x, y, text, anchor, size=9.0):
        from PIL import ImageFont

        font = ImageFont.load_default(size * self._scale)
        place = (x * self._scale, y * self._scale)
        self._draw.text(place, text, fill=_INK, font=font, anchor=anchor)


def draw(melody: Melody) -> Any:
    """One melody as a `PIL.Image.Image` on white paper.

    Time runs to the right, a line a beat, numbered bars of four; pitch runs upwards, from two
    semitones below the lowest note to two above the highest. A note has its pitch class's colour.

    Raises:
      ValueError: the melody is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise ImportError("pictures need Pillow: pip install 'creative_rl[media]'") from error
    melody = on_host(melody)
    spans = spans_of(melody)
    frame = _frame(spans, int(melody.length))
    size = [round(frame.right + _PADDING), round(frame.bottom + _PADDING)]
    scale = PIXELS * _OVERSAMPLING
    image = Image.new("RGB", (size[0] * scale, size[1] * scale), _PAPER)
    pen = _Pen(ImageDraw.Draw(image), scale)
    _draw_rows(pen, frame)
    _draw_times(pen, frame, melody.steps_per_quarter)
    _draw_keyboard(pen, frame)
    for span in spans:
        _draw_note(pen, frame, span)
    return image.resize((size[0] * PIXELS, size[1] * PIXELS), Image.Resampling.BOX)


def encode_png(melody: Melody) -> bytes:
    """One melody's piano roll as the bytes of a PNG file; raises as `draw` does."""
    buffer = io.BytesIO()
    draw(melody).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _frame(spans: list[Span], length: int) -> _Frame:
    """The notes with a margin, no less than `_FEWEST_ROWS` high; middle C's octave if none."""
    pitches = [span.pitch for span in spans] or [60, 71]
    lowest, highest = min(pitches) - _MARGIN_ROWS, max(pitches) + _MARGIN_ROWS
    missing = max(_FEWEST_ROWS - (highest - lowest + 1), 0)
    lowest, highest = lowest - missing // 2, highest + missing - missing // 2
    length = max(length, 1)
    return _Frame(lowest, min(highest, HIGHEST_PITCH), length, min(_STEP, _WIDEST / length))


def _draw_rows(pen: _Pen, frame: _Frame) -> None:
    for pitch in range(frame.lowest, frame.highest + 1):
        top = frame.y(pitch)
        colour = _BLACK_KEY_ROW if pitch % 12 in _BLACK_CLASSES else _PAPER
        pen.box(frame.left, top, frame.right, top + _ROW, colour)
        if pitch % 12 == 4 and pitch < frame.highest:  # two white keys meet at E and F
            pen.horizontal(top, frame.left, frame.right, _ROW_LINE)
        if pitch % 12 == 0 and pitch > frame.lowest:
            pen.horizontal(top + _ROW, frame.left, frame.right, _OCTAVE_LINE)


def _draw_times(pen: _Pen, frame: _Frame, steps_per_quarter: int) -> None:
    """Lines at beats, half bars and bars of 4/4; those that would crowd are left out."""
    for step in range(0, frame.length + 1, steps_per_quarter):
        beat = step // steps_per_quarter
        level = 2 if beat % 4 == 0 else int(beat % 2 == 0)
        colour = (_BEAT_LINE, _HALF_BAR_LINE, _BAR_LINE)[level]
        if frame.step * steps_per_quarter * (1, 2, 4)[level] >= 4:
            pen.vertical(frame.x(step), _TOP, frame.bottom, colour, 0.5 if level < 2 else 0.75)
        if level == 2 and step < frame.length and frame.step * steps_per_quarter * 4 >= 24:
            pen.text(frame.x(step) + 2, _TOP - 3, str(beat // 4 + 1), "ls")
    pen.horizontal(_TOP, frame.left, frame.right, _OCTAVE_LINE)
    pen.horizontal(frame.bottom, frame.left, frame.right, _OCTAVE_LINE)


def _draw_keyboard(pen: _Pen, frame: _Frame) -> None:
    left, right = _PADDING, frame.left
    pen.box(left, _TOP, right, frame.bottom, _PAPER)
    for pitch in range(frame.lowest, frame.highest + 1):
        top, middle = frame.y(pitch), frame.y(pitch) + _ROW / 2
        if pitch % 12 in _BLACK_CLASSES:
            pen.horizontal(middle, left, right, _KEYBOARD_EDGE)
            pen.box(right - 16, top + 0.5, right, top + _ROW - 0.5, _BLACK_KEY, radius=1)
        elif pitch % 12 in (0, 5) and pitch > frame.lowest:
            pen.horizontal(top + _ROW, left, right, _KEYBOARD_EDGE)
    for pitch in range(frame.lowest, frame.highest + 1):
        if pitch % 12 == 0:
            pen.text(left + 3, frame.y(pitch) + _ROW / 2 - 1, pitch_name(pitch), "lm")
    for x in (left, right):
        pen.vertical(x, _TOP, frame.bottom, _KEYBOARD_EDGE)
    for y in (_TOP, frame.bottom):
        pen.horizontal(y, left, right, _KEYBOARD_EDGE)


def _draw_note(pen: _Pen, frame: _Frame, span: Span) -> None:
    fill, edge = _COLOURS[span.pitch % 12]
    gap = min(1.0, frame.step / 4)  # so that repeated notes stay apart
    left, right = frame.x(span.start) + gap / 2, frame.x(span.end) - gap / 2
    top = frame.y(span.pitch) + 0.75
    radius = min(2.5, (right - left) / 3)
    pen.box(left, top, right, top + _ROW - 1.5, fill, edge, radius, width=0.75)
