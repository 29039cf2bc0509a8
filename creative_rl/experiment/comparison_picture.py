"""A comparison as a picture: interquartile means, performance profiles, chances to be better."""

import io
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from creative_rl.atomic import data_uri, write_bytes
from creative_rl.experiment.comparison import Comparison
from creative_rl.metrics.aggregates import Estimate, performance_profile

SUFFIXES = (".png", ".svg", ".html")
_INK, _LINE, _TEXT = "#6a7183", "#e3e6ee", "#1d2130"
_COLOURS = ("#4a5fd0", "#d9822b", "#2a9d78", "#b3478f", "#8c7a1f", "#3c9bc4", "#b3261e", "#6a7183")
_NUM_THRESHOLDS = 101


def check_suffix(path: str) -> None:
    """Refuse a file that is no picture.

    Raises:
      ValueError: the suffix is none of `SUFFIXES`.
    """
    if pathlib.Path(path).suffix not in SUFFIXES:
        raise ValueError(f"--out: must end with {', '.join(SUFFIXES)}, got {path}")


def write(comparison: Comparison, path: str) -> pathlib.Path:
    """Write the picture, or a page that holds it with the tables.

    Raises:
      ValueError: an unknown suffix, or no task is shared by all learners.
      ImportError: Matplotlib, or for a page jinja2, is not installed.
    """
    check_suffix(path)
    target = pathlib.Path(path)
    if not comparison.shared:
        raise ValueError("compare: the learners share no task, so there is nothing to draw")
    if target.suffix == ".html":
        return write_bytes(target, _page(comparison).encode())
    return write_bytes(target, draw(comparison, target.suffix[1:]))


def draw(comparison: Comparison, form: str) -> bytes:
    """The picture's file: `png` or `svg`."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need Matplotlib: pip install 'creative_rl[media]'") from error
    names = list(comparison.scores)
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    panels = _panels(comparison)
    num_rows = max(len(names), len(comparison.better), 3)
    ratios = [width for _, width in panels]
    size = (3.4 * sum(ratios), 1.6 + 0.32 * num_rows)
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "creative_rl", "font.size": 9}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, dpi=150, layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, width_ratios=ratios)[0]
        for axes, (draw_panel, _) in zip(row, panels, strict=True):
            draw_panel(axes, comparison, colours)
        buffer = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else None
        figure.savefig(buffer, format=form, facecolor="white", metadata=metadata)
    return buffer.getvalue()


def _panels(comparison: Comparison) -> list[tuple[Callable[..., None], float]]:
    """What there is to draw, and its relative width: no profile of one score, no pair of one."""
    runs = np.concatenate([task for own in comparison.scaled.values() for task in own])
    panels: list[tuple[Callable[..., None], float]] = [(_draw_means, 1)]
    if runs.max() > runs.min():
        panels.append((_draw_profiles, 1.25))
    if comparison.better:
        panels.append((_draw_better, 1))
    return panels


def _draw_means(axes: Any, comparison: Comparison, colours: dict[str, str]) -> None:
    """The aggregate of every learner."""
    for place, (name, found) in enumerate(comparison.aggregates.items()):
        _draw_estimate(axes, found, place, colours[name])
    axes.set_yticks(range(len(comparison.aggregates)), list(comparison.aggregates))
    axes.set_ylim(len(comparison.aggregates) - 0.5, -0.5)
    unit = "scaled score" if len(comparison.shared) > 1 else comparison.shared[0]
    _dress(axes, comparison.mean_name.capitalize(), unit, "x")


def _draw_estimate(axes: Any, found: Estimate, place: int, colour: str) -> None:
    """A line from end to end of the interval, where there is one, and a dot for the value."""
    if found.low is not None:
        axes.plot([found.low, found.high], [place] * 2, color=colour, linewidth=5, alpha=0.3)
    axes.plot(found.value, place, "o", color=colour, markersize=6)


def _draw_profiles(axes: Any, comparison: Comparison, colours: dict[str, str]) -> None:
    """Of every learner the share of runs above each score."""
    runs = np.concatenate([task for own in comparison.scaled.values() for task in own])
    thresholds = np.linspace(runs.min(), runs.max(), _NUM_THRESHOLDS)
    for name, own in comparison.scaled.items():
        found = performance_profile(own, thresholds)
        if found.low is not None and found.high is not None:
            axes.fill_between(
                thresholds, found.low, found.high, color=colours[name], alpha=0.15, linewidth=0
            )
        axes.plot(thresholds, found.value, color=colours[name], linewidth=1.8, label=name)
    axes.set_ylim(0, 1.02)
    axes.margins(x=0)
    axes.legend(frameon=False, labelcolor=_TEXT, handlelength=1.2, loc="best")
    unit = "scaled score" if len(comparison.shared) > 1 else comparison.shared[0]
    _dress(axes, "Share of runs above a score", unit, "both")


def _draw_better(axes: Any, comparison: Comparison, colours: dict[str, str]) -> None:
    """Of every pair how often a run of the first is better; even chances are the line."""
    shown = list(comparison.better)
    for place, ((first, _), found) in enumerate(comparison.better.items()):
        _draw_estimate(axes, found, place, colours[first])
    axes.axvline(0.5, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(shown)), [f"{a} over {b}" for a, b in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(-0.03, 1.03)
    _dress(axes, "Probability of improvement", "share of pairs of runs", "x")


def _dress(axes: Any, title: str, unit: str, grid: str) -> None:
    """The report's style: thin grid, no frame, quiet words."""
    axes.set_title(title, loc="left", color=_TEXT, fontsize=10, fontweight="bold")
    axes.set_xlabel(unit, color=_INK)
    axes.grid(axis=grid, color=_LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, length=0, pad=4)
    for label in axes.get_yticklabels():
        label.set_color(_TEXT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)


def _page(comparison: Comparison) -> str:
    from creative_rl.experiment.report import template

    return template("comparison.html").render(
        title=" against ".join(comparison.scores),
        picture=data_uri("image/svg+xml", draw(comparison, "svg")),
        tables=comparison.tables(),
        notes=comparison.notes,
    )
