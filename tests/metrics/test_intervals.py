import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import intervals as twin

from creative_rl.metrics.intervals import UNISON, of_events


def test_notes_keep_their_melody_their_step_and_what_follows():
    found = of_events([[0, 14, 1, 14], [1, 0], [81, 0, 2]], "test")
    assert found.codes.tolist() == [UNISON, 0, UNISON - 79, 0]  # the widest there is
    assert found.owners.tolist() == [0, 0, 2, 2]
    assert found.steps.tolist() == [1, 3, 0, 2]


def test_melodies_without_a_note_leave_nothing():
    for melodies in ([], [[]], [[0, 1]], np.zeros((2, 3), np.uint8)):
        found = of_events(melodies, "test")
        assert len(found.codes) == 0
        assert [len(part) for part in found.grams(4)] == [0, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 81), max_size=14), min_size=1, max_size=4))
def test_grams_are_the_runs_inside_one_melody(melodies):
    """For every n, and as numbers that are equal where the runs are."""
    found = of_events(melodies, "test")
    for n in range(1, 9):
        numbers, starts = found.grams(n)
        runs = [run for row in melodies for run in twin.grams_of(twin.intervals_of(row), n)]
        digits = [[(int(x) >> 8 * (n - 1 - i)) % 256 - UNISON for i in range(n)] for x in numbers]
        assert [tuple(run) for run in digits] == runs
        assert found.owners[starts].tolist() == [
            i for i, row in enumerate(melodies)
            for _ in twin.grams_of(twin.intervals_of(row), n)
        ]  # fmt: skip
