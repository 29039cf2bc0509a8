"""Sculptures as pictures: seen from one side (PNG), and all around on a turntable (GIF).

A painter's renderer: faces that look at the camera are shaded flat and drawn from the back to the
front. The camera sees in parallel lines, so that the order of the voxels' middles is exact.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from creative_rl.works import film_file, pillow
from creative_rl.works.sculpture import Sculpture, on_host
from creative_rl.works.sculpture_mesh import NORMALS, squares

NUM_FRAMES = 36
"""Of a turn."""
_FRAME_MS = 80
_SIZE, _TURNING_SIZE = 240, 160  # points on a side
_MARGIN = 8  # points
_ELEVATION = math.radians(28)  # of the camera above the ground
_FIRST_TURN = math.radians(-32)
_LIGHT = np.array((-0.40, -0.35, 0.85))
"""Towards the light, to the left of the camera and above it: right, back, up."""
_DARKEST, _AROUND = 0.55, 0.3
"""Brightness of what no light reaches, and how far light reaches around corners."""
_GROUND, _GROUND_LINE = (236, 238, 243), (214, 218, 227)
_NUM_SAMPLED = 4  # frames that a palette is made from


class _View(NamedTuple):
    """Where points of space are in the picture."""

    right: np.ndarray
    down: np.ndarray
    towards: np.ndarray  # the camera
    centre: np.ndarray
    scale: float  # points a voxel
    size: int

    def points(self, places: np.ndarray) -> np.ndarray:
        """float[..., 2], in points, of places [..., 3]."""
        away = places - self.centre
        across = np.stack([away @ self.right, away @ self.down], axis=-1)
        return self.size / 2 + self.scale * across


def draw(sculpture: Sculpture, turn: float = 0.0, size: int = _SIZE) -> Any:
    """One sculpture as a square `PIL.Image.Image` on white paper, from the front and above.

    Args:
      sculpture: which.
      turn: of the table that it stands on, in radians, anticlockwise from above.
      size: of the picture, in points.

    Raises:
      ValueError: it is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    sculpture = on_host(sculpture)
    view = _view(np.asarray(sculpture.voxels), turn, size)
    seen = squares(np.asarray(sculpture.voxels))
    faces_camera = NORMALS[seen.sides] @ view.towards > 1e-9
    order = np.argsort((seen.cells @ view.towards)[faces_camera], kind="stable")
    polygons = view.points(seen.corners[faces_camera][order])
    base = np.array(sculpture.colours)[seen.materials[faces_camera][order].astype(int) - 1]
    shades = _shades(turn)[seen.sides[faces_camera][order]]
    fills = np.rint(base * shades[:, None]).astype(int).tolist()
    edges = np.rint(base * shades[:, None] * 0.86).astype(int).tolist()

    def draw_all(drawing: Any, scale: int) -> None:
        _draw_ground(drawing, scale, view, sculpture.voxels.shape)
        for polygon, fill, edge in zip(
            (polygons * scale).reshape(-1, 8).tolist(), fills, edges, strict=True
        ):
            drawing.polygon(polygon, fill=tuple(fill), outline=tuple(edge))

    return pillow.on_paper(size, size, draw_all)


def encode_png(sculpture: Sculpture) -> bytes:
    """One sculpture's picture as the bytes of a PNG file; raises as `draw` does."""
    return pillow.png(draw(sculpture))


def encode_gif(sculpture: Sculpture) -> bytes:
    """One sculpture on a turntable as the bytes of an animated GIF, which turns over and over.

    Raises:
      ValueError: as `draw` does.
      ImportError: Pillow is not installed.
    """
    turns = 2 * math.pi * np.arange(NUM_FRAMES) / NUM_FRAMES
    frames = [draw(sculpture, float(turn), _TURNING_SIZE) for turn in turns]
    sampled = [np.asarray(frame) for frame in frames[:: NUM_FRAMES // _NUM_SAMPLED]]
    frames = film_file.quantised(frames, np.concatenate(sampled))
    return film_file.encoded(frames, [_FRAME_MS] * NUM_FRAMES)


def _view(voxels: np.ndarray, turn: float, size: int) -> _View:
    """So that the grid's ground and all that stands on it is in the picture, however it turns."""
    right, back, up = _axes(turn)
    rise, run = math.sin(_ELEVATION), math.cos(_ELEVATION)
    full = np.flatnonzero((voxels > 0).any(axis=(0, 1)))
    height = int(full[-1]) + 1 if full.size else 1
    radius = math.hypot(*voxels.shape[:2]) / 2
    half = max(radius, radius * rise + height * run / 2)
    return _View(
        right=right,
        down=-(back * rise + up * run),
        towards=up * rise - back * run,
        centre=np.array((voxels.shape[0] / 2, voxels.shape[1] / 2, height / 2)),
        scale=(size / 2 - _MARGIN) / half,
        size=size,
    )


def _shades(turn: float) -> np.ndarray:
    """float[6]: brightness of the six sides; the light stays while the table turns."""
    light = _LIGHT @ np.stack(_axes(turn))
    lit = (NORMALS @ light + _AROUND) / (_LIGHT.max() + _AROUND)
    return _DARKEST + (1 - _DARKEST) * np.clip(lit, 0, 1)


def _axes(turn: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The camera's right, back along the ground, and up."""
    angle = turn + _FIRST_TURN
    right = np.array((math.cos(angle), -math.sin(angle), 0.0))
    back = np.array((math.sin(angle), math.cos(angle), 0.0))
    return right, back, np.array((0.0, 0.0, 1.0))


def _draw_ground(drawing: Any, scale: int, view: _View, shape: tuple[int, ...]) -> None:
    """The plate of the grid, with a line between any two cells."""
    across, deep = shape[:2]

    def points(*places: tuple[float, float]) -> list[float]:
        return (view.points(np.array([(*p, 0.0) for p in places])) * scale).ravel().tolist()

    plate = points((0, 0), (across, 0), (across, deep), (0, deep))
    drawing.polygon(plate, fill=_GROUND, outline=_GROUND_LINE)
    for x in range(1, across):
        drawing.line(points((x, 0), (x, deep)), fill=_GROUND_LINE, width=scale // 2)
    for y in range(1, deep):
        drawing.line(points((0, y), (across, y)), fill=_GROUND_LINE, width=scale // 2)
