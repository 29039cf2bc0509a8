"""How far a training run is: a bar on a terminal or in a notebook, plain lines elsewhere."""

import time
from collections.abc import Mapping
from typing import Any

_SECONDS_BETWEEN_LINES = 10.0
_SHOWN = ("episode_return", "loss", "best_held_out_nll", "nll", "policy_loss", "error")


class Progress:
    """Shows updates done, steps a second, the time left and the latest return or loss.

    Args:
      num_updates: updates in the whole run.
      first_update: updates done before.
      steps_per_update: environment steps in one update, of all seeds together.
      enabled: whether to show anything.
      unit: what `steps_per_update` counts.
      title: what `num_updates` counts.
    """

    def __init__(
        self,
        num_updates: int,
        first_update: int,
        steps_per_update: int,
        enabled: bool,
        unit: str = "steps",
        title: str = "update",
    ):
        self._num_updates = num_updates
        self._first_update = first_update
        self._steps_per_update = steps_per_update
        self._enabled = enabled
        self._unit, self._title = unit, title
        self._start = time.monotonic()
        self._last_line = self._start
        self._latest = ""
        self._bar = _bar(num_updates, first_update) if enabled else None

    def update(self, num_done: int, record: Mapping[str, Any]) -> None:
        """Show that `num_done` updates are done, with the latest record's return or loss."""
        if not self._enabled:
            return
        self._latest = _latest(record) or self._latest
        now = time.monotonic()
        seconds = max(now - self._start, 1e-9)
        rate = (num_done - self._first_update) * self._steps_per_update / seconds
        text = f"{short(rate)} {self._unit}/s  {self._latest}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=num_done, latest=text)
        elif now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            print(f"{self._title} {num_done}/{self._num_updates}  {text}".rstrip(), flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(4.2), duration(400), duration(7600)
    ('4 s', '7 min', '2 h 7 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def short(number: float) -> str:
    """Three digits and a suffix.

    >>> short(1234567.0), short(12.0)
    ('1.23M', '12')
    """
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g}{suffix}"
    return f"{number:.3g}"


def _latest(record: Mapping[str, Any]) -> str:
    for name in _SHOWN:
        value = record.get(name)
        if isinstance(value, list):
            known = [number for number in value if number is not None]
            value = sum(known) / len(known) if known else None
        if value is not None:
            return f"{name} {value:.4g}"
    return ""


def _bar(num_updates: int, first_update: int) -> Any:
    """A started bar, or None where there is no terminal to draw it on."""
    from rich import progress
    from rich.console import Console

    console = Console()
    if not (console.is_terminal or console.is_jupyter):
        return None
    bar = progress.Progress(
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[latest]}"),
        console=console,
    )
    bar.add_task("training", total=num_updates, completed=first_update, latest="compiling")
    bar.start()
    return bar
