"""How a melody shows itself in a notebook: a piano roll and a player."""

import html
from collections.abc import Callable

from creative_rl.atomic import data_uri
from creative_rl.works.melody import Melody
from creative_rl.works.notation import text
from creative_rl.works.notebook import cards_html
from creative_rl.works.piano_roll import encode_png
from creative_rl.works.score import Score
from creative_rl.works.synthesizer import encode_wav


def melody_html(melody: Melody) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(melody, "length", lambda single: card(single, encode_png))


def card(work: Melody | Score, encode_picture: Callable[..., bytes]) -> str:
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
