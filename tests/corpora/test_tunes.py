from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.corpora.score import Bar, ScoreNote, Unusable, join
from creative_rl.corpora.tunes import nearest_step, spans_on_grid, tune_from_line
from creative_rl.works.spans import Span

F = Fraction


def note(start, end, pitch=60, is_tied=False):
    return ScoreNote(F(start), F(end), pitch, is_tied)


def bar(*notes, length=4, metre=4, ending=0):
    return Bar(notes, F(length), F(metre), ending)


def test_rests_ties_and_repeated_notes():
    bars = [
        bar(note(0, 1, 60), note(2, 3, 60), note(3, 4, 62, is_tied=True)),
        bar(note(0, 1, 62), note(1, F(3, 2), 62)),
    ]
    tune = tune_from_line("x", join(bars), 0)
    assert tune.events.tolist() == [
        62, 1, 1, 1,  0, 1, 1, 1,  62, 1, 1, 1,  64, 1, 1, 1,
        1, 1, 1, 1,  64, 1, 0, 1,  1, 1, 1, 1,  1, 1, 1, 1,
        1,
    ]  # fmt: skip
    # The second bar begins inside a tied note, so no window starts there.
    assert tune.starts.tolist() == [0]


def test_an_upbeat_shifts_the_bars_and_the_last_one_is_filled_with_silence():
    bars = [
        bar(note(0, 1, 67), length=1),
        bar(note(0, 4, 60)),
        bar(note(0, 3, 62), length=3),
    ]
    tune = tune_from_line("x", join(bars), 0)
    assert len(tune.events) == 4 + 16 + 16 + 1
    assert tune.starts.tolist() == [4]  # the last bar is cut, so it is none to start from
    assert tune.events[20] == 64 and tune.events[32] == 0
    assert (tune.events[33:] == 1).all()


def test_a_note_up_to_the_last_bar_line_is_ended_behind_it():
    tune = tune_from_line("x", join([bar(note(0, 4, 60))]), 0)
    assert tune.events.tolist() == [62] + 15 * [1] + [0]


def test_of_two_endings_the_last_is_read():
    first, second = bar(note(0, 4, 64), ending=1), bar(note(0, 4, 65), ending=2)
    start, after = bar(note(0, 4, 60)), bar(note(0, 4, 67))
    assert [n.pitch for n in join([start, first, second, after]).notes] == [60, 65, 67]
    # A first ending of two bars; and one without a second, which stays.
    assert [n.pitch for n in join([start, first, first, second]).notes] == [60, 65]
    assert [n.pitch for n in join([start, first, after]).notes] == [60, 64, 67]


def test_a_tie_joins_equal_pitches_that_touch_only():
    line = join([bar(note(0, 1, 60, True), note(1, 2, 62, True), note(3, 4, 62))])
    assert [(n.start, n.end, n.pitch) for n in line.notes] == [(0, 1, 60), (1, 2, 62), (3, 4, 62)]


def test_an_error_in_one_bar_does_not_move_the_next_off_the_grid():
    line = join([bar(note(0, 1), length=F(33, 8)), bar(note(0, 1))])
    assert line.notes[1].start == 4


def test_rounding():
    # Eighth triplets in a quarter: 0, 1.33, 2.67 sixteenths.
    even = [note(i, i + 1) for i in range(1, 4)]
    triplet = [note(F(i, 3), F(i + 1, 3), 60 + i) for i in range(3)]
    assert spans_on_grid(triplet + even)[:3] == [Span(0, 1, 60), Span(1, 3, 61), Span(3, 4, 62)]
    # A dotted sixteenth and a thirty-second become even; what follows stays in its place.
    dotted = [note(0, F(3, 8), 64), note(F(3, 8), F(1, 2), 65)]
    assert spans_on_grid(dotted + even)[:3] == [Span(0, 1, 64), Span(1, 2, 65), Span(4, 8, 60)]


@given(st.integers(0, 4000), st.integers(1, 48))
@settings(deadline=None)
def test_the_nearest_step_is_nearest_and_of_two_the_earlier(numerator, denominator):
    time = F(numerator, denominator)
    step = nearest_step(time)
    assert -F(1, 2) <= step - 4 * time < F(1, 2)
    assert nearest_step(float(time)) == step or abs(abs(step - 4 * time) - F(1, 2)) < 1e-9


def test_of_notes_on_one_step_the_first_stays():
    # Three sixteenths in the time of two: 0, .67, 1.33 steps, so the last two meet on step 1.
    turn = [note(F(i, 6), F(i + 1, 6), 70 + i) for i in range(3)]
    plain = [note(i, i + 1) for i in range(1, 12)]
    spans = spans_on_grid(turn + plain)
    assert spans[:3] == [Span(0, 1, 70), Span(1, 2, 71), Span(4, 8, 60)]


def test_what_the_grid_does_not_fit_is_refused():
    with pytest.raises(Unusable, match="no notes"):
        spans_on_grid([])
    with pytest.raises(Unusable, match="20% of its notes are too short"):
        ornaments = [note(i + F(1, 8), i + 1) for i in range(4)]
        spans_on_grid(sorted([note(i, i + 1) for i in range(16)] + ornaments))
    with pytest.raises(Unusable, match=r"0\.22 steps off"):
        spans_on_grid([note(F(i, 3), F(i + 1, 3)) for i in range(30)])
    with pytest.raises(Unusable, match="at most 65536"):
        spans_on_grid([note(20_000, 20_001)])


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 127)),
        min_size=1,
        max_size=30,
    )
)
@settings(deadline=None)
def test_events_say_what_the_notes_say(steps):
    notes, now = [], 0
    for rest, length, pitch in steps:
        notes.append(note(F(now + rest, 4), F(now + rest + length, 4), pitch))
        now += rest + length
    line = join([Bar(notes, F(now, 4), F(now, 4))])
    events = tune_from_line("x", line, 0).events
    # Played back by a voice that knows the three instructions and no more.
    sound, heard = 0, []
    for event in events.tolist():
        sound = event if event >= 2 else 0 if event == 0 else sound
        heard.append(sound)
    expected = np.zeros(now + 1, int)
    for start, end, pitch, _ in notes:
        expected[int(start * 4) : int(end * 4)] = pitch + 2
    assert heard == expected.tolist()
    assert [int(n.start * 4) for n in notes] == np.flatnonzero(events >= 2).tolist()
