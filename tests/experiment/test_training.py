"""Training is the same whatever stops, cuts or accompanies it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import types

import chex
import jax
import numpy as np
import pytest
from experiment.toy_learner import toy_learner

import creative_rl as crl
from creative_rl.experiment import checkpoint, training
from creative_rl.experiment.chunks import Pace
from creative_rl.experiment.training import DivergedError, train


def quiet(learner, key, num_updates, **options):
    return train(learner, key, num_updates, progress=False, loggers=[], **options)


def bits(state):
    """The state with typed keys as numbers, on the host."""
    is_key = lambda leaf: jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)  # noqa: E731
    return jax.tree.map(
        lambda leaf: np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf), state
    )


def updates_in(out):
    return [json.loads(line)["update"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_learns(key):
    loss = quiet(toy_learner(), key, 200).metrics["loss"]
    assert loss[-10:].mean() < 0.01 * loss[0]


def test_what_is_no_learner_is_one_line(key):
    with pytest.raises(ValueError, match=r"^train takes a learner, such as .*, got GridPath$"):
        train(crl.make("grid-path"), key, 2)


@pytest.mark.parametrize("chunk_updates", [1, 7, 1000])
def test_chunks_have_no_influence(key, chunk_updates):
    learner = toy_learner()
    whole = quiet(learner, key, 100)
    cut = quiet(learner, key, 100, chunk_updates=chunk_updates)
    chex.assert_trees_all_equal(bits(whole.state), bits(cut.state))
    chex.assert_trees_all_equal(whole.metrics, cut.metrics)


def test_resumed_run_is_bit_equal(key, tmp_path):
    learner = toy_learner()
    whole = quiet(learner, key, 90)
    first = quiet(learner, key, 37, out=tmp_path, chunk_updates=5)
    second = quiet(learner, key, 90, out=tmp_path, resume=True)
    assert (first.num_updates, second.num_updates) == (37, 90)
    chex.assert_trees_all_equal(bits(whole.state), bits(second.state))
    for name, values in whole.metrics.items():
        joined = np.concatenate([first.metrics[name], second.metrics[name]])
        np.testing.assert_array_equal(values, joined)
    assert updates_in(tmp_path) == list(range(1, 91))


def test_sigterm_finishes_the_chunk_and_saves(key, tmp_path):
    learner = toy_learner()
    before = signal.getsignal(signal.SIGTERM)
    sender = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    sender.start()
    stopped = quiet(learner, key, 100_000_000, out=tmp_path, chunk_updates=64)
    sender.join()
    assert (stopped.status, stopped.signal) == ("interrupted", signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert checkpoint.latest_update(tmp_path / "checkpoints") == stopped.num_updates
    total = stopped.num_updates + 50
    resumed = quiet(learner, key, total, out=tmp_path, resume=True)
    chex.assert_trees_all_equal(bits(quiet(learner, key, total).state), bits(resumed.state))


_SLOW = """
import sys, time, jax
sys.path[:0] = sys.argv[2:]
from experiment.toy_learner import toy_learner
from creative_rl.experiment.recorder import Recorder
from creative_rl.experiment.training import train
add = Recorder.add
Recorder.add = lambda *arguments: time.sleep(0.05) or add(*arguments)
train(toy_learner(), jax.random.key(0), 1500, out=sys.argv[1], chunk_updates=2,
      checkpoint_seconds=0.0, loggers=[], progress=False)
"""


def test_killed_run_resumes_bit_equal(key, tmp_path):
    """SIGKILL while it writes; a second process is refused as long as the first one lives."""
    paths = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[2])]
    out = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", _SLOW, str(out), *paths])
    try:
        deadline = time.monotonic() + 120
        while (checkpoint.latest_update(out / "checkpoints") or 0) < 5:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(RuntimeError, match=f"in use by process {process.pid}"):
            quiet(toy_learner(), key, 1500, out=out, resume=True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    learner = toy_learner()
    resumed = quiet(learner, key, 1500, out=out, resume=True)
    assert len(resumed.metrics["loss"]) < 1500  # it did not start from nothing
    chex.assert_trees_all_equal(bits(quiet(learner, key, 1500).state), bits(resumed.state))
    assert updates_in(out) == list(range(1, 1501))


def test_seeds_in_one_program_equal_single_runs(key):
    learner = toy_learner()
    together = quiet(learner, key, 50, num_seeds=3)
    assert together.metrics["loss"].shape == (50, 3)
    for i, seed_key in enumerate(jax.random.split(key, 3)):
        alone = quiet(learner, seed_key, 50)
        np.testing.assert_allclose(alone.metrics["loss"], together.metrics["loss"][:, i], rtol=1e-5)
        mine = bits(together.seed(i))
        chex.assert_trees_all_close(bits(alone.state), mine, rtol=1e-4)
    with pytest.raises(ValueError, match=r"seed: index must be at most 2, got 3"):
        together.seed(3)
    with pytest.raises(ValueError, match="one seed was trained; it is in `state`"):
        alone.seed(0)


def test_traces_once(key, tmp_path):
    traces = []
    learner = toy_learner(traces=traces)
    for chunk_updates in (None, 1, 9):
        quiet(learner, key, 40, chunk_updates=chunk_updates)
    quiet(learner, key, 60, out=tmp_path)
    quiet(learner, key, 70, out=tmp_path, resume=True)
    assert len(traces) == 1


def test_divergence_keeps_the_last_good_checkpoint(key, tmp_path):
    quiet(toy_learner(), key, 20, out=tmp_path)
    with pytest.raises(DivergedError, match="loss is not finite in update 31; checkpoint 20") as e:
        quiet(toy_learner(nan_at=30), key, 40, out=tmp_path, resume=True)
    assert (e.value.update, e.value.name, e.value.checkpoint) == (31, "loss", 20)
    assert checkpoint.latest_update(tmp_path / "checkpoints") == 20
    assert updates_in(tmp_path) == list(range(1, 31))
    resumed = quiet(toy_learner(), key, 40, out=tmp_path, resume=True)
    chex.assert_trees_all_equal(bits(resumed.state), bits(quiet(toy_learner(), key, 40).state))


def test_state_that_is_nan_is_not_saved(key, tmp_path):
    """The last update's gradient is NaN: no metric shows it yet."""
    with pytest.raises(DivergedError, match="the state's weights is not finite in update 10"):
        quiet(toy_learner(nan_at=10), key, 10, out=tmp_path)
    assert checkpoint.updates(tmp_path / "checkpoints") == [0]


@pytest.mark.parametrize("chunk_updates", [1, 4, None])
def test_stops_where_the_learner_has_finished(key, tmp_path, chunk_updates):
    learner = toy_learner(finish_at=10)
    result = quiet(learner, key, 100, out=tmp_path, chunk_updates=chunk_updates)
    assert (result.status, result.num_updates, int(result.state["count"])) == ("finished", 10, 10)
    assert result.metrics["loss"].shape == (10,)
    assert updates_in(tmp_path) == list(range(1, 11))


def test_all_seeds_must_have_finished(key):
    learner = toy_learner(finish_at=10)
    late = learner.init(key) | {"count": jax.numpy.int32(6)}
    states = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), learner.init(key), late)
    result = quiet(learner, key, 100, num_seeds=2, state=states)
    assert (result.status, result.num_updates) == ("finished", 10)


def test_goes_on_from_a_state_without_consuming_it(key):
    learner = toy_learner()
    first = quiet(learner, key, 10)
    second = quiet(learner, key, 5, state=first.state)
    chex.assert_trees_all_equal(bits(second.state), bits(quiet(learner, key, 15).state))
    assert not first.state["weights"].is_deleted()


def test_resume_passes_over_a_damaged_checkpoint(key, tmp_path, caplog):
    quiet(toy_learner(), key, 20, out=tmp_path)
    quiet(toy_learner(), key, 30, out=tmp_path, resume=True)
    for path in (tmp_path / "checkpoints" / "30").rglob("*"):
        if path.is_file():
            os.truncate(path, path.stat().st_size // 2)
    resumed = quiet(toy_learner(), key, 40, out=tmp_path, resume=True)
    assert "checkpoint 30" in caplog.text and len(resumed.metrics["loss"]) == 20
    assert checkpoint.updates(tmp_path / "checkpoints") == [0, 20, 40]
    assert updates_in(tmp_path) == list(range(1, 41))


def test_the_best_checkpoint_stays_and_a_stopped_run_keeps_the_same(key, tmp_path):
    """`episode_return` of the toy is its loss, highest at the start."""
    learner, options = toy_learner(), {"keep_checkpoints": 1, "chunk_updates": 3}
    for total in (12, 24, 48, 96):
        quiet(learner, key, total, out=tmp_path, resume=True, **options)
    assert checkpoint.updates(tmp_path / "checkpoints") == [12, 96]


@pytest.mark.parametrize(("share", "seconds"), [(0.02, 100.0), (0.5, 4.0), (1.0, 2.0)])
def test_saving_takes_its_share_of_the_time(tmp_path, monkeypatch, share, seconds):
    now = [0.0]
    clock = types.SimpleNamespace(monotonic=lambda: now[0])

    class Writer:
        """Takes two seconds to save."""

        is_busy = False

        def __init__(self, folder, keep, score):
            pass

        def save(self, state, update, spares_members):
            now[0] += 2.0

    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(checkpoint, "CheckpointWriter", Writer)
    saver = training._Saver(tmp_path, 3, 0.0, share, score=lambda update: None)
    assert saver.is_due()
    saver.save({}, 1)
    for later, is_due in ((0.0, False), (seconds - 0.5, False), (seconds, True)):
        now[0] = 2.0 + later
        assert saver.is_due() == is_due


def test_refuses_what_cannot_be(key, tmp_path):
    learner = toy_learner()
    for options in ({"num_seeds": 0}, {"chunk_updates": 0}, {"keep_checkpoints": 0}):
        with pytest.raises(ValueError, match="at least 1, got 0"):
            quiet(learner, key, 5, out=tmp_path / "none", **options)
    for share in (0.0, -0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="checkpoint_share must be above 0 and at most 1, got"):
            quiet(learner, key, 5, checkpoint_share=share)
    with pytest.raises(ValueError, match="num_updates must be at least 1"):
        quiet(learner, key, 0)
    for size in (True, 2.5, "3", np.float32(3), -1, 10**10, 10**30):
        words = f"must be (a whole number|at least 1|at most 2147483647), got {size!r}$".replace(
            "(3.0)", r"\(3.0\)"
        )
        with pytest.raises(ValueError, match="^train: num_updates " + words):
            quiet(learner, key, size)
        for name in ("num_seeds", "chunk_updates"):
            with pytest.raises(ValueError, match=f"^train: {name} " + words):
                quiet(learner, key, 5, **{name: size})
    with pytest.raises(ValueError, match="num_updates must be a whole number, got None"):
        quiet(learner, key, None)
    assert quiet(learner, key, np.int64(2), num_seeds=np.int32(2)).num_updates == 2
    with pytest.raises(ValueError, match="3 seeds need one key or 3"):
        quiet(learner, jax.random.split(key, 2), 5, num_seeds=3)
    quiet(learner, key, 5, out=tmp_path / "run")
    with pytest.raises(ValueError, match="holds a run already"):
        quiet(learner, key, 5, out=tmp_path / "run")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="cannot write to"):
        quiet(learner, key, 5, out=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_trains_outside_the_main_thread(key):
    results = []
    thread = threading.Thread(target=lambda: results.append(quiet(toy_learner(), key, 5)))
    thread.start()
    thread.join()
    assert results[0].status == "completed"


def test_calls_end_where_windows_of_records_end():
    pace = Pace(None)
    assert pace.next_count(0, 100, 3) == 1  # the first call measures
    pace.begin()
    pace.end(1, num_rows=50)
    pace.count = 10
    assert pace.next_count(1, 100, 3) == 8  # to 9
    assert pace.next_count(9, 100, 3) == 9
    pace.count = 1
    assert pace.next_count(9, 100, 3) == 3
    assert pace.next_count(99, 100, 3) == 1  # the end of the run
    assert pace.next_count(0, 1000, 80) == 1  # no room for a whole window
