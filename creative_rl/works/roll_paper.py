"""The paper of piano rolls, through Pillow: a grid of pitches and times beside a keyboard."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from creative_rl.works import pillow
from creative_rl.works.notation import pitch_name
from creative_rl.works.spans import HIGHEST_PITCH

# Lengths are in points.
_ROW = 11  # height of a semitone
_STEP = 16  # width of a grid step, less where a melody is long
_WIDEST = 1200  # of the grid
_KEYS = 36  # width of the keyboard
_TOP = 17
_PADDING = 6
_MARGIN_ROWS = 2
_FEWEST_ROWS = 14

_BLACK_KEY_ROW = "#f1f2f6"
_ROW_LINE = "#e8eaf0"
_OCTAVE_LINE = "#c9cdd8"
_BEAT_LINE = "#e3e5ec"
_HALF_BAR_LINE = "#ced2dd"
_BAR_LINE = "#9aa1b2"
_KEYBOARD_EDGE = "#b4b9c6"
_BLACK_KEY = "#3a3f4d"
_BLACK_CLASSES = (1, 3, 6, 8, 10)


class Frame(NamedTuple):
    """Where pitches and steps are, in points."""

    lowest: int
    highest: int
    length: int
    step: float
    top: float

    @property
    def left(self) -> float:
        return _PADDING + _KEYS

    @property
    def right(self) -> float:
        return self.left + self.length * self.step

    @property
    def bottom(self) -> float:
        return self.top + (self.highest - self.lowest + 1) * _ROW

    def x(self, step: float) -> float:
        return self.left + step * self.step

    def y(self, pitch: int) -> float:
        """The upper edge of the pitch's row."""
        return self.top + (self.highest - pitch) * _ROW


class Pen:
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

    def horizontal(self, y, left, right, colour):
        self.box(left, y - 0.25, right, y + 0.25, colour)

    def text(self, x, y, text, anchor, size=9.0, width=None):
        """Nothing where it is wider than `width`."""
        font = pillow.font(size * self._scale)
        if width is not None and font.getlength(text) > width * self._scale:
            return
        place = (x * self._scale, y * self._scale)
        self._draw.text(place, text, fill=pillow.INK, font=font, anchor=anchor)


def frame_of(pitches: Iterable[int], length: int, above: float = 0.0) -> Frame:
    """The pitches with a margin, no less than `_FEWEST_ROWS` high; middle C's octave if none.

    Args:
      pitches: MIDI pitches that are to be seen.
      length: of the time axis, in steps.
      above: room above the bars' numbers, in points.
    """
    pitches = list(pitches) or [60, 71]
    lowest, highest = min(pitches) - _MARGIN_ROWS, max(pitches) + _MARGIN_ROWS
    missing = max(_FEWEST_ROWS - (highest - lowest + 1), 0)
    lowest, highest = lowest - missing // 2, highest + missing - missing // 2
    lowest, highest = max(lowest, 0), min(highest, HIGHEST_PITCH)
    length = max(length, 1)
    return Frame(lowest, highest, length, min(_STEP, _WIDEST / length), _TOP + above)


def on_paper(
    frame: Frame,
    steps_per_quarter: int,
    draw_notes: Callable[[Pen], None],
    below: float = 0.0,
    least_width: float = 0.0,
) -> Any:
    """A `PIL.Image.Image`: the paper, and on it what `draw_notes` draws.

    Args:
      frame: where pitches and steps are.
      steps_per_quarter: grid steps in a quarter note.
      draw_notes: draws with the pen that it is given.
      below: room below the grid, in points.
      least_width: of the grid's right and left together, in points.

    Raises:
      ImportError: Pillow is not installed.
    """

    def draw(drawing: Any, scale: int) -> None:
        pen = Pen(drawing, scale)
        _draw_rows(pen, frame)
        _draw_times(pen, frame, steps_per_quarter)
        _draw_keyboard(pen, frame)
        draw_notes(pen)

    width = round(max(frame.right, least_width) + _PADDING)
    return pillow.on_paper(width, round(frame.bottom + below + _PADDING), draw)


def draw_note(pen: Pen, frame: Frame, note: Any, fill: str, edge: str) -> None:
    """One box, of a note with `start`, `end` and `pitch`."""
    gap = min(1.0, frame.step / 4)  # so that repeated notes stay apart
    left, right = frame.x(note.start) + gap / 2, frame.x(note.end) - gap / 2
    top = frame.y(note.pitch) + 0.75
    radius = min(2.5, (right - left) / 3)
    pen.box(left, top, right, top + _ROW - 1.5, fill, edge, radius, width=0.75)


def _draw_rows(pen: Pen, frame: Frame) -> None:
    for pitch in range(frame.lowest, frame.highest + 1):
        top = frame.y(pitch)
        colour = _BLACK_KEY_ROW if pitch % 12 in _BLACK_CLASSES else pillow.PAPER
        pen.box(frame.left, top, frame.right, top + _ROW, colour)
        if pitch % 12 == 4 and pitch < frame.highest:  # two white keys meet at E and F
            pen.horizontal(top, frame.left, frame.right, _ROW_LINE)
        if pitch % 12 == 0 and pitch > frame.lowest:
            pen.horizontal(top + _ROW, frame.left, frame.right, _OCTAVE_LINE)


def _draw_times(pen: Pen, frame: Frame, steps_per_quarter: int) -> None:
    """Lines at beats, half bars and bars of 4/4; those that would crowd are left out."""
    for step in range(0, frame.length + 1, steps_per_quarter):
        beat = step // steps_per_quarter
        level = 2 if beat % 4 == 0 else int(beat % 2 == 0)
        colour = (_BEAT_LINE, _HALF_BAR_LINE, _BAR_LINE)[level]
        if frame.step * steps_per_quarter * (1, 2, 4)[level] >= 4:
            pen.vertical(frame.x(step), frame.top, frame.bottom, colour, 0.5 if level < 2 else 0.75)
        if level == 2 and step < frame.length and frame.step * steps_per_quarter * 4 >= 24:
            pen.text(frame.x(step) + 2, frame.top - 3, str(beat // 4 + 1), "ls")
    pen.horizontal(frame.top, frame.left, frame.right, _OCTAVE_LINE)
    pen.horizontal(frame.bottom, frame.left, frame.right, _OCTAVE_LINE)


def _draw_keyboard(pen: Pen, frame: Frame) -> None:
    left, right = _PADDING, frame.left
    pen.box(left, frame.top, right, frame.bottom, pillow.PAPER)
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
        pen.vertical(x, frame.top, frame.bottom, _KEYBOARD_EDGE)
    for y in (frame.top, frame.bottom):
        pen.horizontal(y, left, right, _KEYBOARD_EDGE)
