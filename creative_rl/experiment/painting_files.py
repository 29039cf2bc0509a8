"""From a picture's file to a painting's."""

import dataclasses
import os
import pathlib
import time
from typing import NamedTuple

import numpy as np

from creative_rl import works
from creative_rl.atomic import write_json
from creative_rl.corpora import picture_files, pixels
from creative_rl.experiment.painting import Painting, PaintSettings, paint, search, within
from creative_rl.works.files import KINDS


class Painted(NamedTuple):
    """A painting, its file, and how long it took."""

    painting: Painting
    path: pathlib.Path
    seconds: float


def check_out(
    picture: str | os.PathLike, out: str | os.PathLike | None, curve: str | os.PathLike | None
) -> pathlib.Path:
    """Where the painting goes: `out`, or beside the picture as an SVG file.

    Raises:
      ValueError: a suffix that paintings have not, the picture's own file, or no such folder.
    """
    source = pathlib.Path(picture)
    path = source.with_name(f"{source.stem}-painted.svg") if out is None else pathlib.Path(out)
    suffixes = KINDS[works.Canvas].formats
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"a painting is written as {', '.join(suffixes)}, got the file name {path.name!r}"
        )
    for target in (path, *([] if curve is None else [pathlib.Path(curve)])):
        if target.exists() and source.exists() and target.samefile(source):
            raise ValueError(f"{target} is the picture itself; give another name to write to")
        if target.is_dir():
            raise ValueError(f"{target} is a folder; give the name of a file")
        if not target.parent.is_dir():
            raise ValueError(f"there is no folder {target.parent}; create it first")
    if curve is not None and pathlib.Path(curve).suffix.lower() != ".json":
        raise ValueError(f"the curve is written as .json, got the file name {os.fspath(curve)!r}")
    return path


def read_picture(path: str | os.PathLike, size: int, channels: int | None = None) -> np.ndarray:
    """A picture uint8[H, W, C] whose longer side is at most `size`, its aspect kept.

    Args:
      path: a file that Pillow reads.
      size: pixels.
      channels: 1 for grey, 3 for RGB; None for grey where the picture is.

    Raises:
      ValueError: there is no such file, or it is no picture, or a damaged one.
      ImportError: Pillow is not installed.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"there is no picture {path}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give one picture in it")
    try:
        picture = picture_files.read(path)
    except OSError as error:
        raise ValueError(f"{path}: it cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if channels is None:
        channels = 1 if (picture == picture[..., :1]).all() else 3
    picture = pixels.fit(picture[None], *within(picture.shape[0], picture.shape[1], size))
    return pixels.as_channels(picture, channels)[0]


def paint_file(
    picture: str | os.PathLike,
    out: str | os.PathLike | None = None,
    settings: PaintSettings | None = None,
    *,
    run: str | os.PathLike | None = None,
    curve: str | os.PathLike | None = None,
    progress: bool = False,
) -> Painted:
    """Paint after a picture and write the painting.

    Args:
      picture: a file that Pillow reads.
      out: .svg, .png, .gif or .mp4 (the making) or .json; None for an SVG file beside the picture.
      settings: None for the defaults.
      run: directory of a trained painter, which then finds the strokes; it has a background and
        colours of its own.
      curve: .json file for the errors.
      progress: show how far it is.

    Raises:
      ValueError: as `check_out`, `read_picture` and `RunPainter`, or a background with a run.
      ImportError: a package that the format needs is not installed.
    """
    began = time.monotonic()
    settings = settings or PaintSettings()
    path = check_out(picture, out, curve)
    _check_format(path)
    painter, channels = search, None
    if run is not None:
        from creative_rl.experiment.painting_run import RunPainter

        if settings.background is not None:
            raise ValueError("a run paints on the background that it was trained on; leave it out")
        painter = RunPainter(run)
        channels = painter.channels
        settings = dataclasses.replace(settings, background=painter.background)
    pixels_read = read_picture(picture, settings.size, channels)
    painting = paint(pixels_read, settings, painter=painter, progress=progress)
    works.save(painting.canvas, path)
    seconds = time.monotonic() - began
    if curve is not None:
        write_json(pathlib.Path(curve), _as_curve(painting, seconds))
    return Painted(painting, path, seconds)


def describe(painted: Painted) -> str:
    """One line: the errors and the time."""
    painting = painted.painting
    height, width, _ = painting.canvas.pixels.shape
    num = len(painting.canvas.strokes)
    text = (
        f"{num} {'stroke' if num == 1 else 'strokes'} on {width} x {height} pixels in "
        f"{painted.seconds:.0f} s; mean squared error "
        f"{painting.errors[0]:.4f} empty, {painting.errors[-1]:.4f} painted"
    )
    return f"{text}, {painting.error:.4f} refined" if painting.refinement_errors else text


def _check_format(path: pathlib.Path) -> None:
    """Raise what writing would raise, before the work is done: write the smallest painting."""
    stroke = np.array([[0.1, 0.1, 0.5, 0.5, 0.9, 0.9, 0.2, 0.2, 1, 1, 1]], np.float32)
    small = works.Canvas(np.zeros((8, 8, 1), np.uint8), stroke, np.array(1, np.int32))
    kind = KINDS[works.Canvas]
    kind.formats[path.suffix.lower()].encode(kind.check(small))


def _as_curve(painting: Painting, seconds: float) -> dict[str, object]:
    height, width, channels = painting.canvas.pixels.shape
    return {
        "measure": "mean squared error over pixels and channels, levels in 0..1",
        "shape": [height, width, channels],
        "seconds": round(seconds, 2),
        "blank": painting.errors[0],
        "strokes": painting.errors[1:],
        "refinements": painting.refinement_errors,
        "error": painting.error,
    }
