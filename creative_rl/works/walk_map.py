"""Walks as pictures: a map of the grid with the way drawn in, through Pillow."""

import math
from typing import Any, NamedTuple

import numpy as np

from creative_rl.works import pillow
from creative_rl.works.walk import Walk, has_arrived, on_host, summary

# Lengths are in points.
_CELL = 44  # width of a cell, less where there are many
_WIDEST = 640  # of the grid
_PADDING = 8
_CAPTION = 20  # height of the line below the grid
_NARROWEST = 150  # so that the line has room

_CELL_COLOUR = (241, 242, 246)
_VISITED_COLOUR = (176, 205, 240)  # what a cell's colour tends to as it is visited again
_GOAL = ("#f2c14e", "#b98a1d")  # fill and edge of the star once reached
_GOAL_MISSED = ("#ffffff", "#9aa1b2")
_WAY = ((63, 177, 234), (171, 147, 237), (227, 128, 169), (235, 100, 80))  # from first to last


class _Frame(NamedTuple):
    """Where cells are, in points, in the picture of a grid of `size` rows and columns."""

    size: int

    @property
    def cell(self) -> float:
        return min(_CELL, _WIDEST / self.size)

    @property
    def width(self) -> int:
        return round(max(self.size * self.cell, _NARROWEST) + 2 * _PADDING)

    @property
    def height(self) -> int:
        return round(self.size * self.cell + 2 * _PADDING + _CAPTION)

    def centre(self, row: float, column: float) -> tuple[float, float]:
        left = (self.width - self.size * self.cell) / 2
        return left + (column + 0.5) * self.cell, _PADDING + (row + 0.5) * self.cell


def draw(walk: Walk) -> Any:
    """One walk as a `PIL.Image.Image` on white paper.

    Cells are the darker the more often they were visited. The way goes from blue to red, from a
    ring at the start to a dot at its end; the star is the goal, golden where it was reached.

    Raises:
      ValueError: the walk is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    walk = on_host(walk)
    frame, places = _Frame(walk.size), np.asarray(walk.cells)[: int(walk.length) + 1]

    def draw_all(drawing: Any, scale: int) -> None:
        brush = _Brush(drawing, scale, frame)
        _draw_cells(brush, walk.size, places)
        _draw_way(brush, places)
        _draw_goal(brush, walk)
        brush.caption(summary(walk))

    return pillow.on_paper(frame.width, frame.height, draw_all)


def encode_png(walk: Walk) -> bytes:
    """One walk's map as the bytes of a PNG file; raises as `draw` does."""
    return pillow.png(draw(walk))


class _Brush:
    """Pillow's, in cells: whoever draws need not know of pixels."""

    def __init__(self, draw: Any, scale: int, frame: _Frame):
        self._draw = draw
        self._scale = scale
        self._frame = frame
        self._cell = frame.cell * scale

    def point(self, row: float, column: float) -> tuple[float, float]:
        x, y = self._frame.centre(row, column)
        return x * self._scale, y * self._scale

    def tile(self, row: int, column: int, fill: tuple[int, ...]) -> None:
        x, y = self.point(row, column)
        half = 0.46 * self._cell
        self._draw.rounded_rectangle((x - half, y - half, x + half, y + half), half / 3, fill=fill)

    def disc(self, place: tuple[float, float], radius: float, fill: Any) -> None:
        (x, y), radius = self.point(*place), radius * self._cell
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def stroke(self, start: Any, end: Any, width: float, fill: tuple[int, ...]) -> None:
        """A straight line between two points of one row or column, with round ends."""
        (x0, x1), (y0, y1) = map(sorted, zip(self.point(*start), self.point(*end), strict=True))
        half = width / 2 * self._cell
        corners = (x0 - half, y0 - half, x1 + half, y1 + half)
        self._draw.rounded_rectangle(corners, half, fill=fill)

    def star(self, row: int, column: int, radius: float, fill: str, outline: str) -> None:
        x, y = self.point(row, column)
        corners = []
        for corner in range(10):
            reach = radius * (1.0 if corner % 2 == 0 else 0.45) * self._cell
            angle = math.pi * (corner / 5 - 0.5)
            corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        width = max(1, round(0.03 * self._cell))
        self._draw.polygon(corners, fill=fill, outline=outline, width=width)

    def caption(self, text: str) -> None:
        x, y = self._frame.width / 2, self._frame.height - _PADDING - _CAPTION / 2
        font = pillow.font(10.0 * self._scale)
        place = (x * self._scale, y * self._scale)
        self._draw.text(place, text, fill=pillow.INK, font=font, anchor="mm")


def _draw_cells(brush: _Brush, size: int, places: np.ndarray) -> None:
    visits = np.zeros((size, size), np.int64)
    np.add.at(visits, tuple(places.T), 1)
    for row, column in np.ndindex(size, size):
        share = 1 - 0.75 ** float(visits[row, column])
        brush.tile(row, column, _blend(_CELL_COLOUR, _VISITED_COLOUR, share))


def _draw_goal(brush: _Brush, walk: Walk) -> None:
    row, column = walk.goal.tolist()
    brush.star(row, column, 0.36, *(_GOAL if has_arrived(walk) else _GOAL_MISSED))


def _draw_way(brush: _Brush, places: np.ndarray) -> None:
    last = len(places) - 1
    cells = places.tolist()
    for step in range(last):
        # Each stroke in pieces, so that the colour flows.
        for piece in range(4):
            start, end = (_between(cells[step], cells[step + 1], (piece + k) / 4) for k in (0, 1))
            brush.stroke(start, end, 0.13, _way_colour((step + (piece + 0.5) / 4) / last))
    brush.disc(cells[0], 0.17, _WAY[0])
    brush.disc(cells[0], 0.09, pillow.PAPER)
    if last:
        brush.disc(cells[-1], 0.12, _WAY[-1])


def _between(start: list[int], end: list[int], share: float) -> tuple[float, ...]:
    return tuple(a + (b - a) * share for a, b in zip(start, end, strict=True))


def _way_colour(share: float) -> tuple[int, ...]:
    place = min(share, 0.9999) * (len(_WAY) - 1)
    return _blend(_WAY[int(place)], _WAY[int(place) + 1], place % 1)


def _blend(first: tuple[int, ...], second: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
