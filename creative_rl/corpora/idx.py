"""Pictures in IDX, the format of MNIST: a header of four big-endian numbers, then bytes."""

import gzip
import io
import math
import pathlib
import struct
import zlib

import numpy as np

_MAGIC = 0x0803  # unsigned bytes in three dimensions
_LABELS = 0x0801
_GZIP = b"\x1f\x8b"
_PIECE = 2**22  # bytes


def read(path: pathlib.Path) -> np.ndarray:
    """Pictures uint8[N, H, W, 1], from a plain file or a gzipped one, which its bytes tell.

    Raises:
      ValueError: anything else: another magic number, a wrong length, damaged compression.
      OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
    try:
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            shape = _shape(file.read(16))
            size = math.prod(shape)
            data = _up_to(size + 1, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"its compression is damaged ({error})") from error
    if len(data) != size:
        has = "more" if len(data) > size else f"{len(data)}"
        raise ValueError(f"its header announces {size} bytes of pixels, {has} follow")
    return np.frombuffer(data, np.uint8).reshape(*shape, 1)


def _up_to(size: int, file: io.BufferedIOBase) -> bytes:
    """What is left of a file, at most `size` bytes; no more memory than what is there."""
    pieces = []
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _shape(header: bytes) -> tuple[int, int, int]:
    """Number, height and width of the pictures."""
    magic = int.from_bytes(header[:4])
    if magic == _LABELS:
        raise ValueError("these are labels in IDX (magic number 0x00000801), not pictures")
    if magic != _MAGIC or len(header) < 16:
        raise ValueError(
            f"pictures in IDX begin with 0x{_MAGIC:08x} and three sizes, got 0x{header.hex()[:8]}"
        )
    num, height, width = struct.unpack(">III", header[4:])
    return num, height, width
