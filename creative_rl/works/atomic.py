"""Writing a file whole or not at all."""

import os
import pathlib
import tempfile


def write_bytes(path: str | os.PathLike, data: bytes) -> pathlib.Path:
    """Write `data` beside `path` and move it there: a reader sees the old file or the new one.

    Raises:
      FileNotFoundError: the folder does not exist; it is not made on the quiet.
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
    except BaseException:
        os.unlink(name)
        raise
    return path


def _umask() -> int:
    """The process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
