import numpy as np
import pytest

from creative_rl.corpora import windows
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import Tune


def tune(*events, shift=0):
    return Tune("x", np.array(events, np.uint8), np.array([0], np.int32), shift)


def midi(*pitches, shift=0):
    return tune(*(pitch + 2 for pitch in pitches), shift=shift)


def test_an_octave_near_the_middle_of_the_range():
    # D5 E5 F#5 G5 A5 B5 C#6 D6 lands on C4 .. C5, codes 14 to 26.
    d_major = midi(74, 76, 78, 79, 81, 83, 85, 86, shift=10)
    assert windows.fitted(d_major, True).tolist() == [14, 16, 18, 19, 21, 23, 25, 26]
    # In its own key only the octave moves: D4 is code 16.
    assert windows.fitted(d_major, False).tolist() == [16, 18, 20, 21, 23, 25, 27, 28]


def test_holds_and_note_offs_are_not_moved():
    assert windows.fitted(tune(0, 1, 62, 1, 0, 1), True).tolist() == [0, 1, 14, 1, 0, 1]


def test_the_whole_range_is_used_and_no_more():
    assert windows.fitted(midi(48, 83), True).tolist() == [2, 37]
    assert windows.fitted(midi(36, 71), True).tolist() == [2, 37]
    with pytest.raises(Unusable, match=r"its 36 semitones fit MIDI 48\.\.83 in no octave"):
        windows.fitted(midi(49, 84), True)
    with pytest.raises(Unusable, match="37 semitones"):
        windows.fitted(midi(48, 84), True)


def test_windows_start_on_bars_half_a_window_apart():
    events = np.arange(100, dtype=np.uint8)
    bars = np.array([3, 15, 27, 39, 51, 63, 75], np.int32)  # 12 steps: 3/4 after an upbeat
    cuts = windows.cut(events, bars, 32)
    assert cuts.shape == (3, 33) and cuts.dtype == np.uint8
    assert cuts[:, 0].tolist() == [3, 27, 51]
    assert (np.diff(cuts, axis=1) == 1).all()
    # The last window needs all its events: 67 + 32 is the last there is.
    assert len(windows.cut(events, np.array([67], np.int32), 32)) == 1
    assert windows.cut(events, np.array([68], np.int32), 32).shape == (0, 33)
