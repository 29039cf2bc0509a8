import functools

import numpy as np
import pytest

from benchmarks.tables.digit_judge import BASELINES, DigitJudge, measure_baselines
from creative_rl.corpora import load_pictures


@functools.cache
def judge():
    return DigitJudge(0)


def test_the_judge_tells_digits_from_noise():
    assert 0.96 < judge().accuracy < 0.99
    found = measure_baselines(judge(), 0)
    assert [*found] == [*BASELINES]
    fids = [measures["fid"] for measures in found.values()]
    assert fids == sorted(fids)
    published = (0.403, 0.706, 1.083, 2.169, 52.6)  # means of five seeds
    np.testing.assert_allclose(fids, published, rtol=0.4)
    np.testing.assert_allclose(found["real digits"]["precision"], 0.964, atol=0.02)
    np.testing.assert_allclose(found["real digits"]["recall"], 0.967, atol=0.03)


def test_pictures_are_judged_as_the_ink_that_they_show():
    pictures = load_pictures("digits-train", 8, 8)
    found, exact = judge().measure(pictures), judge().measure(judge().train)
    np.testing.assert_allclose([*found.values()], [*exact.values()], rtol=0.01)
    assert found == judge().measure(pictures[..., 0])


def test_one_digit_again_and_again_is_precise_and_recalls_nothing():
    copies = np.repeat(judge().test[:1], 100, axis=0)
    found = judge().measure(copies)
    assert found["precision"] == 1.0 and found["recall"] == 1 / 500
    np.testing.assert_allclose(found["inception_score"], 1.0)


@pytest.mark.parametrize(
    ("samples", "line"),
    [
        (np.zeros((9, 8, 8)), r"got float64\[9, 8, 8\]"),
        (np.zeros((9, 64), np.uint8), r"got uint8\[9, 64\]"),
        (np.full((9, 64), 16.0), r"lie in 0\.\.1, got 16\.\.16"),
        (np.full((9, 64), np.nan), "got nan"),
    ],
)
def test_what_are_no_digits_is_refused(samples, line):
    with pytest.raises(ValueError, match=line):
        judge().measure(samples)
