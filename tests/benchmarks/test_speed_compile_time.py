"""Programs foretold and compiled: the law's fit by hand, what is summed up, and the command."""

import json

import pytest

from benchmarks import record
from benchmarks.speed import compile_time, compile_worker
from benchmarks.speed.compile_time import Law
from creative_rl.registry import LEARNERS

POINTS = [(100, 2.0), (1_000, 4.0), (10_000, 8.0), (100_000, 16.0)]


def test_every_learner_has_a_program():
    assert {spec.learner for spec in compile_worker.SPECS.values()} == LEARNERS.keys()
    assert set(compile_worker.QUICK) < compile_worker.SPECS.keys()


def test_a_power_law_is_found_again():
    law = compile_time.fit(POINTS)
    assert law == pytest.approx(Law(0.5, 0.30103, 1.0), rel=1e-4)
    assert law.seconds(1_000) == pytest.approx(4.0)
    assert compile_time.left_out(POINTS) == pytest.approx([1.0] * 4)
    off = compile_time.left_out([*POINTS[:3], (100_000, 48.0)])
    assert off[3] == pytest.approx(3.0) and compile_time.fit([*POINTS[:3], (1e5, 48.0)]).r2 < 0.95


def found(**changes):
    one = {
        "equations": 100,
        "foretold_seconds": 3.0,
        "compile_seconds": 2.0,
        "foretold_bytes": 2**20,
        "xla_bytes": 2**21,
        "trace_seconds": 0.25,
        "walk_seconds": 0.25,
    }
    return {**one, **changes}


def test_figures_and_goals_by_hand():
    programs = {
        str(size): found(equations=size, compile_seconds=seconds) for size, seconds in POINTS
    }
    programs["100"]["foretold_bytes"] = 5 * 2**20
    figures = {(row.name, row.metric): row for row in compile_time.summary(programs)}
    shares = figures[compile_time.BYTES, "times"]
    assert (shares.value, shares.low, shares.high) == (0.5, 0.5, 2.5)
    assert figures["compiling over tracing and walking", "times"].value == 30.0 / 2.0
    assert figures["the law", "power"].value == pytest.approx(0.30103, rel=1e-4)
    assert figures["a program left out of the fit", "times off"].high == pytest.approx(1.0)
    least, greatest, off = compile_time.goals(programs)
    assert (least.value, greatest.value, greatest.reached) == (0.5, 2.5, False)
    assert off.value == pytest.approx((1.5 + 8 / 3) / 2)  # 1.5, 1.33, 2.67 and 5.33 times


def test_quick_compiles_one_program_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    compile_time.main(["--quick"])
    shown = capsys.readouterr().out
    assert "| q_learning | equations |" in shown and "the law" not in shown
    assert list(tmp_path.iterdir()) == []
    programs = {str(size): found(equations=size, compile_seconds=s) for size, s in POINTS}
    monkeypatch.setattr(compile_time, "measure", lambda quick: (programs, "cpu"))
    compile_time.main([])
    written = json.loads((tmp_path / "compile_time.json").read_text())
    assert ("the law", "r2") in {(row["name"], row["metric"]) for row in written["rows"]}
