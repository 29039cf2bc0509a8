"""Bytes on their way out: files written whole or not at all, and data in a page. Imports no JAX."""

import base64
import json
import os
import pathlib
import tempfile
from typing import Any


def write_bytes(path: str | os.PathLike, data: bytes) -> pathlib.Path:
    """Write `data` beside `path` and move it there: a reader sees the old file or the new one.

    Raises:
      FileNotFoundError: the folder does not exist; it is not made on the quiet.
      OSError: it cannot be written, because the disk is full for instance; it names `path`.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {path}: there is no folder {path.parent}; create it first"
        )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o666 & ~_umask())  # mkstemp is private to its owner, a work is not
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(path)
        raise
    return path


def write_json(path: str | os.PathLike, values: Any) -> pathlib.Path:
    """Write `values` as indented JSON, as `write_bytes` does.

    Raises:
      TypeError: something in it has no JSON.
      FileNotFoundError: the folder does not exist.
    """
    return write_bytes(path, (json.dumps(values, indent=2) + "\n").encode())


def data_uri(media_type: str, data: bytes) -> str:
    """Data that stands in a page itself, such as `data:image/png;base64,...`."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _umask() -> int:
    """The process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
