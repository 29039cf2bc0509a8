"""How a session shows itself: a picture of its slates, row by row, and what it sounds like."""

import html

import numpy as np

from creative_rl.atomic import data_uri
from creative_rl.works import midi, synthesizer
from creative_rl.works.melody import Melody
from creative_rl.works.notebook import cards_html
from creative_rl.works.slate import Slate, name_of, on_host, outcome, summary, text

_ROW, _PLACE, _NUMBER, _OUTCOME, _BAR = 24, 124, 34, 190, 90
"""Pixels: the height of a row, and widths."""
_MOST_ROWS = 60
_LONGEST_NAME = 18
_INK, _QUIET, _CHIP, _CHOSEN = "#1d2130", "#8a91a3", "#eef0f6", "#4a5fd0"
_STEPS_PER_QUARTER = 2


def encode_svg(slate: Slate) -> bytes:
    """One session as the bytes of an SVG file.

    A row a slate: what was shown, the chosen item in colour, a bar for how much came of it against
    the most of the session. Of a long session the first 60 rows.

    Raises:
      ValueError: the slate is a batch, or a field is out of range.
    """
    slate = on_host(slate)
    num, places = int(slate.length), slate.items.shape[1]
    rows = min(num, _MOST_ROWS)
    width = _NUMBER + places * _PLACE + _BAR + _OUTCOME
    height = (rows + 1 + (num > rows)) * _ROW + 12
    most = max(float(slate.amounts[:num].max(initial=0.0)), 1e-6)
    body = [f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for step in range(rows):
        body += _row(slate, step, most)
    if num > rows:
        body.append(_words(_NUMBER, rows, f"{num - rows} more", _QUIET))
    body.append(_words(8, rows + (num > rows), summary(slate), _INK))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([head, *body, "</svg>\n"]).encode()


def is_music(slate: Slate) -> bool:
    """Whether there is something to hear: a choice of an item that is music."""
    slate = on_host(slate)
    return slate.music.shape[1] > 0 and bool((slate.choices[: int(slate.length)] > 0).any())


def playlist(slate: Slate) -> Melody:
    """What was chosen, one melody after the other.

    Raises:
      ValueError: nothing was chosen, or the items are no music.
    """
    slate = on_host(slate)
    if not is_music(slate):
        raise ValueError("Slate: there is nothing to hear, no item that is music was chosen")
    chosen = slate.music[: int(slate.length)][slate.choices[: int(slate.length)] > 0]
    events = chosen.astype(np.int32).reshape(-1)
    return Melody(events, np.array(events.size, np.int32), steps_per_quarter=_STEPS_PER_QUARTER)


def encode_midi(slate: Slate) -> bytes:
    """`playlist` as the bytes of a MIDI file."""
    return midi.encode_melody(playlist(slate))


def encode_wav(slate: Slate) -> bytes:
    """`playlist` as the bytes of a WAV file."""
    return synthesizer.encode_wav(playlist(slate))


def slate_html(slate: Slate) -> str:
    """See `cards_html`."""
    return cards_html(slate, _card)


def _card(slate: Slate) -> str:
    picture = data_uri("image/svg+xml", encode_svg(slate))
    player = ""
    if is_music(slate):
        sound = data_uri("audio/wav", encode_wav(slate))
        player = f'<br><audio controls preload="none" src="{sound}"></audio>'
    return (
        f'<figure style="margin:0 0 1em"><img src="{picture}" alt="{html.escape(text(slate))}" '
        f'style="max-width:100%">{player}</figure>'
    )


def _row(slate: Slate, step: int, most: float) -> list[str]:
    places = slate.items.shape[1]
    parts = [_words(8, step, str(step + 1), _QUIET)]
    for place, item in enumerate(slate.items[step].tolist()):
        is_chosen = slate.choices[step] == place + 1
        left = _NUMBER + place * _PLACE
        fill, ink = (_CHOSEN, "#ffffff") if is_chosen else (_CHIP, _INK)
        parts.append(
            f'<rect x="{left}" y="{step * _ROW + 9}" width="{_PLACE - 6}" height="{_ROW - 6}" '
            f'rx="5" fill="{fill}"/>'
        )
        parts.append(_words(left + 7, step, _short(name_of(slate, item)), ink))
    left = _NUMBER + places * _PLACE + 4
    length = max(float(slate.amounts[step]), 0.0) / most * (_BAR - 12)
    parts.append(
        f'<rect x="{left}" y="{step * _ROW + 13}" width="{length:.1f}" height="{_ROW - 14}" '
        f'rx="2" fill="{_CHOSEN}" fill-opacity="0.45"/>'
    )
    parts.append(_words(left + _BAR, step, outcome(slate, step), _QUIET))
    return parts


def _words(left: float, row: int, words: str, ink: str) -> str:
    return f'<text x="{left}" y="{row * _ROW + 22}" fill="{ink}">{html.escape(words)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
