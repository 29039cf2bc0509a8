"""A disk that fails at any one of the operations that Python does on it."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.chmod"}
_watched: list[Callable[[], None]] = []


def _hook(event: str, arguments: tuple) -> None:
    """Before everything that makes, moves, empties or removes a file, in whatever thread."""
    if _watched and (event in _CHANGES or (event == "open" and arguments[2] & _WRITES)):
        _watched[-1]()


sys.addaudithook(_hook)  # there is no taking it away


@contextmanager
def watched(operation: Callable[[], None]) -> Iterator[None]:
    """Call `operation` before each."""
    _watched.append(operation)
    try:
        yield
    finally:
        _watched.pop()


class FailingDisk:
    """Operation number `fails_at`, from 0, fails: it alone, or all from there on, as after a kill.

    Attributes:
      count: operations so far.
    """

    def __init__(self, fails_at: int | None = None, for_good: bool = False):
        self.count, self._fails_at, self._for_good = 0, fails_at, for_good

    def __call__(self) -> None:
        number, self.count = self.count, self.count + 1
        at = self._fails_at
        if at is not None and (number == at or (self._for_good and number > at)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
