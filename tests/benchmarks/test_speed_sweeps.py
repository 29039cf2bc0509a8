"""A sweep against single runs: what is multiplied, what is asked, and both commands."""

import pytest

from benchmarks import record
from benchmarks.speed import sweeps


def test_there_are_32_runs_of_51_200_steps():
    assert len(set(sweeps.WHOLE.points)) == 32 and sweeps.WHOLE.steps == 51_200


def test_single_runs_are_multiplied_and_compared_by_round():
    rows, ratio = sweeps.compare(sweeps.WHOLE, [16.0, 20.0], [[4.0, 5.0, 9.0], [10.0, 5.0, 6.0]])
    assert tuple(ratio) == (pytest.approx((10 + 9.6) / 2), 9.6, 10.0, 2)
    found = {row.name: row for row in rows}
    by_hand = found["32 runs one after another (32 x one, of 6 run)"]
    assert (by_hand.low, by_hand.high) == (160.0, 192.0)
    assert found["one run by itself"].value == 5.5
    assert sweeps.goals(ratio, sweeps.WHOLE)[0].reached
    assert sweeps.goals(ratio, sweeps.QUICK)[0].value is None


def test_the_benchmark_from_its_processes_to_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    calls = []

    def run(argv, cache):
        calls.append((argv[0], cache))
        return 20.0 if argv[0] == "sweep" else 5.0

    monkeypatch.setattr(sweeps, "run", run)
    with pytest.raises(RuntimeError, match="the sweep has trained 0 of 4 trials"):
        sweeps.main(["--quick"])
    monkeypatch.setattr(sweeps, "sweep", lambda sizes: run(["sweep"], ""))
    calls.clear()
    sweeps.main(["--quick"])
    assert [name for name, _ in calls] == ["sweep", "train"] and list(tmp_path.iterdir()) == []
    calls.clear()
    sweeps.main([])
    assert [name for name, _ in calls] == 3 * ["sweep", "train", "train", "train"]
    assert len({cache for name, cache in calls if name == "train"}) == 3  # one a round
    assert '"goal": ">= 4",\n   "value": 8.0' in (tmp_path / "sweeps.json").read_text()


def test_both_commands_train():
    small = sweeps.Sizes((1e-3, 1e-2), (0.0,), steps=512, num_single=1, num_rounds=1)
    assert sweeps.sweep(small) > 0
    (seconds,) = sweeps.single(small, 1)
    assert seconds > 0
    with pytest.raises(RuntimeError, match=r"creative-rl train: .*missing ID"):
        sweeps.run(["train"], "/tmp/none")
