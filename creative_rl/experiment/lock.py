"""One process at a time in one folder."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def lock(folder: str | os.PathLike) -> Iterator[None]:
    """Hold `folder` for this process; `lock` in it names the process.

    The operating system lets go when the process ends, however it ends: a lock is never stale.

    Raises:
      RuntimeError: another process holds it.
    """
    path = pathlib.Path(folder) / "lock"
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise RuntimeError(
                f"{folder} is in use by process {owner}; wait until that one is done, or stop it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
