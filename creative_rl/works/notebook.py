"""How works show themselves in a notebook: one card each."""

import html
import math
from collections.abc import Callable

import jax
import numpy as np

from creative_rl.typing import PyTree
from creative_rl.works.batches import unbatch

MOST_SHOWN = 8


def cards_html(work: PyTree, card: Callable[[PyTree], str]) -> str:
    """HTML of one work, or of the first eight of a batch.

    What is no work yet, such as tracers and shapes, shows its fields and raises nothing.

    Args:
      work: with any number of batch axes, which are those of its `length`.
      card: HTML of one work.
    """
    try:
        works = _flat(work)
        cards = [card(single) for single in works[:MOST_SHOWN]]
    except (TypeError, ValueError):
        return f"<pre>{html.escape(repr(work))}</pre>"
    if len(works) > MOST_SHOWN:
        cards.append(f"<p>{len(works) - MOST_SHOWN} more</p>")
    return "\n".join(cards)


def _flat(work: PyTree) -> list[PyTree]:
    work = jax.device_get(work)
    batch = np.shape(work.length)
    if not batch:
        return [work]
    size = math.prod(batch)  # in figures: -1 does not tell for arrays without elements
    return unbatch(
        jax.tree.map(lambda leaf: np.reshape(leaf, (size, *np.shape(leaf)[len(batch) :])), work)
    )
