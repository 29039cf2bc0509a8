"""How a level shows itself in a notebook: as its picture."""

import html

from creative_rl.atomic import data_uri
from creative_rl.works.level import Level, summary, text
from creative_rl.works.level_picture import encode_png
from creative_rl.works.notebook import cards_html


def level_html(level: Level) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(level, _card)


def _card(level: Level) -> str:
    line = html.escape(summary(level))
    try:
        picture = encode_png(level)
    except ImportError:
        return f"<pre>{html.escape(text(level))}</pre>"
    return (
        f'<img src="{data_uri("image/png", picture)}" alt="{line}" title="{line}" '
        'style="max-width:320px;margin:0 1em 1em 0">'
    )
