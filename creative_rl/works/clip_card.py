"""How a clip shows itself in a notebook: as a moving picture."""

import html

from creative_rl.atomic import data_uri
from creative_rl.works.clip import Clip, has_frames, summary
from creative_rl.works.clip_film import encode_gif
from creative_rl.works.notebook import cards_html


def clip_html(clip: Clip) -> str:
    """See `cards_html`; one line of text where there is no frame yet, or Pillow is absent."""
    return cards_html(clip, _card)


def _card(clip: Clip) -> str:
    line = html.escape(summary(clip))
    if not has_frames(clip):
        return f"<pre>{line}</pre>"
    try:
        picture = encode_gif(clip)
    except ImportError:
        return f"<pre>{line}</pre>"
    return (
        f'<img src="{data_uri("image/gif", picture)}" alt="{line}" title="{line}" '
        'style="max-width:192px;margin:0 1em 1em 0">'
    )
