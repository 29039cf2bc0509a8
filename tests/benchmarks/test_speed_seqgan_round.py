"""The SeqGAN race: both sides train the same networks, and neighbouring rounds are divided."""

import sys

import pytest
from racing import Contender

from benchmarks import record
from benchmarks.speed import seqgan_round as seqgan
from benchmarks.speed import seqgan_task, worker


def test_the_task_is_the_published_generator():
    assert seqgan_task.NUM_PARAMETERS == {
        # Embeddings, four gates, and a layer to all tokens.
        "generator": 160_000 + 4 * (32 * 32 + 32 * 32 + 32) + 33 * 5000,
        "discriminator": 320_000 + 64 * 100 * (1 + 2 + 3 + 4 + 5) + 500 + 2 * 501 * 500 + 501,
    }
    worker.check_parameters(dict(seqgan_task.NUM_PARAMETERS), seqgan_task.NUM_PARAMETERS)
    with pytest.raises(RuntimeError, match=r"parameters must be .*, got \{'generator': 3\}"):
        worker.check_parameters({"generator": 3}, seqgan_task.NUM_PARAMETERS)


def start(name, python):
    if name == seqgan.OURS:
        return Contender(1.0, {"jax": "0"}, steps=1)
    assert python == "some-python"
    return Contender(6.0, {"torch": "1"}, steps=1)


def test_a_race_divides_neighbouring_rounds():
    rows, times, versions, device = seqgan.race({"torch": "some-python"}, False, start)
    found = {(row.name, row.metric): row.value for row in rows}
    assert times == pytest.approx(6.0)
    assert found["SeqGAN, creative_rl over torch", "ratio"] == pytest.approx(6.0)
    assert found["SeqGAN, creative_rl", "trace + compile s"] == 3.0
    assert (versions, device) == ({"jax": "0", "torch": "1"}, "cpu")
    assert not seqgan.goals(times)[0].reached and seqgan.goals(10.0)[0].reached


def test_without_the_peer_nothing_is_claimed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    race = seqgan.race
    monkeypatch.setattr(seqgan, "race", lambda peers, quick: race(peers, quick, start))
    seqgan.main(["--quick"])
    line = next(line for line in capsys.readouterr().out.splitlines() if "times PyTorch" in line)
    assert "not measured" in line and list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_our_worker_trains():
    with seqgan.start(seqgan.OURS, sys.executable) as contender:
        report = contender.run("update")
        assert report["steps"] == 1 and report["seconds"] > 0 and 0 < report["loss"] < 10
