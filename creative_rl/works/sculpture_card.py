"""How a sculpture shows itself in a notebook: turning, and beside it what it was to become."""

import html

from creative_rl.atomic import data_uri
from creative_rl.works.notebook import cards_html
from creative_rl.works.sculpture import Sculpture, summary, target_of
from creative_rl.works.sculpture_picture import encode_gif, encode_png


def sculpture_html(sculpture: Sculpture) -> str:
    """See `cards_html`; the target, still and smaller, beside it; a line without Pillow."""
    return cards_html(sculpture, _card)


def _card(sculpture: Sculpture) -> str:
    line = html.escape(summary(sculpture))
    try:
        pictures = [_picture("image/gif", encode_gif(sculpture), line, 320)]
        target = target_of(sculpture)
        if target is not None:
            pictures.append(_picture("image/png", encode_png(target), f"target of {line}", 160))
    except ImportError:
        return f"<pre>{line}</pre>"
    return "".join(pictures)


def _picture(media_type: str, data: bytes, line: str, width: int) -> str:
    return (
        f'<img src="{data_uri(media_type, data)}" alt="{line}" title="{line}" '
        f'style="max-width:{width}px;margin:0 1em 1em 0">'
    )
