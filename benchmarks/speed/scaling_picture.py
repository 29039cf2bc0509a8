"""The curves of `scaling`: what an environment's step costs, by how many there are."""

from collections.abc import Mapping

from benchmarks.speed.laws import Width
from benchmarks.tables import charts

_COLOURS = ("#1b6ca8", "#c8553d", "#3d8361", "#8e6bb0")


def draw(
    curves: Mapping[tuple[str, str], Mapping[int, float]], laws: Mapping[tuple[str, str], Width]
) -> bytes:
    """A PNG: for each kind of threads a panel, points measured, lines the laws.

    Args:
      curves: by environment and threads, for each width the seconds of one environment's step.
      laws: by the same, of which `a / N + b` is drawn where it was fitted.
    """
    threads = list(dict.fromkeys(kind for _, kind in curves))
    ids = list(dict.fromkeys(id for id, _ in curves))
    figure = charts.chart(5.2 * len(threads), 4.2)
    axes = figure.subplots(1, len(threads), sharey=True, squeeze=False)[0]
    for axis, kind in zip(axes, threads, strict=True):
        for colour, id in zip(_COLOURS, ids, strict=False):
            if (id, kind) not in curves:
                continue
            curve, found = curves[id, kind], laws[id, kind]
            widths = sorted(curve)
            axis.plot(widths, [1e9 * curve[n] for n in widths], "o", color=colour, ms=4, label=id)
            line = [1e9 * found.law.seconds((1, n)) / n for n in found.widths]
            axis.plot(found.widths, line, "-", color=colour, lw=1.2)
        axis.set(xscale="log", yscale="log", title=kind, xlabel="environments side by side, N")
        axis.set_xticks(widths, [f"{n:,}" for n in widths], rotation=45)
        axis.minorticks_off()
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("ns a step of one environment")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return charts.encode(figure)
