"""A score on the host: what is refused, what sounds, and melodies as scores."""

import hypothesis
import numpy as np
import pytest
from works.melodies import melodies
from works.scores import lines, score, scores

from creative_rl.ops import harmony
from creative_rl.works import Score, spans, text, voices
from creative_rl.works.notation import parse

SETTINGS = hypothesis.settings(deadline=None, max_examples=60)


def test_notes_by_hand():
    original = score(
        [[62, 1, 0, 1, 66, 66], [1, 1, 38, 1, 1, 0]],
        np.array([[10, 1, 1, 1, 20, 30], [1, 1, 127, 1, 1, 1]]),
        length=5,
    )
    assert voices.notes_of(original) == [[(0, 2, 60, 10), (4, 5, 64, 20)], [(2, 5, 36, 127)]]


@SETTINGS
@hypothesis.given(scores())
def test_codes_of_notes_sound_the_same(original):
    length = int(original.length)
    pairs = [voices.events_of(notes, length) for notes in voices.notes_of(original)]
    again = score([codes for codes, _ in pairs], np.stack([loud for _, loud in pairs]))
    assert voices.notes_of(again) == voices.notes_of(original)


@SETTINGS
@hypothesis.given(melodies())
def test_a_melody_is_a_score_of_one_voice(original):
    notes = voices.notes_of(voices.as_score(original))
    assert [note[:3] for note in notes[0]] == spans.spans_of(original)
    assert {note.velocity for note in notes[0]} <= {voices.VELOCITY}


def test_chords_and_names():
    original = score([[1] * 5] * 2, chords={0: 1, 4: 5}, length=4)
    assert voices.chords_of(original) == [(0, 1)]
    assert voices.voice_names(original) == ("Voice 1", "Voice 2")
    assert voices.voice_names(original.replace(names=("a", "b"))) == ("a", "b")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"events": np.zeros((2, 2, 4), np.int32)}, r"works\.unbatch"),
        ({"length": np.zeros(2, np.int32)}, r"works\.unbatch"),
        ({"velocities": np.zeros((2, 3), np.int32)}, r"got the shapes \(2, 4\), \(2, 3\)"),
        ({"chords": np.zeros(3, np.int32)}, "chords"),
        ({"programs": np.zeros(3, np.int32)}, "programs"),
        ({"events": np.full((2, 4), 130, np.int32)}, "events must be in 0..129, got 130"),
        ({"events": np.zeros((2, 4), np.float32)}, "events must be integers"),
        ({"velocities": np.full((2, 4), 128, np.int32)}, "velocities must be in 0..127, got 128"),
        ({"velocities": np.zeros((2, 4), np.int32)}, "velocities of notes must be in 1..127"),
        ({"chords": np.full(4, 61, np.int32)}, "chords must be in 0..60, got 61"),
        ({"programs": np.full(2, -1, np.int32)}, "programs must be in 0..127, got -1"),
        ({"length": np.array(5, np.int32)}, "length must be in 0..4, got 5"),
        ({"names": ("a",)}, "names must be none or 2 strings"),
        ({"names": (1, 2)}, "names must be none or 2 strings"),
        ({"names": ("a", "b\n")}, "printable"),
        ({"tempo": 0.0}, "tempo"),
        ({"steps_per_quarter": 481}, "steps_per_quarter"),
    ],
)
def test_out_of_range_is_refused_in_one_line(changes, line):
    original = score([[62, 1, 0, 1], [38, 1, 1, 1]])
    assert isinstance(voices.on_host(original), Score)
    with pytest.raises(ValueError, match=line) as caught:
        voices.on_host(original.replace(**changes))
    assert "\n" not in str(caught.value)


def test_velocities_where_nothing_starts_may_be_zero():
    silent = score([[62, 1, 0, 62]], np.array([[64, 0, 0, 0]]), length=3)
    assert voices.notes_of(silent) == [[(0, 2, 60, 64)]]


def test_text_has_a_line_a_voice_with_steps_below_one_another():
    marks = {0: harmony.chord_code("Am7"), 3: harmony.chord_code("D")}
    original = lines("C4 - - D#4 .", "C3 . - - G3", chords=marks, names=("Top", "Bass"))
    assert text(original.replace(steps_per_quarter=1)) == (
        "Chords: Am7 - - D   | -\nTop:    C4  - - D#4 | .\nBass:   C3  . - -   | G3"
    )
    low = score([[2, 3]])
    assert text(low) == "Voice 1: C-1 C#-1"
    assert text(parse("C4 -")) == "C4 -"
