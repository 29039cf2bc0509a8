"""The rules themselves: exact values by hand, statistics against plain sums."""

from fractions import Fraction

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.music_theory import C_MAJOR, autocorrelations

from creative_rl.ops import music_theory as theory
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.stores.shift_register import ShiftRegister

LENGTH = 64


@jax.jit
def _judge(events):
    """All that the rules say at every event of int32[64], each seen before it is added."""

    def step(carry, event):
        stats, register = carry
        before = {
            "repeated": theory.is_excessively_repeated(stats, event),
            "leap": theory.leap_outcome(stats, event),
        }
        stats, register = theory.update_stats(stats, register, event), register.push(event)
        highest, lowest = theory.unique_extrema(stats)
        after = {
            "correlations": jnp.stack([theory.autocorrelation(stats, lag) for lag in (1, 2, 3)]),
            "penalty": theory.autocorrelation_penalty(stats),
            "pitches": theory.num_motif_pitches(register, stats.count),
            "is_motif": theory.is_motif(register, stats.count),
            "is_repeated_motif": theory.is_repeated_motif(register, stats.count),
            "is_highest_unique": highest,
            "is_lowest_unique": lowest,
            **vars(stats),
        }
        return (stats, register), {**before, **after}

    register = ShiftRegister.create(LENGTH, NUM_EVENTS)
    return jax.lax.scan(step, (theory.init_stats(), register), events)[1]


def judge(events):
    """As `_judge`, for a list of any length up to 64."""
    padded = jnp.asarray([*events, *[0] * (LENGTH - len(events))], jnp.int32)
    return jax.tree.map(lambda x: np.asarray(x)[: len(events)], _judge(padded))


def indices(flags) -> list[int]:
    return np.flatnonzero(flags).tolist()


def test_the_key_is_c_major():
    codes = jnp.arange(38)
    expected = [code in C_MAJOR for code in range(38)]
    assert jax.vmap(theory.in_key)(codes).tolist() == expected
    assert sum(expected) == 23
    assert set(theory.C_MAJOR_CODES) == C_MAJOR


@pytest.mark.parametrize("length", [32, 12])
def test_tonic_moments(length):
    steps, events = jnp.meshgrid(jnp.arange(length), jnp.arange(38), indexing="ij")
    ask = jax.vmap(jax.vmap(lambda step, event: theory.is_tonic_moment(step, event, length)))
    found = {(int(s), int(e)) for s, e in np.argwhere(ask(steps, events))}
    end = length - 4
    coda = {(end + 1, 1), (end + 2, 0), (end + 2, 1), (end + 3, 0), (end + 3, 1)}
    assert found == {(0, 14), (end, 14)} | coda


@pytest.mark.parametrize(
    ("events", "repeated"),
    [
        ([16] * 8, [5, 6, 7]),
        ([14] + [16] * 8, [6, 7, 8]),
        ([16, 1] + [16] * 8, [8, 9]),
        ([16, 0, 16, 16, 16, 16, 16, 16, 16, 16], [8, 9]),
        ([14, 1] + [16] * 9, [9, 10]),
        ([1, 14] + [16] * 6, [7]),
        ([16, 16, 16, 1, 1, 1, 16, 16, 16, 16, 16], [10]),
        ([16] + [1] * 7, [6, 7]),
        ([16, 1, 1, 1, 0, 1, 1, 1, 1, 1], [9]),
        ([1] * 5 + [16] + [1] * 6, [11]),
        ([0, 1, 0, 1, 0, 1, 0], [4, 6]),
        ([0, 0, 16, 0, 0, 18, 0, 0], []),
        ([16, 0, 0, 16, 0, 0, 16], []),
        ([16, 17] * 16, []),
    ],
)
def test_excessive_repetition(events, repeated):
    assert indices(judge(events)["repeated"]) == repeated


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([14, 21, 14, 16, 18, 20, 21], {}),
        ([14, 21, 15, 14, 12], {3: 1}),
        ([14, 21, 28, 35, 30, 25, 20, 15, 10], {2: -1, 3: -1, 8: 1}),
        ([14, 21, 1, 1, 1, 1, 1, 1, 14, 21, 28], {10: -1}),
        ([14, 21, 1, 1, 1, 1, 1, 1, 1, 14, 21, 28], {9: 1, 11: -1}),
        ([21, 14, 0, 0, 0, 0, 0, 0, 0, 25, 18, 25], {9: 1}),
        ([1, 0, 1, 14, 21, 14], {}),
        ([0, 14, 1, 7, 0, 2, 1, 14, 16, 18], {}),
    ],
)
def test_leap_outcomes(events, outcomes):
    found = judge(events)["leap"]
    assert {t: int(found[t]) for t in indices(found)} == outcomes


def test_a_priming_leap_waits_only_from_the_second_event_on():
    """The age counts events since the last leap, except the very first event."""
    assert judge([14, 16, 18, 1])["leap_age"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([14], (0, 0, 0)),
        ([14] * 9, (0, 0, 0)),
        ([14, 16], (Fraction(-1, 2), 0, 0)),
        ([14, 14, 17], (Fraction(-1, 6), Fraction(-1, 3), 0)),
        ([14, 16, 14, 16], (Fraction(-3, 4), Fraction(1, 2), Fraction(-1, 4))),
        ([2, 3, 5, 4], (Fraction(3, 20), Fraction(-1, 2), Fraction(-3, 20))),
        ([0, 0, 0, 0, 37], (Fraction(-1, 20), Fraction(-1, 10), Fraction(-3, 20))),
    ],
)
def test_autocorrelation_by_hand(events, expected):
    found = judge(events)
    np.testing.assert_allclose(found["correlations"][-1], np.array(expected, np.float32), rtol=1e-6)
    counted = sum(abs(value) for value in expected if abs(value) > Fraction(15, 100))
    np.testing.assert_allclose(found["penalty"][-1], float(counted), rtol=1e-6)


@pytest.mark.parametrize(
    "events",
    [[0] * 32 + [37] * 32, [37] * 32 + [0] * 32, [0, 37] * 32, [37, 37, 0, 0] * 16, [37] * 64],
)
def test_autocorrelation_is_exact_up_to_64_of_the_largest_codes(events):
    found = judge(events)
    for end in range(1, 65):
        ratios = [Fraction(*ratio) for ratio in autocorrelations(events[:end]) or [(0, 1)] * 3]
        exact = np.array([float(ratio) for ratio in ratios])
        np.testing.assert_allclose(found["correlations"][end - 1], exact, rtol=1e-6)
        counted = sum(abs(float(r)) for r in ratios if abs(r) > Fraction(15, 100))
        np.testing.assert_allclose(found["penalty"][end - 1], counted, rtol=1e-6)


@pytest.mark.parametrize(
    ("events", "pitches"),
    [
        ([14, 16, 18, 14, 16, 18, 14], [0] * 7),
        ([14, 16, 18, 14, 16, 18, 14, 16, 16], [0] * 7 + [3, 3]),
        ([2, 34, 3, 35, 4, 36, 5, 37], [0] * 7 + [8]),
        ([31, 32, 33, 34, 0, 1, 0, 1], [0] * 7 + [4]),
        ([0, 1] * 4, [0] * 8),
        ([21] + [14, 16] * 4, [0] * 7 + [3, 2]),
    ],
)
def test_pitches_in_the_newest_bar(events, pitches):
    found = judge(events)
    assert found["pitches"].tolist() == pitches
    assert found["is_motif"].tolist() == [count >= 3 for count in pitches]


def test_a_motif_is_repeated_where_the_whole_bar_stood_before():
    bar = [14, 16, 18, 1, 14, 0, 21, 23]
    assert indices(judge(bar * 3)["is_repeated_motif"]) == list(range(15, 24))
    assert indices(judge([*bar, 30, *bar])["is_repeated_motif"]) == [16]
    assert indices(judge([14, 16, 18, 19] * 4)["is_repeated_motif"]) == [15]
    assert indices(judge([14, 16] * 12)["is_repeated_motif"]) == []
    assert indices(judge([30, *bar, *range(2, 25), *bar])["is_repeated_motif"]) == [39]


@pytest.mark.parametrize(
    ("events", "highest", "lowest"),
    [
        ([14], [0], [0]),
        ([14, 14, 16, 16, 18], [0, 2, 4], [0]),
        ([18, 18, 16, 16, 14], [0], [0, 2, 4]),
        ([0, 0, 1, 1, 2, 2], [0, 2, 4], [4]),
        ([1, 1, 37, 0, 2], [0, 2, 3, 4], [2, 3, 4]),
    ],
)
def test_unique_extrema(events, highest, lowest):
    found = judge(events)
    assert indices(found["is_highest_unique"]) == highest
    assert indices(found["is_lowest_unique"]) == lowest


CODES = st.one_of(
    st.lists(st.integers(0, 37), min_size=1, max_size=LENGTH),
    st.lists(st.sampled_from([0, 1, 14, 37]), min_size=1, max_size=LENGTH),
)


@hypothesis.settings(deadline=None)
@hypothesis.given(CODES)
def test_statistics_are_the_plain_sums(events):
    found = jax.tree.map(lambda x: x[-1], judge(events))
    codes = np.array(events)
    assert found["count"] == len(codes)
    assert found["total"] == codes.sum() and found["squares"] == (codes**2).sum()
    for lag in (1, 2, 3):
        assert found["products"][lag - 1] == (codes[lag:] * codes[:-lag]).sum()
        assert found["heads"][lag - 1] == codes[:-lag].sum()
        assert found["tails"][lag - 1] == codes[lag:].sum()
    pitches = codes[codes >= 2]
    assert found["pitch"] == (pitches[-1] if len(pitches) else 0)
    highest, lowest = codes.max(), pitches.min(initial=NUM_EVENTS)
    assert found["highest"] == highest
    assert found["highest_count"] == np.count_nonzero(codes == highest)
    assert found["lowest"] == lowest
    assert found["lowest_count"] == np.count_nonzero(codes == lowest)
    since = np.flatnonzero(codes >= 2)
    tail = codes[since[-1] + 1 :] if len(since) else codes
    assert found["holds"] == (tail == 1).sum() and found["rests"] == (tail == 0).sum()
