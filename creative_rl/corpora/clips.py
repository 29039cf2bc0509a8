"""Clips to learn from: from a name or a path to one array of one length and size."""

import functools
import os
import pathlib
from collections.abc import Iterator

import jax
import numpy as np

from creative_rl.corpora import clip_files, moving_shapes
from creative_rl.corpora.names import did_you_mean
from creative_rl.corpora.pictures import MAX_SIDE
from creative_rl.corpora.pixels import fit

NAMES = ("moving-shapes",)
MAX_LENGTH = 1024
"""The most frames of a clip that are asked for."""

_NUM_SHAPES = 256
_FILES = f"a clip ({', '.join(clip_files.SUFFIXES)}) or a folder of clips"


def load_clips(
    source: str | os.PathLike, num_frames: int = 16, height: int = 64, width: int = 64
) -> np.ndarray:
    """Clips as uint8[N, num_frames, height, width, 3], levels 0..255, N at least 1.

    | source | clips |
    |---|---|
    | `moving-shapes` | 256 of one shape each that slides, circles, sways or bounces, always the \
same; `corpora.moving_shapes.draw` draws others from a key |
    | a GIF, MP4, MOV, WebM, MKV or AVI file | its frames (needs PyAV, as does a folder) |
    | a folder of such files | those in it, not below it, in order of name |

    A file is cut into as many clips as it holds, one after the other from its first frame; what is
    left over at the end is not used. Frames count as they are stored, however long each is shown.
    They are cut to the aspect asked for, around their middle, then shrunk by averaging areas or
    enlarged (`pixels.fit`).

    Args:
      source: a name from the table, or a path; as a `PathLike` it is always a path.
      num_frames: frames of a clip, 1 to 1024.
      height: pixels, 8 to 2048.
      width: pixels, 8 to 2048.

    Raises:
      ValueError: an argument is out of range, no source has that name, or a file is damaged, of
        another kind or shorter than a clip; the line names the file.
      FileNotFoundError: there is nothing at that path.
      ImportError: the source needs a library that is not installed.
    """
    for name, value, low, high in (
        ("num_frames", num_frames, 1, MAX_LENGTH),
        ("height", height, 8, MAX_SIDE),
        ("width", width, 8, MAX_SIDE),
    ):
        if not isinstance(value, int | np.integer) or not low <= value <= high:
            raise ValueError(f"load_clips: {name} must be {low} to {high}, got {value!r}")
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"load_clips: source must be a name or a path, got {source!r}")
    if isinstance(source, str) and source in NAMES:
        return _drawn(num_frames, height, width).copy()
    path = pathlib.Path(source).expanduser()
    if not str(source) or not path.exists():
        raise _missing(source)
    try:
        files = clip_files.find(path) if path.is_dir() else [path]
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {_reason(error)}") from error
    return np.concatenate([_from_file(file, num_frames, height, width) for file in files])


@functools.lru_cache(maxsize=2)
def _drawn(num_frames: int, height: int, width: int) -> np.ndarray:
    """The moving shapes; kept, because an environment's default params ask for them every time."""
    with jax.ensure_compile_time_eval():  # params may be asked for inside a program
        drawn = moving_shapes.draw(jax.random.key(0), _NUM_SHAPES, num_frames, height, width)
        return np.asarray(drawn.clips)


def _from_file(path: pathlib.Path, num_frames: int, height: int, width: int) -> np.ndarray:
    """uint8[n, num_frames, height, width, 3], n at least 1."""
    try:
        frames = list(_fitted(path, height, width))
        if len(frames) < num_frames:
            raise ValueError(
                f"it has {len(frames)} frames, fewer than the {num_frames} of a clip; give fewer, "
                "or leave it out"
            )
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {_reason(error)}") from error
    num = len(frames) // num_frames
    return np.stack(frames[: num * num_frames]).reshape(num, num_frames, height, width, 3)


def _fitted(path: pathlib.Path, height: int, width: int) -> Iterator[np.ndarray]:
    """Frame by frame, so that only small ones are kept."""
    for frame in clip_files.read(path):
        yield fit(frame[None], height, width)[0]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or error})"
    return str(error)


def _missing(source: str | os.PathLike) -> Exception:
    """What to raise for a source that is neither a name nor there."""
    name = os.fspath(source)
    choices = f"give {', '.join(NAMES)}, or the path of {_FILES}"
    if not isinstance(source, str) or os.sep in name or pathlib.Path(name).suffix:
        return FileNotFoundError(f"there is no file or folder {name!r}; {choices}")
    return ValueError(f"there is no source of clips {name!r}{did_you_mean(name, NAMES)}; {choices}")
