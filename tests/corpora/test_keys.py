import pytest

from creative_rl.corpora.keys import shift_from_notes, shift_from_signature, shift_from_tonic
from creative_rl.works.spans import Span

MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)
HARMONIC_MINOR = (0, 2, 3, 5, 7, 8, 11, 12)


def scale(tonic, degrees, steps=2):
    return [Span(i * steps, (i + 1) * steps, tonic + d) for i, d in enumerate(degrees)]


@pytest.mark.parametrize("tonic", range(48, 60))
@pytest.mark.parametrize(("degrees", "goal"), [(MAJOR, 0), (HARMONIC_MINOR, 9)])
def test_every_scale_lands_on_c_major_or_a_minor(tonic, degrees, goal):
    shift = shift_from_notes(scale(tonic, degrees))
    assert 0 <= shift < 12
    assert (tonic + shift) % 12 == goal


def test_the_time_a_note_sounds_decides():
    # The white notes, with C long and with A long.
    white = scale(60, MAJOR[:-1])
    assert shift_from_notes([*white, Span(14, 30, 60), Span(30, 40, 67)]) == 0
    assert shift_from_notes([*white, Span(14, 30, 69), Span(30, 40, 64)]) == 0
    # The same with D long and its fifth, and F sharp for F: D major, down a tone.
    assert shift_from_notes([*scale(62, MAJOR[:-1]), Span(14, 30, 62), Span(30, 40, 69)]) == 10


def test_without_any_difference_there_is_no_shift():
    assert shift_from_notes([]) == 0
    assert shift_from_notes([Span(i, i + 1, 60 + i) for i in range(12)]) == 0


def test_signatures():
    # D major (two sharps) and B minor go down a tone; F major (one flat) up a fifth.
    assert shift_from_signature(2) == 10 == shift_from_tonic("D", False)
    assert shift_from_tonic("B", True) == 10
    assert shift_from_signature(-1) == 7 == shift_from_tonic("F", False)
    assert shift_from_tonic("Bb", False) == 2 == shift_from_signature(-2)
    assert shift_from_tonic("F#", True) == 3 == shift_from_signature(3)
    assert shift_from_tonic("Cb", False) == 1 == shift_from_signature(-7)
