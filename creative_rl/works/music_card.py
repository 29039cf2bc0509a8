"""How music shows itself in a notebook: a piano roll and a player."""

import html
from collections.abc import Callable

from creative_rl.atomic import data_uri
from creative_rl.works import piano_roll, score_roll
from creative_rl.works.melody import Melody
from creative_rl.works.notation import text
from creative_rl.works.notebook import cards_html
from creative_rl.works.score import Score
from creative_rl.works.synthesizer import encode_wav


def melody_html(melody: Melody) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(melody, lambda single: _card(single, piano_roll.encode_png))


def score_html(score: Score) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(score, lambda single: _card(single, score_roll.encode_png))


def _card(work: Melody | Score, encode_picture: Callable[..., bytes]) -> str:
    """HTML of one piece of music: its picture, a PNG, above a player."""
    line = html.escape(text(work))
    try:
        picture = encode_picture(work)
    except ImportError:
        return f"<pre>{line}</pre>"
    return (
        '<figure style="margin:0 0 1em">'
        f'<img src="{data_uri("image/png", picture)}" alt="{line}" '
        'style="width:100%;max-width:680px;border-radius:6px"><br>'
        f'<audio controls preload="none" src="{data_uri("audio/wav", encode_wav(work))}">'
        "</audio></figure>"
    )
