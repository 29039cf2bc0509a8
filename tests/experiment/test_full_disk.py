"""A full disk ends a run with one line; nothing half-written stays, and it goes on later."""

import resource
import shutil
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import pytest

from creative_rl.experiment import checkpoint
from creative_rl.experiment.log import JsonLines
from creative_rl.experiment.training import train
from creative_rl.typing import Learner


def heavy_learner():
    """Its state has 1.2 MB that do not compress."""

    def init(key):
        return {"count": jnp.int32(0), "weights": jax.random.normal(key, (300_000,))}

    def update(state):
        state = {"count": state["count"] + 1, "weights": state["weights"] * 0.999}
        return state, {"loss": state["weights"][0]}

    return Learner(init, update, None, tuple, 1)


LEARNER = heavy_learner()


def run(out, num_updates, loggers=(), **options):
    options = {"loggers": list(loggers), "progress": False, "resume": True, **options}
    return train(LEARNER, jax.random.key(0), num_updates, out=out, **options)


@pytest.fixture
def no_large_files():
    """No file of more than 600 kB can be written: much as on a full disk, for all users."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(is_on):
        most = 600_000 if is_on else before[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))

    yield limit
    limit(False)


def test_a_checkpoint_that_cannot_be_written_is_one_line(tmp_path, no_large_files, capfd, caplog):
    whole = run(tmp_path / "whole", 6)
    out = tmp_path / "run"
    run(out, 2)
    no_large_files(True)
    with pytest.raises(checkpoint.SaveError, match=r"^checkpoint 4 could not .*; checkpoint 2 is kept") as error:  # fmt: skip  # noqa: E501
        run(out, 4)
    no_large_files(False)
    assert "\n" not in str(error.value) and (error.value.update, error.value.latest) == (4, 2)
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == ["0", "2"]
    assert capfd.readouterr().err == "" and not caplog.records
    resumed = run(out, 6)
    chex.assert_trees_all_equal(whole.state, resumed.state)


def test_it_is_told_when_the_next_checkpoint_is_due(tmp_path, no_large_files):
    out = tmp_path / "run"
    run(out, 2)
    no_large_files(True)
    with pytest.raises(checkpoint.SaveError) as error:
        run(out, 1000, chunk_updates=1, checkpoint_seconds=0.0)
    assert error.value.update < 1000 and error.value.latest == 2


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 6 MB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_on_a_disk_that_is_really_full(small_disk, tmp_path, capfd):
    whole = run(tmp_path / "whole", 6)
    out, filling = small_disk / "run", small_disk / "filling"
    run(out, 2)
    before = sorted(path.name for path in (out / "checkpoints").iterdir())
    filling.write_bytes(bytes(shutil.disk_usage(small_disk).free - 500_000))
    with pytest.raises(checkpoint.SaveError, match=r"\(No space left on device\); checkpoint 2 is"):
        run(out, 4)
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == before == ["0", "2"]
    assert checkpoint.restore(out / "checkpoints", whole.state)[1] == 2
    with pytest.raises(OSError, match="No space"):
        (small_disk / "more").write_bytes(bytes(10_000_000))
    with pytest.raises(OSError, match=r"No space left on device: .*metrics\.jsonl'$"):
        run(out, 4)
    assert {path.name for path in out.iterdir()} == {"lock", "metrics.jsonl", "checkpoints"}
    (small_disk / "more").unlink()
    filling.unlink()
    chex.assert_trees_all_equal(whole.state, run(out, 6).state)
    assert "Traceback" not in capfd.readouterr().err


def test_records_that_cannot_be_written_leave_the_file_as_it_was(tmp_path, no_large_files):
    path = tmp_path / "metrics.jsonl"
    logger = JsonLines(path)
    logger.write([{"update": 1}])
    before = path.read_bytes()
    no_large_files(True)
    with pytest.raises(RuntimeError, match=r"cannot write .*metrics.jsonl \(File too large\); put"):
        logger.write([{"update": 2, "text": "x" * 700_000}])
    assert path.read_bytes() == before
