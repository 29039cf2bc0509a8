"""How a canvas shows itself in a notebook: as its picture, enlarged."""

import html
import math

from creative_rl.atomic import data_uri
from creative_rl.works.canvas import Canvas, summary, target_of
from creative_rl.works.canvas_picture import encode_png
from creative_rl.works.notebook import cards_html

LEAST_WIDTH = 160  # pixels


def canvas_html(canvas: Canvas) -> str:
    """See `cards_html`; the target, smaller, beside the picture; one line of text where Pillow is
    absent."""
    return cards_html(canvas, _card)


def _card(canvas: Canvas) -> str:
    line = html.escape(summary(canvas))
    try:
        pictures = [_picture(canvas, line, LEAST_WIDTH)]
        target = target_of(canvas)
        if target is not None:
            pictures.append(_picture(target, f"target of {line}", LEAST_WIDTH // 2))
    except ImportError:
        return f"<pre>{line}</pre>"
    return "".join(pictures)


def _picture(canvas: Canvas, line: str, least_width: int) -> str:
    data = encode_png(canvas, math.ceil(least_width / canvas.pixels.shape[1]))
    return (
        f'<img src="{data_uri("image/png", data)}" alt="{line}" title="{line}" '
        'style="image-rendering:pixelated;max-width:320px;margin:0 1em 1em 0">'
    )
