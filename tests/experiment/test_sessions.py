"""Runs of the real learners from start to works."""

import json
import types

import jax
import numpy as np
import pytest

import creative_rl as crl
from creative_rl import configs, registry, spaces, works, wrappers
from creative_rl.experiment import (
    RunSpec,
    assembly,
    best,
    checkpoint,
    create,
    evaluate,
    open_run,
    opening,
    preparation,
    resume,
    session,
    start,
)
from creative_rl.stores.sequences import Sequences

QUIET = {"progress": False, "loggers": []}
TUTORIAL = RunSpec(
    "melody-target-tutorial",
    "ppo",
    configs.PPOConfig(num_envs=8, num_steps=5, num_minibatches=2, hidden_sizes=(8,)),
    num_seeds=2,
    num_updates=6,
)


@pytest.fixture(scope="module")
def tutorial_run(tmp_path_factory):
    run, result = start(TUTORIAL, tmp_path_factory.mktemp("runs") / "tutorial", **QUIET)
    return run, result


def same(a, b):
    raw = lambda leaf: np.asarray(  # noqa: E731
        jax.random.key_data(leaf) if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
    )
    return all(
        np.array_equal(raw(x), raw(y))
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def test_resume_is_bit_equal_with_a_real_learner(tutorial_run, tmp_path):
    _, whole = tutorial_run
    steps = 40  # in an update
    run, first = start(TUTORIAL, tmp_path / "run", total_steps=2 * steps + 1, **QUIET)
    assert first.num_updates == 3  # rounded up
    run, second = resume(run.path, total_steps=6 * steps, **QUIET)
    assert same(whole.state, second.state)
    assert run.spec.num_updates == 6 and run.status == {"status": "completed", "num_updates": 6}
    _, nothing = resume(run.path, **QUIET)
    assert nothing is None
    with pytest.raises(ValueError, match="has 240 steps already, got --steps 40"):
        resume(run.path, total_steps=40, **QUIET)


def test_seed_rows_are_single_runs(tutorial_run):
    learner = open_run(tutorial_run[0].path).learner
    alone = crl.train(learner, jax.random.key(1), 6, progress=False)
    np.testing.assert_allclose(
        alone.metrics["entropy"], tutorial_run[1].metrics["entropy"][:, 1], rtol=1e-3
    )


def test_evaluate_writes_a_table(tutorial_run):
    run, _ = tutorial_run
    rows = {row.measure: row for row in evaluate(run.path, 32).rows}
    assert (rows["length"].mean, rows["length"].low, rows["length"].high) == (5, 5, 5)
    assert 0 <= rows["return"].low <= rows["return"].mean <= rows["return"].high <= 5
    assert rows["term_target_match"].mean == rows["return"].mean
    table = json.loads((run.path / "evaluation.json").read_text())
    assert [row[0] for row in table["rows"]] == list(rows) and "2 seeds" in table["notes"][0]


def test_the_best_checkpoint_is_loaded(tutorial_run, monkeypatch):
    """Of two seeds, by the mean over them."""
    run, result = tutorial_run
    opened = open_run(run.path)
    updates = checkpoint.updates(run.checkpoints)
    assert updates == [0, 6]
    rows = [{"update": n, "num_episodes": 9, "episode_return": [4.0, 0.0]} for n in range(1, 7)]
    with monkeypatch.context() as patch:
        patch.setattr(best, "read_records", lambda path: rows)
        assert opening.update_of(run, "best") == 6  # of the first nothing is known
        rows.insert(0, {"update": 0, "num_episodes": 9, "episode_return": [1.0, 4.0]})
        assert opening.update_of(run, "best") == 0
        assert same(opening.load_states(opened, "best"), opening.load_states(opened, 0))
        rows.clear()
        with pytest.raises(ValueError, match=r"no metric tells which .*; take latest, or .*0, 6\]"):
            opening.load_states(opened, "best")
    assert same(opening.load_states(opened), result.state)
    assert opening.update_of(run, "latest") is None
    for which in ("newest", True, 2.0):
        with pytest.raises(ValueError, match="it is latest, best or an update, got"):
            opening.load_states(opened, which)


def test_create_writes_works_that_are_what_the_index_says(tutorial_run):
    run, _ = tutorial_run
    for _ in range(2):  # the second time takes the first one's place
        index = create(run.path, 3, num_best=2)
    assert [work["name"] for work in index] == [
        "best-00", "best-01", "sample-00", "sample-01", "sample-02",
    ]  # fmt: skip
    assert json.loads((run.works / "index.json").read_text()) == index
    target = np.array([0, 2, 3, 0, 2])
    for work in index:
        melody = works.load(run.works / work["files"]["json"])
        matches = (melody.events - melody.events.min() == target - target.min()).sum()
        if melody.events.min() == 14:  # pitch class 0, middle C
            assert work["scores"]["return"] == matches
    files = {name for work in index for name in work["files"].values()} | {"index.json"}
    assert {path.name for path in run.works.iterdir()} == files
    assert index[0]["scores"]["return"] >= max(work["scores"]["return"] for work in index)
    assert not [path for path in run.path.iterdir() if path.name.startswith(".")]


@pytest.fixture(scope="module")
def prior_run(tmp_path_factory):
    """A likelihood run on 40 copies of a scale."""
    scale = np.tile(14 + np.arange(33, dtype=np.uint8) % 8, (40, 1))
    patch = pytest.MonkeyPatch()
    corpus = types.SimpleNamespace(sequences=Sequences(scale[:32], scale[32:]))
    patch.setattr(preparation, "load_corpus", lambda spec: corpus)
    config = configs.LikelihoodConfig(batch_size=8, num_steps=5, memory_size=8)
    spec = RunSpec("melody-theory", "likelihood", config, corpus="scales", num_updates=3)
    run, _ = start(spec, tmp_path_factory.mktemp("runs") / "prior", **QUIET)
    patch.undo()
    return run


PPO = configs.PPOConfig(num_envs=4, num_steps=8, num_minibatches=2)


def test_likelihood_run_needs_its_corpus_only_once(prior_run):
    assert prior_run.spec.corpus_sizes == (32, 8, 33)
    run, result = resume(prior_run.path, total_steps=4 * 40, **QUIET)
    assert result.num_updates == 4 and (np.asarray(result.state.sequences.train) == 14).any()
    assert evaluate(run.path, 8).rows[0].measure == "return"


def test_a_corpus_must_have_the_environments_events():
    spec = RunSpec(
        "melody-variety",
        "dqn_gan",
        configs.DQNGANConfig(),
        corpus="default",
        corpus_sizes=(8, 2, 17),
    )
    with pytest.raises(ValueError, match=r"a corpus has 38 events, .*; got Discrete\(.*12"):
        assembly.build(spec)


def test_what_no_corpus_can_mend_is_refused_before_one_is_read():
    horizonless = types.SimpleNamespace(action_space=spaces.Discrete(3), horizon=None)
    for env, message in (
        (wrappers.AutoReset(crl.make("melody-theory")), "give it one without AutoReset"),
        (horizonless, "to a horizon, and this environment has none"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "make", lambda *_, env=env, **__: env)
            with pytest.raises(ValueError, match=message):
                assembly.check(RunSpec("melody-theory", "music_vae", corpus="no-such-corpus"))


def test_a_corpus_is_found_from_everywhere(tmp_path, monkeypatch):
    windows = Sequences(np.zeros((3, 33), np.uint8), np.zeros((2, 33), np.uint8))
    corpus = types.SimpleNamespace(sequences=windows)
    monkeypatch.setattr(preparation, "load_corpus", lambda spec: corpus)
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "default"):
        (tmp_path / name).mkdir()
    found = [
        preparation.prepare(RunSpec("melody-theory", "likelihood", corpus=name))[0].corpus
        for name in ("mine", "default", "bach-sopranos")
    ]
    assert found == [str(tmp_path / "mine"), "default", "bach-sopranos"]


def test_tuned_run_is_whole_without_its_prior(prior_run, tmp_path, monkeypatch):
    prior = tmp_path / "prior"
    prior.symlink_to(prior_run.path)
    monkeypatch.chdir(tmp_path)
    spec = RunSpec("melody-theory", "ppo", PPO, num_updates=2, prior="prior", prior_weight=3.0)
    run, first = start(spec, tmp_path / "tuned", **QUIET)
    assert (run.spec.config.recurrent, run.spec.config.memory_size) == ("lstm", 8)
    assert run.spec.prior == str(prior)
    assert float(first.state.env_params.weight) == 3.0
    best = opening.load_states(open_run(prior)).best_variables
    assert same(jax.tree.map(lambda leaf: leaf[0], best), first.state.env_params.variables)
    prior.unlink()
    _, second = resume(run.path, total_steps=3 * 32, **QUIET)
    assert same(first.state.env_params, second.state.env_params)
    assert "term_log_likelihood" in {row.measure for row in evaluate(run.path, 4).rows}


def test_prior_that_does_not_fit(prior_run, tutorial_run):
    path = str(prior_run.path)
    with pytest.raises(ValueError, match="is a run of ppo; it must be one of likelihood"):
        session.prepare(RunSpec("melody-theory", "ppo", prior=str(tutorial_run[0].path)))
    with pytest.raises(
        ValueError, match=r"models melody-theory .* but the run is of melody-target"
    ):
        session.prepare(RunSpec("melody-target", "ppo", prior=path))
    gru = configs.PPOConfig(recurrent="gru")
    with pytest.raises(ValueError, match=r"recurrent is 'lstm' in the prior, .* got 'gru'"):
        session.prepare(RunSpec("melody-theory", "ppo", gru, prior=path))
    with pytest.raises(ValueError, match=r"memory_size is 8 in the prior, .* got 100"):
        session.prepare(RunSpec("melody-theory", "ppo", prior=path), given=["memory_size"])
    with pytest.raises(ValueError, match="there is no run"):
        session.prepare(RunSpec("melody-theory", "ppo", prior=f"{path}-none"))
    transformer = configs.LikelihoodConfig(recurrent="transformer", memory_size=8, context=16)
    with pytest.raises(ValueError, match="transformer's, which the replay of dqn does not keep"):
        preparation._with_memory_of(transformer, configs.DQNConfig(), [])
    config = preparation._with_memory_of(transformer, configs.PPOConfig(), [])
    assert (config.recurrent, config.memory_size, config.context) == ("transformer", 8, 16)
    with pytest.raises(ValueError, match="is not known; prepare the spec"):
        assembly.build(RunSpec("melody-theory", "ppo", prior=path))
