"""A run's metrics as small pictures: one panel a metric, sorted into families.

A panel is SVG for use inside an HTML page: its colours are the page's CSS variables `--ink`,
`--line` and `--accent`, so that it follows the light and the dark scheme.
"""

import fnmatch
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from creative_rl.experiment.records import CLOCKS

MOST_POINTS = 160
"""Longer curves are averaged over stretches: more would not be seen, and weigh megabytes."""

# The first pattern that fits a metric's name decides its family and its place there.
FAMILIES = (
    ("Episodes", ("episode_return", "episode_*", "num_episodes")),
    ("Reward terms, mean a step", ("term_*",)),
    ("Likelihood", ("*nll*", "*likelihood*", "*perplexity*", "*accuracy*")),
    ("Learning", ("*",)),
)
# Stand-ins that Matplotlib takes for colours, and what the page has in their place.
_COLOURS = {"#010101": "var(--ink)", "#020202": "var(--line)", "#030303": "var(--accent)"}


class Curve(NamedTuple):
    """A metric over environment steps."""

    name: str
    steps: np.ndarray  # float64[N]
    values: np.ndarray  # float64[N, seeds]; NaN where there was none

    @property
    def last(self) -> float | None:
        """The last value, as the mean over seeds."""
        known = np.flatnonzero(np.isfinite(self.values).any(axis=1))
        return float(np.nanmean(self.values[known[-1]])) if known.size else None


class Panel(NamedTuple):
    """A curve and its picture."""

    label: str
    last: float | None
    svg: str


def read_curves(records: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """The curves of a metrics file's records, each averaged down to `MOST_POINTS`.

    A metric is a number, or a list with one for every seed; anything else is left out. Means over
    episodes are unknown, not zero, where no episode ended.
    """
    records = [record for record in records if _is_number(record.get("steps"))]
    steps = np.array([record["steps"] for record in records], np.float64)
    names = dict.fromkeys(name for record in records for name in record if name not in CLOCKS)
    columns = {name: _column([record.get(name) for record in records]) for name in names}
    ended = columns.get("num_episodes")
    curves = []
    for name, values in columns.items():
        if name.startswith("episode_") and ended is not None and ended.shape == values.shape:
            values = np.where(ended == 0, np.nan, values)
        if np.isfinite(values).any():
            curves.append(Curve(name, _thin(steps), _thin(values)))
    return curves


def families(curves: Sequence[Curve]) -> list[tuple[str, list[Panel]]]:
    """The panels of all curves under their families' titles; empty families are left out.

    Raises:
      ImportError: Matplotlib is not installed.
    """
    found = []
    waiting = list(curves)
    for title, patterns in FAMILIES:
        members = []
        for pattern in patterns:
            members += [curve for curve in waiting if fnmatch.fnmatchcase(curve.name, pattern)]
            waiting = [curve for curve in waiting if not fnmatch.fnmatchcase(curve.name, pattern)]
        if members:
            found.append((title, [_panel(curve) for curve in members]))
    return found


def _panel(curve: Curve) -> Panel:
    label = curve.name.removeprefix("term_").replace("_", " ")
    return Panel(label, curve.last, _svg(curve))


def _svg(curve: Curve) -> str:
    """The curve: the mean over seeds, in a band from the lowest to the highest."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.ticker import EngFormatter, MaxNLocator
    except ImportError as error:
        raise ImportError("curves need Matplotlib: pip install 'creative_rl[media]'") from error
    ink, line, accent = _COLOURS
    known = np.isfinite(curve.values).any(axis=1)
    steps, values = curve.steps[known], curve.values[known]
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "creative_rl", "font.size": 8.5}
    with matplotlib.rc_context(style):
        # A figure of its own, not pyplot's: no global state, no window system.
        figure = Figure(figsize=(3.6, 1.9), layout="constrained")
        axes = figure.add_subplot()
        if values.shape[1] > 1:
            low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
            axes.fill_between(steps, low, high, color=accent, alpha=0.2, linewidth=0)
        marker = "o" if len(steps) == 1 else None
        axes.plot(steps, np.nanmean(values, axis=1), color=accent, linewidth=1.6, marker=marker)
        axes.margins(x=0.01)
        axes.grid(axis="y", color=line, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.ticklabel_format(axis="y", useOffset=False, scilimits=(-4, 5))
        axes.tick_params(colors=ink, length=0, pad=4)
        axes.yaxis.get_offset_text().set_color(ink)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(line)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue())


def _inline(document: str) -> str:
    """A file of SVG as an element of HTML, which needs neither header nor name spaces."""
    svg = document[document.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r' id="(?:figure|axes|patch|text|line2d|matplotlib|xtick|ytick)[^"]*"', "", svg)
    for stand_in, colour in _COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return svg.replace("<svg", '<svg aria-hidden="true"', 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _column(cells: Sequence[Any]) -> np.ndarray:
    """float64[N, seeds] of a metric's cells, NaN where one is no number."""
    rows = [cell if isinstance(cell, list) else [cell] for cell in cells]
    column = np.full((len(rows), max(map(len, rows), default=1) or 1), np.nan)
    for index, row in enumerate(rows):
        for seed, value in enumerate(row):
            if _is_number(value):
                column[index, seed] = value
    column[np.isinf(column)] = np.nan
    return column


def _thin(values: np.ndarray) -> np.ndarray:
    """Means over at most `MOST_POINTS` stretches of the first axis, passing over NaN."""
    if len(values) <= MOST_POINTS:
        return values
    size = -(-len(values) // MOST_POINTS)
    stretches = np.split(values, range(size, len(values), size))
    counts = np.array([np.isfinite(part).sum(axis=0) for part in stretches])
    sums = np.array([np.nansum(part, axis=0) for part in stretches])
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
