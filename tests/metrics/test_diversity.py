import numpy as np
import pytest

from creative_rl.metrics import distinct_works
from creative_rl.works import Melody


def works(events, lengths) -> Melody:
    return Melody(events=np.array(events, np.int32), length=np.array(lengths, np.int32))


@pytest.mark.parametrize(
    ("events", "lengths", "share"),
    [
        ([[14, 16]], [2], 1.0),
        ([[14, 16], [14, 16], [14, 16], [14, 16]], [2] * 4, 0.25),
        ([[14, 16], [16, 14]], [2, 2], 1.0),
        ([[14, 16], [14, 18]], [1, 1], 0.5),  # beyond the length nothing counts
        ([[14, 0], [14, 0]], [1, 2], 1.0),  # a rest at the end is an event
        ([[14, 16], [18, 16], [14, 16], [18, 16]], [2] * 4, 0.5),
    ],
)
def test_the_share_of_distinct_works(events, lengths, share):
    assert distinct_works(works(events, lengths)) == share


def test_it_counts_as_a_set_does():
    rng = np.random.default_rng(0)
    events, lengths = rng.integers(0, 3, (2000, 8)), rng.integers(1, 9, 2000)
    expected = {tuple(row[:length]) for row, length in zip(events, lengths, strict=True)}
    assert distinct_works(works(events, lengths)) == len(expected) / 2000


@pytest.mark.parametrize(
    ("events", "lengths"), [(np.zeros((0, 4)), np.zeros(0)), (np.zeros(4), 4), ([[1]], [1, 1])]
)
def test_what_is_no_batch_is_refused(events, lengths):
    with pytest.raises(ValueError, match=r"must be a batch with events \[N, T\]"):
        distinct_works(works(events, lengths))
