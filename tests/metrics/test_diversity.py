import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import intervals as twin

from creative_rl.metrics import distinct_works, self_bleu
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


def test_self_bleu_by_hand():
    """Intervals +2 +2 +1 and +2 +2 -4 -1, against one another: counts of 2 in 3 and 2 in 4."""
    pair = works([[14, 16, 18, 19, 0], [20, 22, 24, 20, 19]], [4, 5])
    assert self_bleu(pair, 1) == pytest.approx((2 / 3 * np.exp(1 - 4 / 3) + 2 / 4) / 2)
    # Of pairs, (+2 +2) is in both; of runs of three there is none: 0.1 in 1 and 0.1 in 2.
    first = (2 / 3 * 1 / 2 * 0.1 / 1) ** (1 / 3) * np.exp(1 - 4 / 3)
    second = (2 / 4 * 1 / 3 * 0.1 / 2) ** (1 / 3)
    assert self_bleu(pair, 3) == pytest.approx((first + second) / 2)


def test_self_bleu_clips_at_the_most_that_one_other_has():
    """Three unisons; two, and one, in the others: 2 of 3 count, not 3, and the others' all do."""
    rows = [[14, 14, 14, 14], [15, 15, 15, 0], [16, 16, 18, 0]]
    # The others are shorter than the first (no penalty), of two intervals each as the other is.
    assert self_bleu(works(rows, [4, 3, 3]), 1) == pytest.approx((2 / 3 + 2 / 2 + 1 / 2) / 3)


def test_self_bleu_knows_neither_key_nor_rhythm_and_its_ends():
    theme = [14, 16, 19, 18, 14, 21, 23]
    alike = [[code + up for code in theme] for up in (0, 5, 7)]
    alike.append([code for note in theme for code in (note, 0)])
    lengths = [len(row) for row in alike]
    padded = [row + [14] * (14 - len(row)) for row in alike]  # beyond the length nothing counts
    assert self_bleu(works(padded, lengths)) == pytest.approx(1.0)
    assert self_bleu(works([[14, 16, 14], [14, 17, 14]], [3, 3])) == 0.0
    assert self_bleu(works([[14, 1, 0], [0, 0, 0], [1, 1, 1]], [3, 3, 3])) == 0.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 1, 14, 15, 17]), min_size=12, max_size=12),
        min_size=2,
        max_size=7,
    ),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_self_bleu_is_the_twins_in_any_order(rows, n, random):
    lengths = [random.randint(0, 12) for _ in rows]
    expected = twin.self_bleu([row[:size] for row, size in zip(rows, lengths, strict=True)], n)
    assert self_bleu(works(rows, lengths), n) == pytest.approx(expected)
    order = random.sample(range(len(rows)), len(rows))
    shuffled = works([rows[i] for i in order], [lengths[i] for i in order])
    assert self_bleu(shuffled, n) == pytest.approx(expected)


def some_works():
    """30 works of 24 steps with five pitches, 11 to 19 intervals each."""
    events = np.random.default_rng(0).choice([0, 1, 14, 15, 16, 18, 21], (30, 24))
    return events.tolist(), [24 - i % 5 for i in range(30)]


GOLDEN = {2: 0.9606416678407859, 4: 0.41666888819309}


@pytest.mark.parametrize("n", [2, 4])
def test_self_bleu_is_what_nltk_and_sacrebleu_gave(n):
    """nltk 3.10.4 (method 1) and sacrebleu 2.6.0 (floor 0.1), which agree to 12 digits."""
    assert self_bleu(works(*some_works()), n) == pytest.approx(GOLDEN[n], rel=1e-12)


def intervals():
    events, lengths = some_works()
    return [twin.intervals_of(row[:size]) for row, size in zip(events, lengths, strict=True)]


def test_self_bleu_is_nltks():
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    rows, smooth = intervals(), bleu.SmoothingFunction(epsilon=0.1).method1
    scores = [
        bleu.sentence_bleu(rows[:i] + rows[i + 1 :], row, smoothing_function=smooth)
        for i, row in enumerate(rows)
    ]
    assert self_bleu(works(*some_works())) == pytest.approx(np.mean(scores))


def test_self_bleu_is_sacrebleus():
    sacrebleu = pytest.importorskip("sacrebleu")
    metric = sacrebleu.BLEU(
        tokenize="none", smooth_method="floor", smooth_value=0.1, effective_order=False
    )
    rows = [" ".join(map(str, row)) for row in intervals()]
    scores = [
        metric.sentence_score(row, rows[:i] + rows[i + 1 :]).score / 100
        for i, row in enumerate(rows)
    ]
    assert self_bleu(works(*some_works())) == pytest.approx(np.mean(scores))


def test_a_draw_of_works_is_repeatable_and_of_some_of_them():
    events, lengths = some_works()
    batch = works(events, lengths)
    drawn = self_bleu(batch, num=5, seed=1)
    assert drawn == self_bleu(batch, num=5, seed=1) != self_bleu(batch, num=5, seed=2)
    rows = [row[:size] for row, size in zip(events, lengths, strict=True)]
    pairs = [twin.self_bleu([a, b], 4) for a, b in itertools.combinations(rows, 2)]
    assert any(self_bleu(batch, num=2) == pytest.approx(pair) for pair in pairs)
    assert self_bleu(batch, num=30) == self_bleu(batch, num=99) == self_bleu(batch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be 1 to 8 intervals, got 0"),
        ({"n": 9}, "n must be 1 to 8 intervals, got 9"),
        ({"num": 1}, "num must be at least 2 works, got 1"),
        ({"works": works([[14, 16]], [2])}, "give at least 2, got 1"),
        ({"works": works([[14, 82]] * 2, [2] * 2)}, r"codes in 0\.\.81, got 14\.\.82"),
        ({"works": Melody(np.zeros(4, int), np.array(4)), "num": 2}, r"\[N, T\]"),
    ],
)
def test_what_self_bleu_refuses(options, message):
    with pytest.raises(ValueError, match=f"self_bleu: .*{message}") as refused:
        self_bleu(**{"works": works([[14, 16]] * 2, [2, 2]), **options})
    assert "\n" not in str(refused.value)
