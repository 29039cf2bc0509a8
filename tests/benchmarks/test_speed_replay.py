"""The stores that are raced hold and give back the same items."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.speed import replay, replay_worker


@pytest.mark.parametrize("name", ["ours", "flashbax"])
@pytest.mark.parametrize("task", [replay.UNIFORM, replay.PRIORITISED])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:flashbax")
def test_every_store_samples_what_was_added(name, task, key):
    pytest.importorskip("flashbax")
    is_uniform = task == replay_worker.UNIFORM
    state, step = replay_worker.STORES[is_uniform, name](capacity=300, num=20)
    step = jax.jit(step)
    with jax.numpy_rank_promotion("allow"):  # flashbax's code needs it
        for index in range(3):
            new = replay_worker.items(jnp.int32(index), 20)
            state, batch = step(state, new, jax.random.fold_in(key, index))
    assert batch["observation"].shape == (replay_worker.BATCH, 64)
    number = np.asarray(batch["action"])
    assert set(number.tolist()) <= set(range(60)) and len(set(number.tolist())) > 50
    np.testing.assert_allclose(batch["reward"], (number + 0.5) / 1000, rtol=1e-6)
    np.testing.assert_array_equal(batch["observation"][:, 7], batch["reward"])
    np.testing.assert_array_equal(batch["done"], number % 10 == 0)
    if not is_uniform:
        assert np.all(batch["shares"] > 0) and np.all(batch["shares"] < 0.1)


def test_all_batches_of_the_compiled_loop_are_summed(key):
    state, step = replay_worker.ours(50, 5)
    run = replay_worker.compiled(state, step, 5)
    keys = jax.random.split(key, 7)
    expected, other = 0.0, replay_worker.ours(50, 5)[0]
    for index in range(7):
        other, batch = step(other, replay_worker.items(jnp.int32(index), 5), keys[index])
        expected += float(batch["reward"].sum())
    state, sums = run(state, jnp.int32(0), keys)
    assert int(state.size) == 35
    np.testing.assert_allclose(sums["reward"], expected, rtol=1e-5)


def test_the_numpy_ring_samples_the_same_mean():
    report = replay_worker.numpy_unit(1000, 4, 0.02)(3)
    replay.check_samples("numpy", {"NumPy ring": [report]})
    with pytest.raises(RuntimeError, match=r"x, ours: the sampled rewards have the mean 0.6000"):
        replay.check_samples("x", {"ours": [{"mean": 0.6, "standard_error": 0.01}]})


def test_goals_are_against_flashbax():
    goals = replay.goals({"add + sample, add 1": 2.0, "add + sample, add 64": 1.4})
    assert [(goal.what, goal.bound, goal.reached) for goal in goals] == [
        ("add + sample, times flashbax, add 1", 1.5, True),
        ("add + sample, times flashbax, add 64", 1.5, False),
    ]


def test_a_race_divides_neighbouring_rounds_and_quick_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)

    class Rival:
        about = {"device": "cpu", "versions": {"flashbax": "0"}}  # noqa: RUF012

        def __init__(self, seconds):
            self.seconds = seconds

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def run(self, unit, number):
            seconds = self.seconds * (1 + number)
            return {"steps": 100, "seconds": seconds, "mean": 0.5, "standard_error": 0.01}

        def stop(self):
            return {"peak_mib": 1.0}

    def start(contender, task, num_added, quick):
        return Rival({"ours": 1.0, "flashbax": 3.0, "numpy": 2.0}[contender.store])

    group = replay.race("add", replay.UNIFORM, 1, quick=True, start=start)
    assert group.times == {"flashbax": 3.0, "NumPy ring": 2.0}
    whole = replay.race("add", replay.UNIFORM, 1, quick=False, start=start)
    assert whole.times[replay.LARGE] == 1.0
    monkeypatch.setattr(replay, "race", lambda *task: group._replace(rows=[group.rows[0]]))
    with pytest.raises(ValueError, match="is there twice"):
        replay.main(["--quick"])
    labels = iter("abc")
    monkeypatch.setattr(
        replay, "race", lambda *task: group._replace(rows=[record.Row(next(labels), "m", 1.0)])
    )
    replay.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
