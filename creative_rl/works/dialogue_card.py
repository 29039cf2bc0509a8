"""How a dialogue shows itself in a notebook: as a conversation."""

import html

from creative_rl.works.dialogue import Dialogue
from creative_rl.works.dialogue_words import Line, goal, lines, summary
from creative_rl.works.notebook import cards_html

_BUBBLE = "max-width:75%;padding:.35em .8em;border-radius:1em;margin:.2em 0;color:#1d2130;"
_SIDES = {
    "user": "align-self:flex-end;background:#d7e6ff",
    "agent": "align-self:flex-start;background:#ececf1",
}


def dialogue_html(dialogue: Dialogue) -> str:
    """See `cards_html`."""
    return cards_html(dialogue, _card)


def _card(dialogue: Dialogue) -> str:
    bubbles = "".join(map(_bubble, lines(dialogue)))
    wanted, end = html.escape(goal(dialogue)), html.escape(summary(dialogue))
    return (
        '<div style="display:flex;flex-direction:column;max-width:640px;margin:0 0 1em">'
        f"<small>The user {wanted}</small>{bubbles}<small>{end}</small></div>"
    )


def _bubble(line: Line) -> str:
    words = html.escape(line.sentence)
    if line.heard is not None:
        words += f"<br><small>heard: {html.escape(line.heard)}</small>"
    return f'<div style="{_BUBBLE}{_SIDES[line.speaker]}">{words}</div>'
