"""How tiles look: drawings of our own, by the tiles' names, through Pillow."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from creative_rl.works import pillow

FLOOR = "#f4efe4"
_SEAM = "#e6dfcf"
_STONE, _STONE_TOP, _STONE_DARK = "#59617a", "#727b97", "#474e63"
_SKIN, _CLOTH, _CLOTH_DARK = "#f0c39b", "#3f7fcf", "#2d5d9b"
_GOLD, _GOLD_DARK = "#e3ac2f", "#b07f16"
_WOOD, _WOOD_DARK, _WOOD_LIGHT = "#b67b43", "#7f5128", "#d59e63"
_NIGHT, _RUST, _RUST_DARK, _INK = "#6c4f96", "#c9572e", "#8f3a1b", "#3b3440"
_RED = "#d64545"


class Pen:
    """Pillow's drawing in units of one tile, from its upper left corner on."""

    def __init__(self, drawing: Any, left: float, top: float, side: float):
        self._drawing, self._left, self._top, self._side = drawing, left, top, side

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str, radius: float = 0) -> None:
        """A rectangle, its corners rounded by `radius`."""
        corners = [*self._point(x0, y0), *self._point(x1, y1)]
        self._drawing.rounded_rectangle(corners, radius * self._side, fill=fill)

    def disc(self, x: float, y: float, across: float, fill: str, down: float | None = None) -> None:
        """An ellipse around a point, by its half axes."""
        down = across if down is None else down
        corners = [*self._point(x - across, y - down), *self._point(x + across, y + down)]
        self._drawing.ellipse(corners, fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: str) -> None:
        """A polygon."""
        self._drawing.polygon([self._point(*point) for point in points], fill=fill)

    def line(self, points: list[tuple[float, float]], width: float, fill: str) -> None:
        """Straight lines from point to point, round where they meet."""
        placed, thick = [self._point(*point) for point in points], width * self._side
        self._drawing.line(placed, fill=fill, width=round(thick), joint="curve")
        for x, y in (placed[0], placed[-1]):
            half = thick / 2
            self._drawing.ellipse((x - half, y - half, x + half, y + half), fill=fill)

    def word(self, written: str, fill: str) -> None:
        """A character in the middle."""
        font = pillow.font(0.7 * self._side)
        self._drawing.text(self._point(0.5, 0.5), written, fill=fill, font=font, anchor="mm")

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return self._left + x * self._side, self._top + y * self._side


def draw_tile(pen: Pen, name: str, character: str) -> None:
    """A tile on the floor; one without a drawing of its own shows its character."""
    pen.box(0, 0, 1, 1, _SEAM)
    pen.box(0.02, 0.02, 0.98, 0.98, FLOOR)
    if name in DRAWINGS:
        DRAWINGS[name](pen)
    else:
        pen.box(0.1, 0.1, 0.9, 0.9, "#d9dde6", 0.15)
        pen.word(character, _INK)


def _empty(pen: Pen) -> None:
    """Nothing but the floor."""


def _solid(pen: Pen) -> None:
    pen.box(0, 0, 1, 1, _STONE_DARK)
    for left, top, right in ((0, 0, 0.62), (0.66, 0, 1), (0, 0.5, 0.3), (0.34, 0.5, 1)):
        pen.box(left, top, right, top + 0.46, _STONE)
        pen.box(left, top, right, top + 0.08, _STONE_TOP)


def _player(pen: Pen) -> None:
    pen.box(0.27, 0.48, 0.73, 0.92, _CLOTH_DARK, 0.18)
    pen.box(0.27, 0.48, 0.73, 0.82, _CLOTH, 0.18)
    pen.disc(0.5, 0.31, 0.21, _SKIN)
    pen.box(0.29, 0.08, 0.71, 0.24, _CLOTH_DARK, 0.08)
    for x in (0.42, 0.58):
        pen.disc(x, 0.33, 0.035, _INK)


def _key(pen: Pen) -> None:
    for shift, fill in ((0.04, _GOLD_DARK), (0.0, _GOLD)):
        pen.disc(0.3, 0.46 + shift, 0.18, fill)
        pen.box(0.4, 0.41 + shift, 0.88, 0.52 + shift, fill, 0.03)
        for left in (0.62, 0.77):
            pen.box(left, 0.5 + shift, left + 0.09, 0.68 + shift, fill, 0.02)
    pen.disc(0.3, 0.46, 0.08, FLOOR)


def _door(pen: Pen) -> None:
    for edge, fill in ((0.0, _WOOD_DARK), (0.06, _WOOD)):
        pen.disc(0.5, 0.38, 0.34 - edge, fill)
        pen.box(0.16 + edge, 0.38, 0.84 - edge, 0.97, fill)
    for x in (0.39, 0.61):
        pen.line([(x, 0.17), (x, 0.95)], 0.03, _WOOD_DARK)
    pen.disc(0.7, 0.6, 0.05, _GOLD)


def _bat(pen: Pen) -> None:
    for side in (-1, 1):
        wing = [(0, 0.42), (0.24, 0.2), (0.46, 0.36), (0.4, 0.66), (0.3, 0.52), (0.2, 0.7)]
        pen.shape([(0.5 + side * x, y) for x, y in [*wing, (0.08, 0.56)]], _NIGHT)
        pen.shape([(0.5 + side * x, y) for x, y in ((0.02, 0.36), (0.13, 0.2), (0.15, 0.42))], _INK)
    pen.disc(0.5, 0.52, 0.16, _INK, 0.2)
    for x in (0.44, 0.56):
        pen.disc(x, 0.46, 0.035, "#ffffff")


def _scorpion(pen: Pen) -> None:
    for side in (-1, 1):
        pen.line([(0.5 + side * x, y) for x, y in ((0.1, 0.72), (0.26, 0.84))], 0.05, _RUST_DARK)
        pen.line([(0.5 + side * x, y) for x, y in ((0.12, 0.6), (0.32, 0.66))], 0.05, _RUST_DARK)
        claw = ((0.1, 0.75), (0.3, 0.9))
        pen.line([(0.5 + side * x, y - 0.28) for x, y in claw], 0.07, _RUST)
        pen.disc(0.5 + side * 0.33, 0.56, 0.09, _RUST)
        pen.disc(0.5 + side * 0.38, 0.51, 0.05, FLOOR)
    pen.disc(0.5, 0.66, 0.17, _RUST, 0.22)
    bend = [(0.5 + 0.16 * math.sin(turn), 0.3 + 0.18 * math.cos(turn)) for turn in _turns(5.2)]
    pen.line([(0.5, 0.5), *bend], 0.08, _RUST)
    pen.disc(*bend[-1], 0.06, _RUST_DARK)
    for x in (0.44, 0.56):
        pen.disc(x, 0.76, 0.03, "#ffffff")


def _spider(pen: Pen) -> None:
    for side in (-1, 1):
        for foot, knee in ((0.16, 0.24), (0.4, 0.36), (0.66, 0.56), (0.9, 0.72)):
            leg = [(0.5, 0.52), (0.5 + side * 0.26, knee), (0.5 + side * 0.42, foot)]
            pen.line(leg, 0.04, _INK)
    pen.disc(0.5, 0.6, 0.2, _INK)
    pen.disc(0.5, 0.38, 0.13, "#5a4f61")
    for x in (0.45, 0.55):
        pen.disc(x, 0.35, 0.03, _RED)


def _crate(pen: Pen) -> None:
    pen.box(0.08, 0.08, 0.92, 0.92, _WOOD_DARK, 0.05)
    pen.box(0.12, 0.12, 0.88, 0.88, _WOOD, 0.03)
    pen.box(0.22, 0.22, 0.78, 0.78, _WOOD_LIGHT)
    for down in (1, -1):
        ends = [(0.26, 0.5 - 0.24 * down), (0.74, 0.5 + 0.24 * down)]
        pen.line(ends, 0.1, _WOOD_DARK)
        pen.line(ends, 0.06, _WOOD)


def _target(pen: Pen) -> None:
    for radius, fill in ((0.3, _RED), (0.22, FLOOR), (0.12, _RED)):
        pen.disc(0.5, 0.5, radius, fill)


def _turns(most: float) -> list[float]:
    return [most * step / 8 for step in range(9)]


DRAWINGS: Mapping[str, Callable[[Pen], None]] = {
    "empty": _empty,
    "solid": _solid,
    "player": _player,
    "key": _key,
    "door": _door,
    "bat": _bat,
    "scorpion": _scorpion,
    "spider": _spider,
    "crate": _crate,
    "target": _target,
}
"""By the tile's name."""
