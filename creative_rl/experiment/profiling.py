"""A trace of some updates: where the time goes, for Perfetto and TensorBoard."""

import logging
import os
import pathlib
from typing import Any

import jax

from creative_rl.typing import PyTree

_log = logging.getLogger(__name__)


class Profile:
    """Traces `num_updates` updates once the program is compiled: from the second call on.

    A context manager; a trace that is under way at its end is written, and where there was no
    second call, a logged warning says that there is none.

    Args:
      folder: where it is written, in `plugins/profile/<time>/`.
      num_updates: how many.
    """

    def __init__(self, folder: str | os.PathLike, num_updates: int):
        self._folder = pathlib.Path(folder)
        self._left = num_updates
        self._is_compiled = False
        self._is_tracing = False

    def before(self, state: PyTree, count: int) -> int:
        """Before a call of `count` updates from `state`: how many it should make."""
        if not self._is_compiled or not self._left:
            return count
        if not self._is_tracing:
            jax.block_until_ready(state)
            options: Any = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0  # they would be most of the trace, and are not slow
            jax.profiler.start_trace(
                self._folder, create_perfetto_trace=True, profiler_options=options
            )
            self._is_tracing = True
        return min(count, self._left)

    def after(self, state: PyTree, count: int) -> None:
        """After it, with what it gave."""
        self._is_compiled = True
        if self._is_tracing:
            jax.block_until_ready(state)
            self._left -= count
            if not self._left:
                self._stop()

    def _stop(self) -> None:
        jax.profiler.stop_trace()
        self._is_tracing, self._left = False, 0

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_tracing:
            self._stop()
        elif self._left:
            _log.warning("no update was traced: the first call compiles, and there was no other")
