"""Rules of composition in plain Python loops over pixels; see `creative_rl.ops.composition`."""

import math
import zlib

import numpy as np


def ink(picture: np.ndarray, background: float) -> np.ndarray:
    height, width, channels = picture.shape
    grid = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            grid[row, column] = sum(abs(v - background) for v in picture[row, column]) / channels
    return grid


def balance(grid: np.ndarray) -> float:
    height, width = grid.shape
    mass = x = y = 0.0
    for row in range(height):
        for column in range(width):
            mass += grid[row, column]
            x += grid[row, column] * ((column + 0.5) / width - 0.5)
            y += grid[row, column] * ((row + 0.5) / height - 0.5)
    return 1 - math.hypot(x / mass, y / mass) / math.sqrt(0.5)


def symmetry(grid: np.ndarray) -> float:
    height, width = grid.shape
    shared = total = 0.0
    for row in range(height):
        for column in range(width):
            shared += min(grid[row, column], grid[row, width - 1 - column])
            total += grid[row, column]
    return shared / total


def coverage(grid: np.ndarray, wanted: float) -> float:
    painted = sum(value > 0.05 for value in grid.ravel()) / grid.size
    return painted / wanted if painted <= wanted else (1 - painted) / (1 - wanted)


def harmony(picture: np.ndarray) -> float:
    """By the angles themselves."""
    once = twice = total = 0
    for red, green, blue in picture.reshape(-1, 3):
        vector = complex(red - (green + blue) / 2, math.sqrt(3) / 2 * (green - blue))
        chroma, angle = abs(vector), math.atan2(vector.imag, vector.real)
        once += chroma * complex(math.cos(angle), math.sin(angle))
        twice += chroma * complex(math.cos(2 * angle), math.sin(2 * angle))
        total += chroma
    return max(abs(once), abs(twice)) / total


def deflated_bits(picture: np.ndarray) -> float:
    """Bits a pixel that zlib needs for the 16 grey levels, after PNG's filter `Sub`."""
    levels = np.round(picture[..., 0] * 15).astype(np.int64)
    residuals = np.diff(levels, axis=1, prepend=levels[:, :1]) % 16
    return 8 * len(zlib.compress(residuals.astype(np.uint8).tobytes(), 9)) / residuals.size
