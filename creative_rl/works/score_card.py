"""How a score shows itself in a notebook: a piano roll and a player."""

from creative_rl.works.melody_card import card
from creative_rl.works.notebook import cards_html
from creative_rl.works.score import Score
from creative_rl.works.score_roll import encode_png


def score_html(score: Score) -> str:
    """See `cards_html`; text where Pillow is absent."""
    return cards_html(score, "length", lambda single: card(single, encode_png))
