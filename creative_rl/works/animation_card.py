"""How an animation shows itself in a notebook: as a moving picture."""

import html

from creative_rl.atomic import data_uri
from creative_rl.works.animation import Animation, has_frames, summary
from creative_rl.works.animation_film import encode_gif
from creative_rl.works.notebook import cards_html


def animation_html(animation: Animation) -> str:
    """See `cards_html`; one line of text where there is no frame yet, or Pillow is absent."""
    return cards_html(animation, _card)


def _card(animation: Animation) -> str:
    line = html.escape(summary(animation))
    if not has_frames(animation):
        return f"<pre>{line}</pre>"
    try:
        picture = encode_gif(animation)
    except ImportError:
        return f"<pre>{line}</pre>"
    return (
        f'<img src="{data_uri("image/gif", picture)}" alt="{line}" title="{line}" '
        'style="max-width:320px;margin:0 1em 1em 0">'
    )
