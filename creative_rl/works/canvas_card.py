"""How a canvas shows itself in a notebook: as its picture, enlarged."""

import html
import math

from creative_rl.works.canvas import Canvas, summary
from creative_rl.works.canvas_picture import encode_png
from creative_rl.works.notebook import cards_html, data_uri

LEAST_WIDTH = 160  # pixels


def canvas_html(canvas: Canvas) -> str:
    """See `cards_html`; one line of text where Pillow is absent."""
    return cards_html(canvas, "length", _card)


def _card(canvas: Canvas) -> str:
    line = html.escape(summary(canvas))
    try:
        picture = encode_png(canvas, math.ceil(LEAST_WIDTH / canvas.pixels.shape[1]))
    except ImportError:
        return f"<pre>{line}</pre>"
    return (
        f'<img src="{data_uri("image/png", picture)}" alt="{line}" title="{line}" '
        'style="image-rendering:pixelated;max-width:320px;margin:0 1em 1em 0">'
    )
