"""Songs keep the rules that they are made by."""

import itertools

import numpy as np
import pytest

from creative_rl.corpora.songs import four_parts, songs
from creative_rl.works.voices import sounding_pitches

FOLLOW = {
    1: {6, 8, 22, 15},  # C: F, G, Am, Dm
    15: {8},
    17: {22, 6},
    6: {1, 8, 15},
    8: {1, 22},
    22: {15, 6, 8, 17},
}
TONES = {1: "CEG", 15: "DFA", 17: "EGB", 6: "FAC", 8: "GBD", 22: "ACE"}
PITCH_CLASSES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))


def test_songs_keep_their_rules():
    melodies, chords = songs(20, 64, 3)
    assert melodies.shape == chords.shape == (20, 64) and melodies.dtype == chords.dtype == np.uint8
    for melody, chord in zip(melodies, chords, strict=True):
        halves = chord[::4].tolist()
        np.testing.assert_array_equal(chord, np.repeat(halves, 4))
        assert halves[0] == 1 and halves[-2:] == [8, 1]
        assert all(b in FOLLOW[a] for a, b in itertools.pairwise(halves[:-2]))
        assert (melody[::4] >= 2).all() and melody[60:].tolist()[1:] == [1, 1, 1]
        pitches = sounding_pitches(melody)
        assert pitches.min() >= 60 and pitches.max() <= 79 and pitches[-1] % 12 == 0
        assert np.isin(pitches % 12, list(PITCH_CLASSES.values())).all()
        for first, half in zip(pitches[::4], halves, strict=True):
            assert first % 12 in {PITCH_CLASSES[name] for name in TONES[half]}
        onsets = np.flatnonzero(melody >= 2)
        inner = [(pitches[a], pitches[b]) for a, b in itertools.pairwise(onsets) if b % 4]
        assert inner and all(1 <= abs(int(b) - int(a)) <= 2 for a, b in inner)


def test_songs_are_the_same_for_the_same_numbers_and_read_only():
    first, again = songs(4, 32, 0), songs(4, 32, 0)
    assert first is again and len({row.tobytes() for row in first.melodies}) == 4
    assert not np.array_equal(first.melodies, songs(4, 32, 1).melodies)
    with pytest.raises(ValueError, match="read-only"):
        first.melodies[0, 0] = 0
    assert songs(3, 9, 0).melodies.shape == (3, 9)
    assert songs(1, 3, 0).chords.tolist() == [[1, 1, 1]]


def test_four_parts_are_the_song_over_its_chords_and_never_cross():
    parts, made = four_parts(20, 30, 3), songs(20, 30, 3)
    assert parts.shape == (20, 4, 30) and parts.dtype == np.uint8
    np.testing.assert_array_equal(parts[:, 0], made.melodies)
    pitches = sounding_pitches(parts)
    assert (np.diff(pitches, axis=1) < 0).all()
    assert pitches[:, 1].min() >= 55 and pitches[:, 2].min() >= 50
    assert pitches[:, 3].min() >= 38 and pitches[:, 3].max() <= 49
    roots = (made.chords.astype(int) - 1) % 12
    np.testing.assert_array_equal(pitches[:, 3] % 12, roots)
    by_class = {pitch_class: name for name, pitch_class in PITCH_CLASSES.items()}
    for piece, chords in zip(pitches[:, 1:3] % 12, made.chords.tolist(), strict=True):
        for frame, chord in enumerate(chords):
            assert {by_class[int(pitch)] for pitch in piece[:, frame]} <= set(TONES[chord])
    assert (parts[:, 1:, ::4] >= 2).all() and (parts[:, 1:].reshape(20, -1)[:, 1] == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        parts[0, 0, 0] = 0
