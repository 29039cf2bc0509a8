"""How a melody shows itself in a notebook: a piano roll and a player."""

import base64
import html

import jax
import numpy as np

from creative_rl.works.files import unbatch
from creative_rl.works.melody import Melody
from creative_rl.works.notation import text
from creative_rl.works.piano_roll import encode_png
from creative_rl.works.synthesizer import encode_wav

MOST_SHOWN = 8


def melody_html(melody: Melody) -> str:
    """HTML of one melody, or of the first eight of a batch; text where Pillow is absent.

    What is no melody yet, such as tracers and shapes, shows its fields and raises nothing.
    """
    try:
        melodies = _flat(melody)
        cards = [_card(single) for single in melodies[:MOST_SHOWN]]
    except (TypeError, ValueError):
        return f"<pre>{html.escape(repr(melody))}</pre>"
    if len(melodies) > MOST_SHOWN:
        cards.append(f"<p>{len(melodies) - MOST_SHOWN} more</p>")
    return "\n".join(cards)


def data_uri(media_type: str, data: bytes) -> str:
    """Data that stands in a page itself, such as `data:image/png;base64,...`."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _flat(melody: Melody) -> list[Melody]:
    """All melodies of any number of batch axes."""
    melody = jax.device_get(melody)
    if np.ndim(melody.length) == 0:
        return [melody]
    events = np.asarray(melody.events)
    return unbatch(
        melody.replace(
            events=events.reshape(-1, events.shape[-1]), length=np.asarray(melody.length).ravel()
        )
    )


def _card(melody: Melody) -> str:
    line = html.escape(text(melody))
    try:
        picture = encode_png(melody)
    except ImportError:
        return f"<pre>{line}</pre>"
    return (
        '<figure style="margin:0 0 1em">'
        f'<img src="{data_uri("image/png", picture)}" alt="{line}" '
        'style="width:100%;max-width:680px;border-radius:6px"><br>'
        f'<audio controls preload="none" src="{data_uri("audio/wav", encode_wav(melody))}">'
        "</audio></figure>"
    )
