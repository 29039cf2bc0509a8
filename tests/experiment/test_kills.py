"""A run that is killed at any moment goes on, and ends with the bits of one that was not."""

import pytest

from benchmarks.speed import kills


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    with kills.Starter(tmp_path_factory.mktemp("cache")) as starter:
        yield starter


def check(starter, tmp_path, num_updates, num_kills):
    starter.whole(tmp_path / "undisturbed", num_updates)
    found = kills.kill_again_and_again(starter, tmp_path / "run", num_updates, num_kills)
    assert len(found) == num_kills
    assert [kill.problems for kill in found if kill.problems] == []
    assert kills.differences(tmp_path / "run", tmp_path / "undisturbed") == []
    return found


def test_killed_five_times(starter, tmp_path):
    found = check(starter, tmp_path, 300, 5)
    assert found[-1].saved > 0  # it did not begin anew each time
    assert any(kill.num_recorded for kill in found)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_a_hundred_times(starter, tmp_path):
    found = check(starter, tmp_path, 2000, 100)
    assert any(kill.in_save for kill in found)


def test_what_is_broken_is_seen(starter, tmp_path):
    out = tmp_path / "run"
    starter.whole(out, 6)
    assert kills.look(out, 6).problems == ()
    assert kills.look(out, 7).problems == ("checkpoint 7 is lost",)
    path = out / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], *lines[2:]]))
    assert "records are of the updates [1, 2, 3, 3, 4" in kills.look(out, 6).problems[0]
    starter.whole(tmp_path / "other", 6)
    path.write_text("".join(lines))
    assert kills.differences(out, tmp_path / "other") == []
    path.write_text("".join(lines[:-1]))
    assert kills.differences(out, tmp_path / "other") == ["metrics.jsonl"]
    (out / "checkpoints" / "6" / "_METADATA").unlink()
    assert "checkpoint 6" in kills.look(out, 6).problems[0]
