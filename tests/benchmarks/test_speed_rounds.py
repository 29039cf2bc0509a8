"""Interleaving and its summaries, by hand."""

import pytest

from benchmarks.speed.rounds import interleave, rates, ratios, spread


def report(steps, seconds, cpu_seconds):
    return {"steps": steps, "seconds": seconds, "cpu_seconds": cpu_seconds}


def test_contenders_take_turns():
    turns = []

    def contender(name):
        def run(number):
            turns.append((name, number))
            return number * 10

        return run

    reports = interleave({"a": contender("a"), "b": contender("b")}, 3)
    assert turns == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert reports == {"a": [0, 10, 20], "b": [0, 10, 20]}


def test_a_spread_is_the_median_between_the_extremes():
    row = spread([3.0, 10.0, 1.0]).row("name", "metric", "source")
    assert (row.value, row.low, row.high, row.seeds, row.source) == (3.0, 1.0, 10.0, 3, "source")


def test_ratios_compare_the_same_round():
    # The machine is twice as slow in the second round: rates differ, the ratio does not.
    ours = [report(100, 1.0, 2.0), report(100, 2.0, 4.0), report(100, 1.0, 2.0)]
    rivals = [report(50, 1.0, 0.5), report(50, 2.0, 1.0), report(50, 2.0, 0.5)]
    assert rates(ours) == [100.0, 50.0, 100.0]
    assert rates(ours, "cpu_seconds") == [50.0, 25.0, 50.0]
    assert ratios(ours, rivals) == (2.0, 2.0, 4.0, 3)
    assert ratios(ours, rivals, "cpu_seconds") == (0.5, 0.5, 0.5, 3)


def test_a_missing_round_is_not_ignored():
    with pytest.raises(ValueError, match="shorter"):
        ratios([report(1, 1.0, 1.0)] * 2, [report(1, 1.0, 1.0)])
