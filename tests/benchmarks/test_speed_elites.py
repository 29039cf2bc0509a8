"""The race of archives: neighbouring rounds are divided, and both tell what they reached."""

import sys

import pytest
from racing import Contender

from benchmarks import record
from benchmarks.speed import elites


class Filler(Contender):
    """Tells of its archive, and of a clock of its own."""

    def told(self, number, seconds):
        return {"cpu_seconds": seconds**2, "coverage": 0.1 * number, "maximum": 5.0}


def start(name, python, num_updates):
    if name == elites.OURS:
        return Filler(0.1, {"jax": "0"})
    assert python == "some-python"
    return Filler(0.15, {"qdax": "1"})


def test_a_race_divides_neighbouring_rounds():
    rows, times, versions, device = elites.race({"qdax": "some-python"}, True, start)
    found = {(row.name, row.metric): row.value for row in rows}
    assert times == pytest.approx(1.5)
    assert found["MAP-Elites, creative_rl over qdax", "ratio"] == pytest.approx(1.5)
    label = "MAP-Elites, creative_rl over qdax", "ratio of processor time"
    assert found[label] == pytest.approx(1.5**2)
    assert found["MAP-Elites, qdax", "evaluations/s"] == pytest.approx((10 + 10 / 1.5) / 3)
    for name in ("creative_rl", "qdax"):
        assert found[f"MAP-Elites, {name}", "coverage"] == pytest.approx(0.1)
        assert found[f"MAP-Elites, {name}", "maximum"] == 5.0
    assert (versions, device) == ({"jax": "0", "qdax": "1"}, "cpu")
    assert elites.goals(times)[0].reached and not elites.goals(0.9)[0].reached


def test_without_the_peer_nothing_is_claimed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    race = elites.race
    monkeypatch.setattr(elites, "race", lambda peers, quick: race(peers, quick, start))
    elites.main(["--quick"])
    line = next(line for line in capsys.readouterr().out.splitlines() if "times QDax" in line)
    assert "not measured" in line and list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit):
        elites.main(["--peer", "torch=python"])
    assert "the peer is qdax=PYTHON, got 'torch=python'" in capsys.readouterr().err


@pytest.mark.slow
def test_our_worker_fills_an_archive():
    with elites.start(elites.OURS, sys.executable, 1) as contender:
        first, second = contender.run("update"), contender.run("update")
        assert first["steps"] == 256 and 0 < first["coverage"] <= second["coverage"]
