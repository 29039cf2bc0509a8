"""How a walk shows itself in a notebook: as a map."""

import html

from creative_rl.atomic import data_uri
from creative_rl.works.notebook import cards_html
from creative_rl.works.walk import Walk, text
from creative_rl.works.walk_map import encode_png


def walk_html(walk: Walk) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(walk, _card)


def _card(walk: Walk) -> str:
    lines = html.escape(text(walk))
    try:
        picture = encode_png(walk)
    except ImportError:
        return f"<pre>{lines}</pre>"
    return (
        f'<img src="{data_uri("image/png", picture)}" alt="{lines}" '
        'style="max-width:240px;margin:0 1em 1em 0">'
    )
