"""Spelling: the scale's own letters, whatever the key."""

import pytest

from creative_rl.works.spelling import key_of, signature_alter, spell

NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@pytest.mark.parametrize("fifths", range(-6, 7))
def test_every_pitch_is_spelled_as_itself_and_the_scale_needs_no_accidentals(fifths):
    scale = {(7 * fifths + step) % 12 for step in NATURALS.values()}
    assert key_of([kind in scale for kind in range(12)]) in (fifths, -6 if fifths == 6 else 6)
    letters = set()
    for pitch in range(128):
        step, alter, octave = spell(pitch, fifths)
        assert 12 * (octave + 1) + NATURALS[step] + alter == pitch
        assert abs(alter) <= 1
        if pitch % 12 in scale:
            assert alter == signature_alter(step, fifths)
            letters.add(step)
    assert letters == set(NATURALS)


def test_keys_by_hand():
    assert key_of([0] * 12) == 0
    a_minor = [3, 0, 1, 0, 3, 1, 0, 1, 1, 4, 0, 1]  # with a raised seventh
    assert key_of(a_minor) == 0
    assert spell(68, 0)[:2] == ("G", 1)
    assert spell(70, 0)[:2] == ("B", -1)
    assert spell(66, -3)[:2] == ("G", -1)
