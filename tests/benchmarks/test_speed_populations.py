"""Populations against single runs: what is summed, what is multiplied, what is asked."""

import pytest

from benchmarks import record
from benchmarks.speed import populations
from benchmarks.speed.population_worker import task


def test_a_seed_trains_for_51_200_steps():
    sizes = populations.WHOLE
    assert task(sizes.num_updates).steps_per_update * sizes.num_updates == 51_200
    assert sizes.widths == (2, 8, 32)


def trained(seconds, run=1.0, turns=()):
    build = {"trace": 0.5, "compile": 1.5}
    return populations.Trained(seconds, run, build, 100.0, "cpu", list(turns))


def test_single_runs_are_multiplied_and_reused_ones_are_summed():
    found = {0: [trained(9.0), trained(10.0), trained(12.0)], 32: [trained(40.0)] * 3}
    times = populations.compare(32, found, [50.0, 60.0, 80.0])
    assert times.fresh.value == 32 * 10.0 / 40.0
    assert tuple(times.reused) == (1.5, 1.25, 2.0, 3)
    rows = {(row.name, row.metric): row for row in times.rows}
    by_hand = rows[
        "32 fresh processes one after another (32 x one, of 3 run)", "s from start to end"
    ]
    assert (by_hand.value, by_hand.low, by_hand.high) == (320.0, 288.0, 384.0)
    assert rows["32 runs in one process that compiles once", "s from start to end"].value == 60.0


def test_the_benchmark_from_its_processes_to_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    calls = []

    def train(num_seeds, num_updates, num_turns=0):
        calls.append((num_seeds, num_updates, num_turns))
        return trained(20.0 if num_seeds else 5.0, run=2.0, turns=[0.5] * num_turns)

    monkeypatch.setattr(populations, "train", train)
    populations.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    assert calls == [(0, 20, 7), (2, 20, 0), (8, 20, 0)]
    calls.clear()
    populations.main([])
    assert calls == 3 * [(0, 100, 31), (2, 100, 0), (8, 100, 0), (32, 100, 0)]
    text = (tmp_path / "populations.json").read_text()
    assert '"goal": ">= 3",\n   "value": 8.0,\n   "reached": true' in text
    assert '"metric": "trace + compile s",\n   "value": 2.0' in text
    # 32 seeds of 51,200 steps in two seconds.
    assert '"metric": "steps/s",\n   "value": 819200.0' in text
    # One process: 5 s with its first run, and 31 more of half a second.
    assert '"value": 20.5' in text


def test_quick_runs_do_not_answer_for_32_seeds():
    fresh = populations.spread([9.0])
    assert populations.goals(fresh, populations.QUICK)[0].value is None
    assert populations.goals(fresh, populations.WHOLE)[0].reached


@pytest.mark.parametrize("num_seeds", [0, 2])
def test_a_process_trains(num_seeds):
    found = populations.train(num_seeds, num_updates=2, num_turns=1)
    assert 0 < found.run < found.seconds and sum(found.build.values()) < found.seconds
    assert len(found.turns) == 1 and found.peak_mib > 50
