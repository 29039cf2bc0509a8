"""Discs, rings, triangles, crosses and bars: pictures drawn by formula, at any size, at once."""

from collections.abc import Callable

import numpy as np

NUM_PICTURES = 40

# Half length and half thickness of a bar whose corners lie on a circle of radius 1.
_LENGTH, _THICKNESS = 0.96, 0.28
_SMALLEST, _LARGEST = 0.2, 0.4  # radius, in shorter sides of the canvas
_MARGIN = 0.05  # between the circle around a shape and the edge of the canvas, likewise
# Roberts' R5 sequence: the multiples of these powers of the root of g^6 = g + 1, modulo 1, are
# spread evenly over the unit cube, with no random generator that could change.
_STRIDES = 1.1347241384015194 ** -np.arange(1, 6)


def pictures(height: int, width: int, channels: int) -> np.ndarray:
    """One soft-edged shape a picture, on black: uint8[40, height, width, channels].

    The five kinds take turns; place, size, angle and tint are spread evenly and the same for
    every canvas. Levels of grey lie in 0.5..1, of RGB channels in 0.2..1.
    """
    side = min(height, width)
    y, x = np.mgrid[:height, :width]
    x, y = (x + 0.5 - width / 2) / side, (y + 0.5 - height / 2) / side
    drawn = np.empty((NUM_PICTURES, height, width, channels), np.uint8)
    for index in range(NUM_PICTURES):
        across, down, size, turn, tint = (0.5 + (index + 1) * _STRIDES) % 1
        radius = _SMALLEST + (_LARGEST - _SMALLEST) * size
        middle_x = (2 * across - 1) * (width / side / 2 - _MARGIN - radius)
        middle_y = (2 * down - 1) * (height / side / 2 - _MARGIN - radius)
        u, v = _turned((x - middle_x) / radius, (y - middle_y) / radius, 2 * np.pi * turn)
        distance = _KINDS[index % len(_KINDS)](u, v) * radius * side
        alpha = np.clip(0.5 - distance, 0, 1)  # an edge is one pixel wide
        drawn[index] = np.rint(alpha[..., None] * _colour(tint, channels) * 255)
    return drawn


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _colour(tint: float, channels: int) -> np.ndarray:
    """float[channels] of a number in [0, 1): lighter with it, or once around the hues."""
    if channels == 1:
        return np.array([0.5 + 0.5 * tint])
    return 0.6 + 0.4 * np.cos(2 * np.pi * (tint + np.array([0, 1, 2]) / 3))


# Signed distances, negative inside, of shapes within the unit circle. Beyond a corner they are
# less than the distance to it, which keeps corners sharp.


def _disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) - 1


def _ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(x, y) - 0.75) - 0.25


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slope = np.sqrt(3) / 2
    return np.maximum(np.maximum(slope * x - y / 2, -slope * x - y / 2), y) - 0.5


def _bar(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(x) - _LENGTH, np.abs(y) - _THICKNESS)


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.minimum(_bar(x, y), _bar(y, x))


_KINDS: tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], ...] = (
    _disc, _ring, _triangle, _cross, _bar,
)  # fmt: skip
