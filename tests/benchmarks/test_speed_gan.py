"""The GAN race: both sides train the same network, and neighbouring rounds are divided."""

import sys

import pytest
from racing import Contender

from benchmarks import record
from benchmarks.speed import gan, gan_task, worker


def test_the_task_is_dcgan_without_norms():
    assert gan_task.NUM_PARAMETERS == {
        "generator": 101 * 6272 + 131_072 + 64 + 1024 + 1,
        "discriminator": 1024 + 64 + 131_072 + 128 + 6272 + 1,
    }
    worker.check_parameters(dict(gan_task.NUM_PARAMETERS), gan_task.NUM_PARAMETERS)
    with pytest.raises(RuntimeError, match=r"parameters must be .*, got \{'generator': 3\}"):
        worker.check_parameters({"generator": 3}, gan_task.NUM_PARAMETERS)


def start(name, python, num_steps):
    if name == gan.OURS:
        return Contender(0.1, {"jax": "0"})
    assert python == "some-python"
    return Contender(0.15, {"torch": "1"})


def test_a_race_divides_neighbouring_rounds():
    rows, times, versions, device = gan.race({"torch": "some-python"}, True, start)
    found = {(row.name, row.metric): row.value for row in rows}
    assert times == pytest.approx(1.5)
    assert found["GAN, creative_rl over torch", "ratio"] == pytest.approx(1.5)
    # The rounds take 1 and 1.5 s for ten steps.
    assert found["GAN, creative_rl", "steps/s"] == pytest.approx((10 + 10 / 1.5) / 2)
    assert found["GAN, creative_rl", "trace + compile s"] == 3.0
    assert (versions, device) == ({"jax": "0", "torch": "1"}, "cpu")
    assert gan.goals(times)[0].reached and not gan.goals(0.9)[0].reached


def test_without_the_peer_nothing_is_claimed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    race = gan.race
    monkeypatch.setattr(gan, "race", lambda peers, quick: race(peers, quick, start))
    gan.main(["--quick"])
    line = next(line for line in capsys.readouterr().out.splitlines() if "times PyTorch" in line)
    assert "not measured" in line and list(tmp_path.iterdir()) == []
    gan.main(["--peer", "torch=some-python"])
    text = (tmp_path / "gan.json").read_text()
    assert '"value": 1.5,\n   "reached": true' in text
    with pytest.raises(SystemExit):
        gan.main(["--peer", "jax=python"])
    assert "the peer is torch=PYTHON, got 'jax=python'" in capsys.readouterr().err


@pytest.mark.slow
def test_our_worker_trains():
    with gan.start(gan.OURS, sys.executable, 1) as contender:
        report = contender.run("update")
        assert report["steps"] == 1 and report["seconds"] > 0 and 0 < report["loss"] < 10
        assert contender.about["versions"]["jax"]
