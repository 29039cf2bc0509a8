"""Strokes in a part of the canvas: for searches and gradients, where whole canvases cost too much.

A stroke is that of `ops.raster`, `P = 10 + C` numbers; `M` strokes.
"""

from jaxtyping import Float

from creative_rl.ops import curves
from creative_rl.typing import Array


def patch_coverage(
    strokes: Float[Array, "M P"],
    canvas: tuple[int, int],
    size: tuple[int, int],
    top: Float[Array, ""] | float = 0.0,
    left: Float[Array, ""] | float = 0.0,
) -> Float[Array, "M h w"]:
    """Alpha of strokes, 0 .. 1, on the pixels of a window.

    As `raster.coverage`, from which a few pixels at the edges of strongly bent strokes differ: the
    pieces are the same for all pixels. Differentiable; gradients are finite everywhere.

    Args:
      strokes: in units of the canvas.
      canvas: its height and width in pixels.
      size: height and width of the window in pixels.
      top: the window's first row.
      left: its first column.
    """
    curve = curves.curve_of(strokes.T, *canvas, top, left)
    return curves.patch_alpha(curve, curves.even_pieces(curve), size)
