"""Charts beside a table's figures, through matplotlib."""

import io
from typing import Any


def chart(width: float, height: float) -> Any:
    """An empty `matplotlib.figure.Figure`, sizes in inches of 110 pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=110)


def encode(figure: Any) -> bytes:
    """The figure as a PNG file, its axes without a frame above and on the right."""
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
