"""What a notebook shows."""

import base64
import io
import re
import sys
import wave

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from works.melodies import melody
from works.scores import lines

from creative_rl.works import Melody


def test_a_melody_shows_a_picture_and_a_player():
    page = melody([14, 1, 0])._repr_html_()
    picture = re.search(r"data:image/png;base64,([^\"]+)", page)[1]
    sound = re.search(r"data:audio/wav;base64,([^\"]+)", page)[1]
    assert Image.open(io.BytesIO(base64.b64decode(picture))).format == "PNG"
    with wave.open(io.BytesIO(base64.b64decode(sound))) as file:
        assert file.getframerate() == 22_050
    assert 'alt="C4 - ."' in page


def test_a_batch_shows_its_first_eight():
    batch = Melody(jnp.full((5, 2, 4), 14, jnp.int32), jnp.full((5, 2), 4, jnp.int32))
    page = batch._repr_html_()
    assert page.count("<audio") == page.count("<img") == 8
    assert "2 more" in page


def test_without_pillow_it_shows_text(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert melody([14, 1, 0])._repr_html_() == "<pre>C4 - .</pre>"


def test_what_is_no_melody_yet_shows_its_fields():
    shown = []

    @jax.jit
    def trace(work):
        shown.append(work._repr_html_())
        return work

    trace(melody([14]))
    shown.append(jax.eval_shape(trace, melody([14]))._repr_html_())
    shown.append(Melody(np.array([999]), np.array(1))._repr_html_())
    assert all(page.startswith("<pre>Melody(") for page in shown)


def test_a_score_shows_a_picture_and_a_player(monkeypatch):
    page = lines("C4 - .", "C3 - -", names=("<Top>", "Bass"))._repr_html_()
    picture = re.search(r"data:image/png;base64,([^\"]+)", page)[1]
    assert Image.open(io.BytesIO(base64.b64decode(picture))).format == "PNG"
    assert page.count("<audio") == 1
    assert "&lt;Top&gt;: C4 - ." in page and "<Top>" not in page
    batch = jax.tree.map(lambda leaf: np.stack([leaf] * 10), lines("C4", "C3"))
    assert batch._repr_html_().count("<audio") == 8
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert lines("C4 -", "C3 -")._repr_html_() == "<pre>Voice 1: C4 -\nVoice 2: C3 -</pre>"
