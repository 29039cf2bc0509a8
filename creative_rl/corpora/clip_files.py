"""Moving pictures in files that PyAV reads, and folders of them."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from creative_rl.corpora.picture_files import MAX_PIXELS

SUFFIXES = (".gif", ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
"""Which files are moving pictures."""
MAX_FRAMES = 20_000
"""More in one file are refused."""


def find(folder: pathlib.Path) -> list[pathlib.Path]:
    """Files with a moving picture's suffix, in any case, in order of name; not the hidden ones.

    Raises:
      ValueError: there is none.
      OSError: the folder cannot be listed.
    """
    entries = sorted(folder.iterdir())
    found = [
        path
        for path in entries
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not found:
        holds = f"no clip among its {len(entries)} entries" if entries else "nothing"
        raise ValueError(
            f"this folder holds {holds}; put clips into it, files that end in {', '.join(SUFFIXES)}"
        )
    return found


def read(path: pathlib.Path) -> Iterator[np.ndarray]:
    """Every frame of the first video stream, uint8[H, W, 3]; what is transparent lies on black.

    Raises:
      ValueError: no moving picture, a damaged one, or one that is too large or too long.
      ImportError: PyAV is not installed.
      OSError: the file cannot be read.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError("reading clips needs PyAV: pip install 'creative_rl[video]'") from error
    with path.open("rb") as file:
        try:
            with av.open(file, "r") as container:
                if not container.streams.video:
                    raise _Refused("it holds no pictures, only other streams")
                for number, frame in enumerate(container.decode(container.streams.video[0])):
                    _check_size(frame.width, frame.height, number)
                    yield _rgb(frame)
        except _Refused:
            raise
        except (av.error.FFmpegError, ValueError, OSError, IndexError) as error:
            reason = str(getattr(error, "strerror", None) or error).splitlines()[0]
            raise ValueError(
                f"it is no clip that PyAV reads, or a damaged one ({reason})"
            ) from error


class _Refused(ValueError):
    """A clip that is whole and not wanted."""


def _check_size(width: int, height: int, number: int) -> None:
    if width * height > MAX_PIXELS:
        raise _Refused(f"it has {width} x {height} pixels, at most {MAX_PIXELS} are read")
    if number >= MAX_FRAMES:
        raise _Refused(f"it has more than {MAX_FRAMES} frames; cut it into shorter files")


def _rgb(frame: Any) -> np.ndarray:
    """uint8[H, W, 3] of a frame in any format."""
    if not any(part.is_alpha for part in frame.format.components):
        return frame.to_ndarray(format="rgb24")
    pixels = frame.to_ndarray(format="rgba")
    weighted = pixels[..., :3].astype(np.uint16) * pixels[..., 3:]
    return ((weighted + 127) // 255).astype(np.uint8)
