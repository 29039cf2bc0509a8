"""Records: their form, their goals, and that a file is whole or absent."""

import argparse
import json
import os
import subprocess

import pytest

from benchmarks import record
from benchmarks.record import Goal, Record, Row, Session


def a_record(**changes) -> Record:
    fields = {
        "benchmark": "melodies",
        "command": "python -m benchmarks.speed.melodies",
        "seconds": 12.3456,
        "device": "cpu",
        "versions": {"jax": "0.10.2"},
        "rows": [Row("one", "steps/s", 123456.0, 100.0, 200000.0, 3, source="a paper")],
        "goals": [Goal("one, steps/s", 1e5, 123456.0)],
    }
    return Record(**{**fields, **changes})


def test_the_file_has_the_form_of_every_benchmark(tmp_path):
    path = a_record().write(tmp_path)
    found = json.loads(path.read_text())
    assert path.name == "melodies.json"
    assert list(found) == [
        "benchmark", "command", "commit", "date", "seconds", "machine", "versions", "rows", "goals",
    ]  # fmt: skip
    assert set(found["machine"]) == {"cpu", "cores", "memory_gib", "device"}
    assert found["rows"] == [
        {
            "name": "one", "metric": "steps/s", "value": 123500.0, "low": 100.0, "high": 200000.0,
            "seeds": 3, "published": None, "source": "a paper",
        }
    ]  # fmt: skip
    assert found["goals"] == [
        {"what": "one, steps/s", "goal": ">= 100000", "value": 123500.0, "reached": True}
    ]
    assert found["seconds"] == 12.35


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal("speed", 2.0, 2.0), True),
        (Goal("speed", 2.0, 1.99), False),
        (Goal("time", 2.0, 2.0, at_most=True), True),
        (Goal("time", 2.0, 2.01, at_most=True), False),
        (Goal("speed", 2.0, None), None),
        (Goal("time", 2.0, None, at_most=True), None),
    ],
)
def test_a_goal_is_reached_at_its_bound(goal, reached):
    assert goal.reached is reached
    assert goal.to_dict()["reached"] is reached
    shown = {True: "yes", False: "no", None: "not measured"}[reached]
    assert a_record(goals=[goal]).markdown().splitlines()[-1].endswith(f"| {shown} |")


def test_rounding_cannot_reach_a_goal():
    goal = Goal("times", 1.0, 0.99999).to_dict()
    assert goal["value"] == 1.0
    assert goal["reached"] is False


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": []}, "needs at least one row"),
        ({"rows": [Row("a", "s", 1.0), Row("a", "s", 2.0)]}, "a, s is there twice"),
        ({"rows": [Row("a", "s", float("nan"))]}, "a, s: figures must be finite, got nan"),
        ({"rows": [Row("a", "s", 1.0, high=float("inf"))]}, "a, s: figures must be finite"),
        ({"goals": [Goal("g", 1.0, float("nan"))]}, "g: figures must be finite"),
    ],
)
def test_a_record_that_says_nothing_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        a_record(**changes)


def test_an_accelerator_has_a_file_of_its_own(tmp_path):
    assert a_record(device="NVIDIA H200").write(tmp_path).name == "melodies.nvidia-h200.json"


def test_a_part_of_a_benchmark_does_not_overwrite_the_whole(tmp_path):
    names = [
        a_record(device=device, part="ppo").write(tmp_path).name
        for device in ("cpu", "NVIDIA H200")
    ]
    assert names == ["melodies.ppo.json", "melodies.ppo.nvidia-h200.json"]


@pytest.mark.parametrize("broken", ["dumps", "fsync_or_write", "replace"])
def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch, broken):
    path = a_record().write(tmp_path)
    before = path.read_bytes()

    def fail(*arguments, **keywords):
        raise OSError("no space left")

    target = {
        "dumps": (json, "dumps"),
        "fsync_or_write": (os, "fdopen"),
        "replace": (os, "replace"),
    }
    monkeypatch.setattr(*target[broken], fail)
    with pytest.raises(OSError, match="no space left"):
        a_record(seconds=99.0).write(tmp_path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("quick", [True, False])
def test_only_a_whole_run_writes(tmp_path, monkeypatch, capsys, quick):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    session = Session("benchmarks.speed.melodies", argparse.Namespace(quick=quick), [])
    session.finish([Row("one", "s", 1.5)], [], "cpu", {"peer": "1.0"})
    files = [entry.name for entry in tmp_path.iterdir()]
    assert files == ([] if quick else ["melodies.json"])
    assert "| one | s | 1.5 |" in capsys.readouterr().out
    if not quick:
        versions = json.loads((tmp_path / "melodies.json").read_text())["versions"]
        assert {"python", "jax", "peer"} <= set(versions)


def test_paths_stay_on_this_machine():
    argv = ["--peer", "purejaxrl=/home/a/b", "--peer", "rejax", "--quick", "C:\\peers\\x", "../y"]
    assert record.public_command("benchmarks.speed.training", argv) == (
        "python -m benchmarks.speed.training --peer purejaxrl=PATH --peer rejax --quick PATH PATH"
    )


def test_the_commit_is_that_of_the_checkout():
    head = subprocess.run(
        ["git", "-C", str(record.RESULTS.parent), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    found = record.commit()
    assert (found is None and not head) or head.startswith(found.rstrip("+"))


def test_missing_packages_have_no_version():
    assert set(record.versions(["jax", "no-such-package"])) == {"python", "jax"}
