"""Members of a sweep learn as they do alone, in one program, whatever becomes of the others."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import cases
from experiment.toy_learner import toy_learner

import creative_rl as crl
from creative_rl.configs import static, unit
from creative_rl.experiment import grid, memory, sweep
from creative_rl.experiment.training import DivergedError, train
from creative_rl.registry import LEARNERS, load

# A vmapped program that deadlocks is stopped, and not waited for.
pytestmark = pytest.mark.timeout(180)

SMALL = dict(
    num_envs=4, num_steps=5, num_epochs=2, num_minibatches=2, batch_size=8, replay_size=64,
    hidden_sizes=(8,), memory_size=4, learning_starts=16,
)  # fmt: skip
# Those that act for rewards in a melody; the others learn from examples or gradients.
TRAINED = [name for name, case in cases().items() if case.probe is not None]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ToyConfig:
    """Of the toy learner: its numbers add to the metrics."""

    num_things: int = static(3)
    gamma: float = unit(0.5)
    """NaN grows from it where it is above 0.9"""
    patience: int = 1


def make_toy(traces=None):
    """`make_learner` of a toy that diverges in update 6 where gamma is above 0.9."""

    def make(config):
        toy = toy_learner(traces=traces)

        def update(state):
            new, metrics = toy.update(state)
            is_bad = (config.gamma > 0.9) & (state["count"] >= 5)
            weights = jnp.where(is_bad, jnp.nan, new["weights"])
            metrics = metrics | {
                "loss": jnp.where(is_bad, jnp.nan, metrics["loss"]),
                "patience": jnp.asarray(config.patience),
            }
            return new | {"weights": weights}, metrics

        return toy._replace(update=update)

    return make


def quiet(make_learner, config, key, num_updates, values, num_seeds=1, **options):
    options = {"progress": False, "loggers": []} | options
    return sweep(make_learner, config, key, num_updates, values, num_seeds, **options)


def plain(tree):
    """Typed keys as numbers, on the host."""
    is_key = lambda leaf: jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)  # noqa: E731
    return jax.tree.map(
        lambda leaf: np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf), tree
    )


def assert_same(one, other, tolerance=1e-4):
    """Whole numbers, keys among them, to the bit; floats up to rounding."""
    for (path, a), b in zip(
        jax.tree.leaves_with_path(plain(one)), jax.tree.leaves(plain(other)), strict=True
    ):
        assert a.dtype == b.dtype, path
        if np.issubdtype(a.dtype, np.floating):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=str(path))
        else:
            np.testing.assert_array_equal(a, b, err_msg=str(path))


@pytest.mark.parametrize("name", TRAINED)
def test_members_learn_as_they_do_alone(name, key):
    factory, config_class = (load(getattr(LEARNERS[name], part)) for part in ("target", "config"))
    env = crl.make("melody-target-tutorial")
    fields = {field.name for field in dataclasses.fields(config_class)}
    config = config_class(**{name: size for name, size in SMALL.items() if name in fields})
    values = grid(learning_rate=[1e-3, 1e-2], gamma=[0.9, 0.99])
    make_learner = lambda config: factory(env, config)  # noqa: E731
    found = quiet(make_learner, config, key, 3, values, 2)
    assert not found.diverged.any()
    keys = jax.random.split(key, 2)
    for point, seed in ((0, 1), (3, 0)):
        config = found.configs[point]
        assert (config.learning_rate, config.gamma) == ((1e-3, 0.9), (1e-2, 0.99))[point > 0]
        alone = train(make_learner(config), keys[seed], 3, progress=False)
        assert_same(alone.state, found.member(point, seed))
        assert_same(alone.metrics, {name: m[:, point, seed] for name, m in found.metrics.items()})
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(plain(found.states))]
    assert any(not np.array_equal(leaf[0], leaf[2]) for leaf in leaves)  # the numbers count


@pytest.mark.parametrize("num_seeds", [2, 8, 32])
def test_populations_do_not_hang(num_seeds, key):
    config = crl.PPOConfig(num_envs=4, num_steps=8, hidden_sizes=(64, 64))
    learner = crl.learners.ppo(crl.make("melody-target"), config)
    result = train(learner, key, 2, num_seeds=num_seeds, progress=False)
    assert result.metrics["entropy"].shape == (2, num_seeds)


def test_one_program_trains_all(key):
    traces = []
    found = quiet(make_toy(traces), ToyConfig(), key, 40, grid(gamma=[0.1, 0.2, 0.3]), 4)
    assert len(traces) == 1
    assert found.metrics["loss"].shape == (40, 3, 4)
    assert found.states["weights"].shape == (3, 4, 8)
    assert found.values == {"gamma": (0.1, 0.2, 0.3)}
    # The same seed at every point; the toy's learning does not depend on gamma.
    np.testing.assert_array_equal(found.metrics["loss"][:, 0], found.metrics["loss"][:, 2])
    assert len(np.unique(found.metrics["loss"][-1, 0])) == 4


def test_as_many_keys_as_seeds_are_taken_as_they_are(key):
    keys = jax.random.split(key, 2)
    values = {"gamma": [0.1]}
    given = quiet(make_toy(), ToyConfig(), keys, 5, values, 2)
    assert_same(given.states, quiet(make_toy(), ToyConfig(), key, 5, values, 2).states, 0)
    with pytest.raises(ValueError, match=r"3 seeds need one key or 3, got \(2,\)"):
        quiet(make_toy(), ToyConfig(), keys, 5, values, 3)


def test_whole_numbers_stay_whole(key):
    values = {"patience": np.array([3, 16_777_217]), "gamma": [0, np.float32(0.5)]}
    found = quiet(make_toy(), ToyConfig(), key, 1, values)
    assert found.metrics["patience"].dtype == np.int32
    assert found.metrics["patience"][0, :, 0].tolist() == [3, 16_777_217]  # no float32 could
    assert [type(config.patience) for config in found.configs] == [int, int]
    assert [config.gamma for config in found.configs] == [0.0, 0.5]


def test_a_member_that_diverges_does_not_take_the_others_with_it(key, tmp_path):
    values = {"gamma": [0.5, 0.95]}
    options = {"out": tmp_path, "checkpoint_seconds": 0.0, "chunk_updates": 3}
    found = quiet(make_toy(), ToyConfig(), key, 20, values, 2, **options)
    assert found.status == "completed"
    assert found.diverged.tolist() == [[False, False], [True, True]]
    losses = found.metrics["loss"]
    assert np.isfinite(losses[:, 0]).all() and np.isfinite(losses[:5, 1]).all()
    assert np.isnan(losses[5:, 1]).all()
    alone = train(make_toy()(ToyConfig()), jax.random.split(key, 2)[1], 20, progress=False)
    assert_same(alone.state, found.member(0, 1))
    assert np.isfinite(found.final("loss")[0]).all() and np.isnan(found.final("loss")[1]).all()
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["loss"][2:] == [None, None] and None not in last["loss"][:2]
    # It is known again after a resume, though no metric of the old updates is.
    resumed = quiet(make_toy(), ToyConfig(), key, 30, values, 2, **options, resume=True)
    assert resumed.diverged.tolist() == found.diverged.tolist()
    whole = quiet(make_toy(), ToyConfig(), key, 30, values, 2)
    assert_same(whole.member(0, 0), resumed.member(0, 0), 0)


def test_where_all_diverge_the_sweep_ends(key):
    with pytest.raises(DivergedError, match="loss is not finite in update 6"):
        quiet(make_toy(), ToyConfig(), key, 20, {"gamma": [0.95, 0.99]}, 2)


def test_a_state_that_is_lost_before_a_metric_shows_it_counts(key, tmp_path):
    def make(config):
        toy = toy_learner(nan_at=10)

        def update(state):
            new, metrics = toy.update(state)
            kept = jax.tree.map(
                lambda leaf: jnp.where(jnp.isnan(leaf) & (config.gamma < 0.9), 0, leaf),
                {"weights": new["weights"]},
            )
            return new | kept, metrics

        return toy._replace(update=update)

    found = quiet(make, ToyConfig(), key, 10, {"gamma": [0.5, 0.95]}, out=tmp_path)
    assert found.diverged.tolist() == [[False], [True]]
    assert np.isfinite(found.metrics["loss"]).all()


def test_a_folder_is_of_one_sweep(key, tmp_path):
    values = {"gamma": [0.1, 0.2]}
    quiet(make_toy(), ToyConfig(), key, 5, values, 2, out=tmp_path)
    about = json.loads((tmp_path / "sweep.json").read_text())
    config = {"num_things": 3, "gamma": 0.5, "patience": 1}
    assert about == {"config": config, "values": values, "num_seeds": 2}
    for other in ({"values": {"gamma": [0.1, 0.3]}}, {"num_seeds": 3}):
        arguments = {"values": values, "num_seeds": 2} | other
        with pytest.raises(ValueError, match="holds another sweep; choose another out"):
            quiet(make_toy(), ToyConfig(), key, 9, **arguments, out=tmp_path, resume=True)
    assert json.loads((tmp_path / "sweep.json").read_text()) == about
    quiet(make_toy(), ToyConfig(), key, 9, values, 2, out=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"num_things": [1, 2]}, "num_things shapes the program.*run one sweep for each"),
        ({"gama": [0.1]}, "unknown field 'gama'; did you mean gamma?"),
        ({"gamma": [0.1, 0.2], "patience": [1]}, "gamma has 2, patience has 1; grid"),
        ({}, "needs at least one number of one field"),
        ({"gamma": []}, "needs at least one number of one field"),
        ({"gamma": 0.5}, r"gamma needs a list of numbers, such as \[0.1, 0.2\], got 0.5"),
        ({"gamma": "0.5"}, "gamma needs a list of numbers, such as .*, got '0.5'"),
        ({"gamma": np.array(0.5)}, r"gamma needs a list of numbers, got an array of shape \(\)"),
        ({"gamma": jnp.array(0.5)}, r"gamma needs a list of numbers, got an array of shape \(\)"),
        (None, "values must be lists of numbers by the name of their field, .* got None"),
        (["gamma"], r"values must be lists of numbers by the name of their field, .*\['gamma'\]"),
        ({"gamma": [0.5, 1.5]}, "gamma must be between 0 and 1, got 1.5"),
        ({"gamma": [np.float32("nan")]}, "gamma must be a finite number"),
        ({"gamma": ["0.5"]}, "gamma needs numbers, got '0.5'"),
        ({"gamma": [True]}, "gamma needs numbers, got True"),
        (
            {"gamma": np.ones((2, 2))},
            r"gamma needs a list of numbers, got an array of shape \(2, 2",
        ),
        ({"patience": [1.5]}, "patience must be a whole number, got 1.5"),
        ({"patience": [3_000_000_000]}, "patience must be at most 2147483647"),
    ],
)
def test_refuses(values, words, key):
    with pytest.raises(ValueError, match=words):
        quiet(make_toy(), ToyConfig(), key, 5, values)


@pytest.mark.parametrize("size", [True, 2.5, "3", None, 0, -1, 10**10, 10**30])
def test_sizes_are_whole_numbers_and_checked_first(size, key, tmp_path):
    def untouched(config):
        raise AssertionError("nothing is built from a wrong size")

    words = f" must be (a whole number|at least 1|at most [0-9]+), got {size!r}$"
    given = {"num_updates": 5, "values": {"gamma": [0.1, 0.2]}, "out": tmp_path / "run"}
    for name in ("num_updates", "num_seeds", "chunk_updates"):
        if (name, size) == ("chunk_updates", None):
            continue
        with pytest.raises(ValueError, match=f"^sweep: {name}" + words):
            quiet(untouched, ToyConfig(), key, **(given | {name: size}))
    assert not (tmp_path / "run").exists()


def test_members_are_counted_over_all_points(key):
    with pytest.raises(ValueError, match="num_seeds must be at most 1073741823, got 2000000000"):
        quiet(make_toy(), ToyConfig(), key, 5, {"gamma": [0.1, 0.2]}, 2 * 10**9)


def test_a_state_is_refused(key):
    with pytest.raises(ValueError, match="sweep: makes its own states; leave state out"):
        quiet(make_toy(), ToyConfig(), key, 5, {"gamma": [0.1]}, state={})


def test_refuses_what_does_not_fit_before_anything_is_made(key, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="num_seeds must be at least 1, got 0"):
        quiet(make_toy(), ToyConfig(), key, 5, {"gamma": [0.1]}, 0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 9 * 2**20)
    with pytest.raises(ValueError, match="2,000,000,000 learners side by side needs about"):
        quiet(make_toy(), ToyConfig(), key, 5, {"gamma": [0.1, 0.2]}, 10**9, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_final_means_over_episodes():
    from creative_rl.experiment import SweepResult

    metrics = {
        "loss": np.array([[[9.0, 1.0]], [[2.0, 3.0]], [[4.0, 5.0]]]),
        "num_episodes": np.array([[[1, 1]], [[1, 0]], [[3, 0]]]),
        "episode_return": np.array([[[9.0, 9.0]], [[2.0, 0.0]], [[6.0, 0.0]]]),
    }
    result = SweepResult((), {}, {}, metrics, np.zeros((1, 2), bool), "completed", 3)
    np.testing.assert_array_equal(result.final("loss", 2), [[3.0, 4.0]])
    np.testing.assert_array_equal(result.final("episode_return", 2), [[5.0, np.nan]])
    with pytest.raises(ValueError, match="unknown metric 'episode_retrun'; did you mean episode_"):
        result.final("episode_retrun")


def test_grid_is_every_combination():
    assert grid(gamma=[0.1], patience=[1, 2]) == {"gamma": (0.1, 0.1), "patience": (1, 2)}
    assert grid() == {}
    with pytest.raises(ValueError, match=r"^grid: gamma needs a list of numbers, .* got 0.9$"):
        grid(gamma=0.9)
    with pytest.raises(ValueError, match=r"^grid: gamma needs a list .* array of shape \(\)$"):
        grid(gamma=jnp.array(0.9), patience=[1])
