"""How a walk shows itself in a notebook: as a map."""

import html

import jax
import numpy as np

from creative_rl.works.files import unbatch
from creative_rl.works.notebook import MOST_SHOWN, data_uri
from creative_rl.works.walk import Walk, text
from creative_rl.works.walk_map import encode_png


def walk_html(walk: Walk) -> str:
    """HTML of one walk, or of the first eight of a batch; text where Pillow is absent.

    What is no walk yet, such as tracers and shapes, shows its fields and raises nothing.
    """
    try:
        walks = _flat(walk)
        cards = [_card(single) for single in walks[:MOST_SHOWN]]
    except (TypeError, ValueError):
        return f"<pre>{html.escape(repr(walk))}</pre>"
    if len(walks) > MOST_SHOWN:
        cards.append(f"<p>{len(walks) - MOST_SHOWN} more</p>")
    return "\n".join(cards)


def _flat(walk: Walk) -> list[Walk]:
    """All walks of any number of batch axes."""
    walk = jax.device_get(walk)
    num_axes = np.ndim(walk.length)
    if num_axes == 0:
        return [walk]
    return unbatch(jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[num_axes:]), walk))


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
