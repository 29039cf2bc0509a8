"""Harmony and diversity of accompaniments, by hand."""

import numpy as np
import pytest

from creative_rl.metrics import chord_vendi_score, note_in_chord_ratio
from creative_rl.works.score import Score

C, FS, AM, DM = 1, 7, 22, 15


def scores(melodies, chords, lengths=None):
    events = np.asarray(melodies, np.int32)[:, None]
    chords = np.asarray(chords, np.int32)
    lengths = [events.shape[2]] * len(events) if lengths is None else lengths
    return Score(
        events=np.concatenate([events, 0 * events + 1], axis=1),
        velocities=np.full((len(events), 2, events.shape[2]), 80, np.int32),
        chords=chords,
        programs=np.zeros((len(events), 2), np.int32),
        length=np.asarray(lengths, np.int32),
    )


def test_note_in_chord_counts_frames_with_a_note():
    # Over C: C, C, a rest, D (out), E, C; over Dm: C (out), D.
    melody = [62, 1, 0, 64, 66, 62, 1, 64]
    chord = [C, 0, 0, 0, 0, 0, DM, 0]
    assert note_in_chord_ratio(scores([melody], [chord])) == 5 / 7


def test_a_note_before_the_first_chord_is_in_none():
    assert note_in_chord_ratio(scores([[62, 1, 1, 1]], [[0, 0, C, 0]])) == 0.5


def test_notes_of_all_works_count_alike_and_what_is_past_the_length_does_not():
    melodies = [[62, 1, 1, 1], [64, 0, 0, 0]]
    chords = [[C, 0, 0, 0], [C, 0, DM, 0]]
    assert note_in_chord_ratio(scores(melodies, chords)) == 4 / 5
    assert note_in_chord_ratio(scores(melodies, chords, [1, 4])) == 1 / 2


def test_vendi_of_equal_and_of_unlike_chords():
    melodies = [[1, 1]] * 3
    assert chord_vendi_score(scores(melodies, [[C, 0]] * 3)) == pytest.approx(1)
    unlike = scores(melodies, [[C, 0], [FS, 0], [0, 0]])  # no tone in common, and no chord
    assert chord_vendi_score(unlike) == pytest.approx(3)
    # Symbols go on: two ways to write the same chords.
    assert chord_vendi_score(scores(melodies[:2], [[C, 0], [C, C]])) == pytest.approx(1)


def test_vendi_of_two_chords_with_two_common_tones():
    # C and Am share C and E: cosine 2/3, eigenvalues 5/6 and 1/6, 1.569 by their entropy.
    found = chord_vendi_score(scores([[1], [1]], [[C], [AM]]))
    assert found == pytest.approx((5 / 6) ** (-5 / 6) * (1 / 6) ** (-1 / 6))
    assert found == pytest.approx(1.5692, abs=1e-4)
    # Half of the frames alike, half with nothing in common: cosine 1/2, eigenvalues 3/4 and 1/4.
    found = chord_vendi_score(scores([[1, 1]] * 2, [[C, C], [C, FS]]))
    assert found == pytest.approx((3 / 4) ** (-3 / 4) * (1 / 4) ** (-1 / 4))
    # Order 2: the reciprocal of the sum of squares.
    assert chord_vendi_score(scores([[1, 1]] * 2, [[C, C], [C, FS]]), 2) == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"events": np.zeros((2, 4), np.int32)}, r"must be a batch with events \[N, V, T\]"),
        ({"chords": np.zeros((2, 3), np.int32)}, r"chords \[N, T\]"),
        ({"chords": np.full((2, 4), 61, np.int32)}, r"codes in 0..60, got 61..61"),
        ({"length": np.array([4, 5], np.int32)}, r"each in 0..4"),
    ],
)
@pytest.mark.parametrize("metric", [note_in_chord_ratio, chord_vendi_score])
def test_what_is_no_batch_of_scores_is_refused(metric, changes, line):
    good = scores([[62, 1, 1, 1]] * 2, [[C, 0, 0, 0]] * 2)
    with pytest.raises(ValueError, match=line) as caught:
        metric(good.replace(**changes))
    assert str(caught.value).startswith(metric.__name__) and "\n" not in str(caught.value)


def test_undefined_ratios_are_refused():
    with pytest.raises(ValueError, match="no work has a note in its first voice"):
        note_in_chord_ratio(scores([[1, 0]], [[C, 0]]))
    with pytest.raises(ValueError, match=r"one length of at least 1 step, got 1\.\.2"):
        chord_vendi_score(scores([[62, 1]] * 2, [[C, 0]] * 2, [1, 2]))
