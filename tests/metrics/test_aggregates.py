"""Aggregates over tasks and seeds: by hand, and by SciPy."""

import numpy as np
import pytest
from scipy import stats

from creative_rl.metrics import (
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)


@pytest.mark.parametrize("num_runs", [1, 3, 4, 5, 6, 7, 8, 23])
def test_the_interquartile_mean_is_scipys_trimmed_mean(num_runs):
    runs = np.random.default_rng(num_runs).normal(size=num_runs)
    expected = stats.trim_mean(runs, 0.25)
    assert interquartile_mean([runs], num=10).value == pytest.approx(expected)
    halves = [half for half in np.split(runs, [num_runs // 2]) if half.size]
    assert interquartile_mean(halves, num=10).value == pytest.approx(expected)


def test_intervals_are_scipys_bootstrap():
    runs = np.random.default_rng(0).normal(size=40)
    found = interquartile_mean([runs], num=20_000)
    by_scipy = stats.bootstrap(
        (runs,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), n_resamples=20_000,
        method="percentile", vectorized=True, rng=1,
    ).confidence_interval  # fmt: skip
    assert found.low == pytest.approx(by_scipy.low, abs=0.02)
    assert found.high == pytest.approx(by_scipy.high, abs=0.02)
    assert found.low < found.value < found.high


def test_seeds_are_drawn_within_their_task():
    # With two tasks that have no spread inside, nothing can move; an unstratified draw would.
    found = interquartile_mean([np.zeros(4), np.ones(4)], num=50)
    assert found == (0.5, 0.5, 0.5)
    scores = [np.zeros(2), np.ones(6)]
    profile = performance_profile(scores, np.array([-1.0, 0.5, 1.0]), num=50)
    for part in profile:
        np.testing.assert_array_equal(part, [1.0, 0.5, 0.0])  # a task counts once, above is strict


def test_one_seed_has_no_interval():
    one, several = np.array([2.0]), np.array([1.0, 3.0])
    assert interquartile_mean([one]) == (2.0, None, None)
    assert interquartile_mean([several, one]) == (2.0, None, None)
    assert probability_of_improvement([several], [one]) == (0.5, None, None)
    profile = performance_profile([one], np.array([1.0, 2.0]))
    assert profile.value.tolist() == [1.0, 0.0] and profile[1:] == (None, None)


def test_profiles_by_hand():
    scores = [np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.5, 0.7])]
    found = performance_profile(scores, np.array([0.0, 0.45, 0.65]), num=200)
    np.testing.assert_allclose(found.value, [1.0, (0.5 + 1.0) / 2, (0.25 + 0.5) / 2])
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def test_the_probability_of_improvement_is_mann_and_whitneys():
    random = np.random.default_rng(0)
    ours, theirs = ([random.normal(size=n).round(1) for n in sizes] for sizes in ((7, 5), (6, 9)))
    parts = [
        stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
        for a, b in zip(ours, theirs, strict=True)
    ]
    found = probability_of_improvement(ours, theirs)
    assert found.value == pytest.approx(np.mean(parts))
    back = probability_of_improvement(theirs, ours)
    assert found.value + back.value == pytest.approx(1) and found.low < found.value < found.high
    assert probability_of_improvement([np.ones(3)], [np.ones(2)]) == (0.5, 0.5, 0.5)


def test_refuses():
    one = [np.array([1.0])]
    with pytest.raises(ValueError, match="needs one score or more of at least one task"):
        interquartile_mean([])
    with pytest.raises(ValueError, match="needs one score or more of at least one task"):
        performance_profile([np.array([])], np.zeros(1))
    with pytest.raises(ValueError, match="scores must be finite, got 1 that are not"):
        interquartile_mean([np.array([1.0, np.nan])])
    with pytest.raises(ValueError, match="needs both on the same tasks, got 1 and 2"):
        probability_of_improvement(one, one * 2)
