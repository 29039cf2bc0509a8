"""How a text shows itself in a notebook: as it reads."""

import html

from creative_rl.works.notebook import cards_html
from creative_rl.works.writing import Text, text


def writing_html(written: Text) -> str:
    """See `cards_html`."""
    return cards_html(written, _card)


def _card(written: Text) -> str:
    style = "white-space:pre-wrap;margin:0 0 1em;padding-left:.8em;border-left:3px solid #ccc"
    return f'<blockquote style="{style}">{html.escape(text(written))}</blockquote>'
