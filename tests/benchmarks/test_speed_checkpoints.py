"""What is timed of checkpoints, and what is made of the kills."""

import pytest

from benchmarks.speed import checkpoint_worker, checkpoints, kills
from benchmarks.speed.rounds import spread

WHOLE = kills.Kill(num_recorded=9, saved=6, seconds_lost=0.5, in_save=True, problems=())
BROKEN = kills.Kill(num_recorded=9, saved=6, seconds_lost=1.5, in_save=False, problems=("a", "b"))


def test_quick(capsys, monkeypatch):
    """From end to end, with two kills."""
    monkeypatch.setattr(checkpoints, "QUICK_MEGABYTES", 1)
    monkeypatch.setattr(checkpoints, "QUICK_ROUNDS", 1)
    monkeypatch.setattr(checkpoints, "QUICK_KILLS", 2)
    checkpoints.main(["--quick"])
    printed = capsys.readouterr().out
    assert "| a state of 1 MB | training waits s |" in printed
    assert "| a run that is killed | kills | 2 |" in printed
    assert "| leaves and files that differ from an undisturbed run | <= 0 | 0 | yes |" in printed


def test_a_save_is_read_back_and_its_state_is_donated():
    units = checkpoint_worker.saves(1)
    report = units["save"](0)
    assert 0 < report["waited"] < report["written"]
    assert units["restore"](0) == {"steps": 1}


def test_goals_take_the_best_round_and_count_every_problem():
    seconds = {checkpoints.WAITS: spread([0.5, 2.0, 3.0]), checkpoints.RESUMED: spread([6.0, 7.0])}
    goals = checkpoints.goals(100, seconds, [WHOLE, BROKEN], ["a leaf"])
    assert [(goal.value, goal.reached) for goal in goals] == [
        (0.5, True), (6.0, False), (2.0, False), (2, False), (1, False),
    ]  # fmt: skip
    rows = {row.metric: row for row in checkpoints.kill_rows([WHOLE, BROKEN], [])}
    assert rows["kills with a checkpoint on its way"].value == 1
    lost = rows["training lost s"]
    assert (lost.value, lost.low, lost.high) == (pytest.approx(1.0), 0.5, 1.5)
