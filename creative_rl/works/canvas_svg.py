"""Canvases as SVG: the strokes themselves, smooth at any scale and open to other programs."""

import numpy as np

from creative_rl.atomic import data_uri
from creative_rl.ops.pens import NUM_SHAPE, OPACITIES
from creative_rl.works.canvas import Canvas, on_host
from creative_rl.works.canvas_outline import Brush, outline
from creative_rl.works.canvas_picture import encode_png

_GRADIENT_TIMES = np.linspace(0.0, 1.0, 65)
_TIMES_A_STOP = 8


def encode_svg(canvas: Canvas) -> bytes:
    """One canvas as the bytes of an SVG file, in units of its pixels.

    Every stroke is a filled path, whose numbers (see `Canvas`) stand in `data-stroke`. Where its
    opacity changes, a gradient follows it from start to end; where such a stroke turns back, SVG
    has no gradient that does. A picture that was not made of strokes is embedded as it is.

    Raises:
      ValueError: the canvas is a batch, or a field is out of range.
      ImportError: Pillow is not installed and the canvas was not made of strokes.
    """
    canvas = on_host(canvas)
    height, width, _ = canvas.pixels.shape
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
    )
    if len(canvas.strokes) == 0:
        body = [_image(canvas)]
    else:
        grey = _hex(np.full(3, canvas.background))
        body = [f'<rect width="{width}" height="{height}" fill="{grey}"/>']
        for number, stroke in enumerate(canvas.strokes[: int(canvas.length)]):
            body += _stroke(number, stroke, height, width)
    return "\n".join([head, *body, "</svg>\n"]).encode()


def _image(canvas: Canvas) -> str:
    height, width, _ = canvas.pixels.shape
    return (
        f'<image width="{width}" height="{height}" style="image-rendering:pixelated" '
        f'href="{data_uri("image/png", encode_png(canvas))}"/>'
    )


def _stroke(number: int, stroke: np.ndarray, height: int, width: int) -> list[str]:
    values = np.clip(stroke.astype(np.float64), 0.0, 1.0)
    longer = max(height, width)
    brush = Brush(values[:6].reshape(3, 2) * (width, height), values[6:8] * longer)
    colour, opacities = _hex(values[NUM_SHAPE:]), values[OPACITIES]
    fill, elements = f'fill="{colour}"', []
    if np.ptp(opacities) < 1 / 512:
        if opacities.mean() < 1:
            fill += f' fill-opacity="{opacities.mean():.4g}"'
    else:
        name = f"fade-{number}"
        elements.append(_gradient(name, brush, colour, opacities))
        fill = f'fill="url(#{name})"'
    numbers = " ".join(str(value) for value in stroke)
    elements.append(f'<path {fill} d="{outline(brush, longer)}" data-stroke="{numbers}"/>')
    return elements


def _gradient(name: str, brush: Brush, colour: str, opacities: np.ndarray) -> str:
    """A gradient along the line on which a place tells best how far along the curve it is.

    At each stop it has the opacity of the disc that is deepest there, as the pixels have.
    """
    t = _GRADIENT_TIMES
    place, radius = brush.place(t), brush.radius(t)
    middle = place.mean(axis=0)
    # Least squares over the places that are covered: those of the curve, spread by the brush.
    spread = np.eye(2) * (radius**2).mean() / 4.0 + np.cov(place.T, bias=True)
    direction = np.linalg.solve(spread + 1e-9 * np.eye(2), (t - 0.5) @ (place - middle))
    direction /= max(np.linalg.norm(direction), 1e-12)
    along = (place - middle) @ direction
    stops = np.sort([along.min(), *along[::_TIMES_A_STOP], along.max()])
    deepest = ((along - stops[:, None]) ** 2 - radius**2).argmin(axis=1)
    levels = opacities[0] + (opacities[1] - opacities[0]) * t[deepest]
    shares = (stops - stops[0]) / max(stops[-1] - stops[0], 1e-9)
    if np.abs(levels - (levels[0] + (levels[-1] - levels[0]) * shares)).max() < 2 / 255:
        shares, levels = shares[[0, -1]], levels[[0, -1]]
    (x1, y1), (x2, y2) = (middle + stops[[0, -1], None] * direction).round(3).tolist()
    elements = "".join(
        f'<stop offset="{share:.4g}" stop-color="{colour}" stop-opacity="{level:.3g}"/>'
        for share, level in zip(shares, levels, strict=True)
    )
    return (
        f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" '
        f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}">{elements}</linearGradient>'
    )


def _hex(levels: np.ndarray) -> str:
    """Three channels in 0..1, or one for all three, as #rrggbb."""
    channels = np.broadcast_to(np.floor(levels * 255.0 + 0.5).astype(int), 3)
    return "#" + "".join(f"{channel:02x}" for channel in channels)
