"""Scores for the tests: all sorts, by hypothesis, and one by hand."""

import hypothesis.strategies as st
import numpy as np

from creative_rl.works.notation import parse
from creative_rl.works.score import Score

# Holds and rests often, so that silences of every make occur.
CODES = st.one_of(st.sampled_from([0, 1]), st.integers(0, 129))
NAMES = st.text(st.characters().filter(str.isprintable), max_size=8)


def score(voices, velocities=80, chords=None, programs=0, length=None, **statics):
    """From codes of voices, padded with zeros; `velocities` and `programs` are broadcast."""
    num_steps = max((len(codes) for codes in voices), default=0)
    events = np.zeros((len(voices), num_steps), np.int32)
    for row, codes in zip(events, voices, strict=True):
        row[: len(codes)] = codes
    marks = np.zeros(num_steps, np.int32)
    for step, code in (chords or {}).items():
        marks[step] = code
    return Score(
        events,
        np.array(np.broadcast_to(np.asarray(velocities, np.int32), events.shape)),
        marks,
        np.array(np.broadcast_to(np.asarray(programs, np.int32), len(voices))),
        np.array(num_steps if length is None else length, np.int32),
        **statics,
    )


def lines(*texts, **fields):
    """A score whose voices are lines such as `C4 - E4 .`, MIDI 48 upwards."""
    rows = [parse(line).events for line in texts]
    return score([np.where(codes >= 2, codes + 48, codes) for codes in rows], **fields)


@st.composite
def scores(draw, max_voices=4):
    num_voices = draw(st.integers(1, max_voices))
    num_steps = draw(st.integers(0, 24))
    row = st.lists(CODES, min_size=num_steps, max_size=num_steps)
    loud = st.lists(st.integers(1, 127), min_size=num_steps, max_size=num_steps)
    chords = st.dictionaries(st.integers(0, max(num_steps - 1, 0)), st.integers(0, 60), max_size=4)
    names = draw(st.one_of(st.just(()), st.tuples(*[NAMES] * num_voices)))
    return score(
        [draw(row) for _ in range(num_voices)],
        np.array([draw(loud) for _ in range(num_voices)], np.int32).reshape(num_voices, num_steps),
        draw(chords) if num_steps else None,
        [draw(st.integers(0, 127)) for _ in range(num_voices)],
        draw(st.integers(0, num_steps)),
        names=names,
        tempo=draw(st.floats(4.0, 1000.0)),
        steps_per_quarter=draw(st.sampled_from([1, 3, 4, 7, 480])),
    )


def assert_same(left, right):
    for field in ("events", "velocities", "chords", "programs", "length"):
        one, other = getattr(left, field), getattr(right, field)
        np.testing.assert_array_equal(one, other, err_msg=field)
        assert one.dtype == other.dtype, field
    for field in ("names", "tempo", "steps_per_quarter"):
        assert getattr(left, field) == getattr(right, field), field
