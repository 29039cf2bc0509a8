"""The suite has every environment, each of its trials can be built, and its record says what is."""

import json

import pytest

from benchmarks import record, suite
from creative_rl import registry
from creative_rl.experiment.sweeping import file, tables, trials


def test_every_registered_environment_and_most_learners_are_in_the_suite():
    tasks = file.read(suite.FILE).tasks
    assert {task.environment for task in tasks} == set(registry.ENVIRONMENTS)
    assert {"ppo", "a2c", "dqn", "apg", "spiral", "gan", "vae"} <= {task.learner for task in tasks}
    assert set(suite.QUICK_TASKS) <= {task.name for task in tasks}


@pytest.mark.parametrize("budget", suite.BUDGETS)
def test_budgets_differ_in_steps_and_seeds(budget):
    (task, *_), number = file.read(suite.FILE, budget).tasks, suite.BUDGETS.index(budget)
    assert (task.steps, task.seeds) == [(5_000, 2), (100_000, 5), (500_000, 10)][number]


TASKS = {task.name: task for task in file.read(suite.FILE, "quick").tasks}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_built(name):
    if TASKS[name].learner == "spiral":
        pytest.skip("draws its examples first, which takes seconds; tested with the learner")
    trials.check(TASKS[name])
    assert trials.make(TASKS[name], {}).error is None


def test_the_record_is_made_of_the_sweeps_results(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(suite, "train", lambda found, out, num_workers: 12.5)

    def result_rows(out):
        for task in TASKS.values():
            for seed in range(2):
                lost = task.name == "chords-a2c" and seed == 1
                score = None if lost else 1.0 + seed
                yield {"task": task.name, "score": score, "steps": 64}

    monkeypatch.setattr(tables, "result_rows", lambda out: list(result_rows(out)))
    suite.main(["--budget", "quick"])
    written = json.loads((tmp_path / "suite.quick.json").read_text())
    assert written["command"] == "python -m benchmarks.suite --budget quick"
    rows = {row["name"]: row for row in written["rows"]}
    assert len(rows) == len(TASKS) - 1 and "chords, a2c" not in rows
    assert rows["drawing-pixels, vae"]["metric"] == "loss"
    assert rows["grid-path, ppo"]["value"] == 1.5 and rows["grid-path, ppo"]["seeds"] == 2
    assert rows["grid-path, ppo"]["source"] == "64 steps, num_envs=16"
    assert [goal["reached"] for goal in written["goals"]] == [True, True]
    assert written["goals"][1]["value"] == 12.5


def test_quick_trains_two_tasks_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.chdir(tmp_path)
    suite.main(["--quick"])
    told = capsys.readouterr().out
    assert "| grid-path, q_learning | episode_return |" in told
    assert "nothing was written" in told and list(tmp_path.iterdir()) == []
