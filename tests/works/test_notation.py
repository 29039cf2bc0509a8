"""Text of melodies."""

import hypothesis
import numpy as np
import pytest
from works.melodies import melodies

from creative_rl.works.notation import parse, pitch_name, text


def test_text_by_hand():
    read = parse("C4 - - D4 . | C#3 B5")
    np.testing.assert_array_equal(read.events, [14, 1, 1, 16, 0, 3, 37])
    assert text(read) == "C4 - - D4 . C#3 B5"
    assert text(parse("- " * 17)) == "- " * 16 + "| -"
    assert pitch_name(69) == "A4"


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(melodies())
def test_parse_inverts_text(original):
    read = parse(text(original), original.tempo, original.steps_per_quarter)
    np.testing.assert_array_equal(read.events, original.events[: int(original.length)])


@pytest.mark.parametrize("token", ["H4", "C", "c4", "E#4", "Db4", "B2", "G#9", "C44", "--"])
def test_other_tokens_are_refused(token):
    with pytest.raises(ValueError, match=f"got '{token}'"):
        parse(f"C4 {token}")
