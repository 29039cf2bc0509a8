"""How animations and clips show themselves in a notebook: as moving pictures."""

import html
from collections.abc import Callable

from creative_rl.atomic import data_uri
from creative_rl.typing import PyTree
from creative_rl.works.notebook import cards_html


def film_html(
    film: PyTree,
    summary: Callable[[PyTree], str],
    has_frames: Callable[[PyTree], bool],
    encode_gif: Callable[[PyTree], bytes],
    width: int,
) -> str:
    """See `cards_html`; one line of text where there is no frame yet, or Pillow is absent.

    Args:
      film: the work.
      summary: one line about it.
      has_frames: whether it has any.
      encode_gif: it as the bytes of a GIF.
      width: pixels across at the most.
    """

    def card(film: PyTree) -> str:
        line = html.escape(summary(film))
        if not has_frames(film):
            return f"<pre>{line}</pre>"
        try:
            picture = encode_gif(film)
        except ImportError:
            return f"<pre>{line}</pre>"
        return (
            f'<img src="{data_uri("image/gif", picture)}" alt="{line}" title="{line}" '
            f'style="max-width:{width}px;margin:0 1em 1em 0">'
        )

    return cards_html(film, card)
