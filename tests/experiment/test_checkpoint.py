"""Checkpoints come back as they were, or the reason is one line."""

import os
import shutil
import threading
import time

import chex
import jax
import jax.numpy as jnp
import optax
import orbax.checkpoint as ocp
import pytest

from creative_rl.experiment import checkpoint


@pytest.fixture
def state(key):
    params = {"kernel": jnp.arange(6.0).reshape(2, 3), "bias": jnp.ones(3, jnp.bfloat16)}
    return {
        "params": params,
        "opt_state": optax.adam(1e-3).init(params),
        "key": key,
        "keys": jax.random.split(jax.random.key(1), 4),
        "count": jnp.int32(3),
        "memory": (),
        "is_set": jnp.array([True, False]),
    }


def damage(folder, step):
    for path in (folder / str(step)).rglob("*"):
        if path.is_file():
            os.truncate(path, path.stat().st_size // 2)


def equal(a, b):
    raw = checkpoint._raw_keys
    chex.assert_trees_all_equal_shapes_and_dtypes(a, b)
    chex.assert_trees_all_equal(raw(a), raw(b))
    assert jax.tree.structure(a) == jax.tree.structure(b)


def test_round_trip(state, tmp_path):
    checkpoint.save(tmp_path, state, 7)
    restored, step = checkpoint.restore(tmp_path, jax.eval_shape(lambda: state))
    assert step == 7 and restored["key"].dtype == state["key"].dtype
    equal(state, restored)


def test_a_checkpoint_in_a_folder_of_its_own_is_read_too(state, tmp_path):
    """Earlier versions wrote them so."""
    checkpoint.save(tmp_path, state, 7)
    os.rename(tmp_path / "7", tmp_path / "default")
    os.mkdir(tmp_path / "7")
    os.rename(tmp_path / "default", tmp_path / "7" / "default")
    equal(state, checkpoint.restore(tmp_path, state)[0])


def test_saved_state_may_be_donated_at_once(tmp_path):
    start = jnp.zeros(200_000)
    move = jax.jit(lambda x: x + 1, donate_argnums=0)
    with checkpoint.CheckpointWriter(tmp_path, keep=5) as writer:
        state = {"x": start}
        for step in range(5):
            writer.save(state, step)
            for _ in range(3):
                state = {"x": move(state["x"])}
    for step in range(5):
        restored, _ = checkpoint.restore(tmp_path, {"x": start}, step)
        assert (restored["x"] == 3.0 * step).all()


def test_keeps_the_newest(state, tmp_path):
    with checkpoint.CheckpointWriter(tmp_path, keep=2) as writer:
        for step in (1, 5, 9):
            writer.save(state, step)
        assert writer.latest == 9
    assert checkpoint.updates(tmp_path) == [5, 9]
    assert checkpoint.latest_update(tmp_path / "none") is None


def test_keeps_the_best_beside_the_newest(state, tmp_path):
    """Of equals the newest; one whose score is not known is never the best."""
    scores = {1: 2.0, 2: 5.0, 3: 5.0, 4: 1.0, 5: None, 6: 4.0}
    kept = []
    with checkpoint.CheckpointWriter(tmp_path, keep=1, score=scores.get) as writer:
        for step in scores:
            writer.save(state, step)
            writer.wait()
            kept.append(checkpoint.updates(tmp_path))
    assert kept == [[1], [2], [3], [3, 4], [3, 5], [3, 6]]


def test_writing_goes_on_in_the_background(state, tmp_path, monkeypatch):
    """The next save waits for it, and `latest` counts it."""
    may_end, wait = threading.Event(), ocp.AsyncCheckpointer.wait_until_finished

    def slow(self):
        if threading.current_thread().name == "checkpoint":
            may_end.wait(20)
        wait(self)

    monkeypatch.setattr(ocp.AsyncCheckpointer, "wait_until_finished", slow)
    with checkpoint.CheckpointWriter(tmp_path) as writer:
        writer.save(state, 1)
        assert writer.is_busy and writer.latest == 1
        threading.Timer(0.3, may_end.set).start()
        begin = time.monotonic()
        writer.save(state, 2)
        assert time.monotonic() - begin > 0.2
        writer.wait()
        assert not writer.is_busy and checkpoint.updates(tmp_path) == [1, 2]


def test_falls_back_to_an_older_one(state, tmp_path, caplog, capfd):
    for step in (1, 2):
        checkpoint.save(tmp_path, state | {"count": jnp.int32(step)}, step)
    damage(tmp_path, 2)
    restored, step = checkpoint.restore(tmp_path, state)
    assert (step, int(restored["count"])) == (1, 1)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "checkpoint 2" in caplog.text and "Traceback" not in capfd.readouterr().err
    checkpoint.discard_after(tmp_path, step)
    assert checkpoint.updates(tmp_path) == [1]


@pytest.mark.parametrize("what", ["truncated", "removed", "data truncated"])
def test_damage_is_one_line(state, tmp_path, what, capfd):
    checkpoint.save(tmp_path, state, 1)
    if what == "truncated":
        damage(tmp_path, 1)
    elif what == "removed":
        for path in (tmp_path / "1").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        for path in (tmp_path / "1" / "d").iterdir():
            os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match=r"checkpoint 1 in .* is damaged .* no older one") as error:
        checkpoint.restore(tmp_path, state)
    assert "\n" not in str(error.value)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": jnp.zeros(2, jnp.int32)}, r"count is \(\) there and \(2,\) here"),
        ({"extra": jnp.zeros(2)}, r"extra is absent there and \(2,\) here"),
        ({"keys": jax.random.split(jax.random.key(1), 5)}, r"keys is \(4, 2\) there"),
    ],
)
def test_another_state_is_one_line(state, tmp_path, change, message, capfd):
    checkpoint.save(tmp_path, state, 1)
    with pytest.raises(ValueError, match=message) as error:
        checkpoint.restore(tmp_path, state | change)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_nothing_there(state, tmp_path):
    with pytest.raises(ValueError, match="there is no checkpoint; resume the run or train"):
        checkpoint.restore(tmp_path, state)
    checkpoint.save(tmp_path, state, 4)
    with pytest.raises(ValueError, match=r"there is no checkpoint 3; it has \[4\]"):
        checkpoint.restore(tmp_path, state, 3)


def test_nan_is_not_saved_and_infinity_is(state, tmp_path):
    with checkpoint.CheckpointWriter(tmp_path) as writer:
        writer.save(state | {"best": jnp.float32(jnp.inf)}, 1)
        params = state["params"] | {"bias": jnp.full(3, jnp.nan, jnp.bfloat16)}
        with pytest.raises(checkpoint.NanStateError, match="params/bias"):
            writer.save(state | {"params": params}, 2)
    assert checkpoint.updates(tmp_path) == [1]


def test_nan_in_some_members_is_saved_and_in_all_of_them_is_not(tmp_path):
    """Each may have it in another leaf."""
    state = {"weights": jnp.ones((2, 3)).at[0, 1].set(jnp.nan), "bias": jnp.ones(2)}
    with checkpoint.CheckpointWriter(tmp_path) as writer:
        writer.save(state, 1, spares_members=True)
        with pytest.raises(checkpoint.NanStateError):
            writer.save(state | {"bias": state["bias"].at[1].set(jnp.nan)}, 2, spares_members=True)
    assert checkpoint.updates(tmp_path) == [1]
