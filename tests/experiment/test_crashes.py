"""Whatever operation on files a save breaks off at, every checkpoint that is there is whole."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from experiment.failing_disk import FailingDisk, watched

from creative_rl.experiment import checkpoint, records

SCORES = {1: 3.0, 2: 1.0, 3: 2.0}


def state(update):
    return {"count": jnp.int32(update), "weights": jnp.full(300, update, jnp.float32)}


def save(folder, update):
    with checkpoint.CheckpointWriter(folder, keep=1, score=SCORES.get) as writer:
        writer.save(state(update), update)


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Two checkpoints: the third takes the second's place, and the first is the best."""
    folder = tmp_path_factory.mktemp("crashes") / "before"
    save(folder, 1)
    save(folder, 2)
    assert checkpoint.updates(folder) == [1, 2]
    return folder


def check_whole(folder):
    """Every checkpoint is read and is what it was; returns which there are."""
    found = checkpoint.updates(folder)
    for update in found:
        restored, _ = checkpoint.restore(folder, state(0), update)
        assert (
            int(restored["count"]) == update and (np.asarray(restored["weights"]) == update).all()
        )
    return found


def count_operations(before, folder):
    disk = FailingDisk()
    shutil.copytree(before, folder)
    with watched(disk):
        save(folder, 3)
    assert check_whole(folder) == [1, 3]
    return disk.count


def test_a_save_may_break_off_at_every_operation_on_files(before, tmp_path, caplog):
    """For good, as when the process is killed there; and the next process goes on."""
    count = count_operations(before, tmp_path / "whole")
    assert count > 20
    seen = set()
    for number in range(count):
        folder = tmp_path / str(number)
        shutil.copytree(before, folder)
        try:
            with watched(FailingDisk(number, for_good=True)):
                save(folder, 3)
        except (OSError, checkpoint.SaveError):
            pass
        found = check_whole(folder)
        assert found in ([1, 2], [1, 2, 3], [1, 3])
        seen.add(tuple(found))
        checkpoint.CheckpointWriter(folder).close()
        assert sorted(path.name for path in folder.iterdir()) == [str(update) for update in found]
        shutil.rmtree(folder)
    assert seen == {(1, 2), (1, 2, 3), (1, 3)}
    folder = tmp_path / "goes on"
    shutil.copytree(before, folder)
    with pytest.raises(checkpoint.SaveError), watched(FailingDisk(count // 4, for_good=True)):
        save(folder, 3)
    save(folder, 4)
    assert check_whole(folder) == [1, 4]


def test_one_operation_that_fails_is_one_line_and_leaves_nothing_half_written(
    before, tmp_path, caplog, capfd
):
    """As on a full disk, where files can still be removed."""
    count = count_operations(before, tmp_path / "whole")
    num_told = 0
    for number in range(count):
        folder = tmp_path / str(number)
        shutil.copytree(before, folder)
        try:
            with watched(FailingDisk(number)):
                save(folder, 3)
        except checkpoint.SaveError as error:
            words = str(error)
            assert words.startswith(f"checkpoint 3 could not be written to {folder} (No space left")
            assert words.endswith("; checkpoint 2 is kept; put that right, then resume the run")
            assert check_whole(folder) == [1, 2]
            assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]
            num_told += 1
        else:  # it was the removal of the old one that failed, or nothing that counts
            assert check_whole(folder)[-1] == 3
        shutil.rmtree(folder)
    assert num_told > 6
    assert "Traceback" not in capfd.readouterr().err


def test_records_are_there_once_wherever_a_resume_breaks_off(tmp_path):
    path = tmp_path / "metrics.jsonl"
    whole = [{"update": number, "seconds": 0.1} for number in range(1, 9)]
    lines = [f'{{"update": {number}, "seconds": 0.1}}\n' for number in range(1, 9)]
    for number in range(12):
        path.write_text("".join(lines) + '{"upda')
        disk = FailingDisk(number, for_good=True)
        try:
            with watched(disk):
                records.truncate(path, 5)
        except OSError:
            assert records.read_records(path) in (whole, whole[:5])
        else:
            break
        assert records.truncate(path, 5) == whole[:5] and list(tmp_path.iterdir()) == [path]
    assert 3 <= number < 12
