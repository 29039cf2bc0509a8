"""RL Tuner's table: what every row is paid for, who acts, what is searched, and what is asked."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl
from benchmarks import record
from benchmarks.tables import rl_tuner
from benchmarks.tables.acting import acting
from benchmarks.tables.beam_search import beam_search
from benchmarks.tables.tuner_recipes import ENVIRONMENT, QUICK_TUNERS, TUNERS
from creative_rl import metrics
from creative_rl.configs import DQNConfig
from creative_rl.experiment import demo, rollout
from creative_rl.learners.likelihood import sequence_model


@pytest.fixture(scope="module")
def prior():
    env = creative_rl.make(demo.ENVIRONMENT)
    model = sequence_model(env, demo.PRIOR)
    return model.init(jax.random.key(7), env.observation_space.zeros(), model.init_memory())


def test_a_beam_finds_the_target_and_then_the_next_best(key):
    env = creative_rl.make("melody-target-tutorial")
    returns, actions = beam_search(env, env.default_params, key, 8)
    assert actions[0].tolist() == list(env.target) and returns[0] == 5
    assert returns[1:].tolist() == [4] * 7
    assert len({tuple(row) for row in actions.tolist()}) == 8


def test_a_wide_beam_is_an_exhaustive_search(key):
    env = creative_rl.make("melody-variety", length=3, num_pitches=3, window=3)
    returns, actions = beam_search(env, env.default_params, key, 27)
    assert len({tuple(row) for row in actions.tolist()}) == 27

    def played(row):
        state, total = env.reset(key, env.default_params)[0], 0.0
        for action in row:
            state, timestep = env.step(key, state, action, env.default_params)
            total += float(timestep.reward)
        return total

    np.testing.assert_allclose(returns, [played(row) for row in np.asarray(actions)], rtol=1e-6)
    assert (np.diff(returns) <= 0).all()


def test_rows_are_paid_for_music_theory_and_for_likelihood_as_they_say(key, prior):
    env, params = rl_tuner.judged(prior, {"key": 3.0}, 0.25)
    state, _ = env.reset(key, params)
    _, timestep = jax.jit(env.step)(key, state, 3, params)  # off key
    terms = timestep.info["reward_terms"]
    assert terms["key"] == -1
    theory = sum(
        float(value)
        for name, value in terms.items()
        if name not in ("log_likelihood", "opening", "unlike")
    )
    expected = theory + 2 * float(terms["key"]) + 0.25 * float(terms["log_likelihood"])
    np.testing.assert_allclose(timestep.reward, expected, rtol=1e-5)


def test_the_last_step_costs_what_the_table_calls_autocorrelations(key):
    state, _ = ENVIRONMENT.reset(key, ENVIRONMENT.default_params)
    step = jax.jit(ENVIRONMENT.step)
    paid = []
    for action in jax.random.randint(key, (ENVIRONMENT.horizon,), 0, 38, jnp.int32):
        state, timestep = step(key, state, action, ENVIRONMENT.default_params)
        paid.append(float(timestep.info["reward_terms"]["unlike"]))
    work = ENVIRONMENT.work(state, ENVIRONMENT.default_params)
    found = metrics.rl_tuner_metrics(jax.tree.map(lambda leaf: leaf[None], work))
    assert paid[:-1] == [0.0] * 31 and paid[-1] < 0
    sizes = [abs(found[f"autocorrelation_lag_{lag}"]) for lag in (1, 2, 3)]
    np.testing.assert_allclose(paid[-1], -sum(sizes), rtol=1e-5)


def test_who_acts_by_a_list_plays_it(key, prior):
    env, params = rl_tuner.judged(prior, {}, 1.0)
    actions = jnp.arange(32, dtype=jnp.int32) % 7 + 14
    learner = acting(lambda state, key, step: state[step])
    episodes = rollout(env, params, learner, actions, key, 3)
    np.testing.assert_array_equal(episodes.works.events, np.broadcast_to(actions, (3, 32)))
    found = rl_tuner.measured(episodes)
    assert found["distinct_works"] == 1 / 3 and found["self_bleu"] == 1.0
    assert found["mean_log_p"] < 0


def test_q_is_trained_as_published_and_all_start_from_the_priors_memory():
    by_name = {tuner.name: tuner for tuner in TUNERS}
    q, psi, g = (by_name[name] for name in ("Q", "psi", "G"))
    assert (q.config.gamma, q.config.temperature, q.prior_weight) == (0.5, 0.5, 0.5)
    assert (psi.config.target, g.config.target, g.observe_prior) == ("psi", "g", True)
    steps = q.num_updates * q.config.num_envs * q.config.num_steps
    replayed = q.num_updates * q.config.num_epochs * q.config.batch_size * q.config.sequence_length
    assert steps == pytest.approx(5e5, rel=0.05)
    assert replayed / steps == pytest.approx(32 / 5, rel=0.1)  # 32 every fifth step
    for tuner, short in zip(TUNERS, QUICK_TUNERS, strict=True):
        assert tuner.config.recurrent == demo.PRIOR.recurrent
        assert tuner.config.memory_size == demo.PRIOR.memory_size
        assert short.num_updates * short.config.num_envs < 1e-2 * tuner.num_updates * 32


def test_a_recipe_says_its_settings():
    tuner = rl_tuner.Tuner("x", "dqn", DQNConfig(gamma=0.5), 7, {"key": 2.0}, 0.25)
    assert str(tuner) == "dqn, gamma=0.5, updates=7, weight of log p=0.25, weight of key=2.0"


def figures(**changes):
    published = metrics.RL_TUNER_PUBLISHED["Q"]
    others = {"mean_log_p": -2.0, "distinct_works": 1.0, "self_bleu": 0.1}
    return {**published, **others, **changes}


def test_rows_are_means_beside_the_published_column():
    found = {"prior": [figures(leaps_resolved=0.5), figures(leaps_resolved=0.7)]}
    rows = {row.metric: row for row in rl_tuner.rows(found, {"prior": "how"})}
    leaps = rows["leaps_resolved"]
    assert (leaps.value, leaps.low, leaps.high, leaps.seeds) == (0.6, 0.5, 0.7, 2)
    assert leaps.published == metrics.RL_TUNER_PUBLISHED["Note RNN"]["leaps_resolved"]
    assert rows["self_bleu"].published is None and rows["self_bleu"].source == "how"


def test_goals_are_the_published_figures_in_their_direction():
    def reached(**changes):
        found = {"Q": [figures()], "ppo": [figures(**changes)]}
        return {goal.what: goal.reached for goal in rl_tuner.goals(rl_tuner.rows(found, {}), 60.0)}

    as_published = reached()
    assert len(as_published) == 1 + 11 + 4 + 1
    eleven = [what for what in as_published if "against the published Q" in what]
    assert len(eleven) == 11 and all(as_published[what] for what in eleven)
    worse = reached(mean_log_p=-2.1, autocorrelation_lag_1=0.12, notes_not_in_key=0.02)
    assert [what for what in [*eleven, "ppo: mean log p minus that of Q"] if not worse[what]] == [
        "ppo: autocorrelation lag 1, size, against the published Q",
        "ppo: notes not in key, against the published Q",
        "ppo: mean log p minus that of Q",
    ]
    assert reached(starts_with_tonic=1.0)["ppo: starts with tonic, stretch"]


def test_seeds_below_one_are_refused(capsys):
    with pytest.raises(SystemExit):
        rl_tuner.main(["--seeds", "0"])
    assert "--seeds: must be at least 1, got 0" in capsys.readouterr().err


def test_the_benchmark_from_its_rows_to_its_file(tmp_path, monkeypatch, prior):
    class State:
        best_variables = prior

    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(rl_tuner, "train_prior", lambda *_: (None, State))
    for name in ("played", "tuned", "random_works", "searched"):
        monkeypatch.setattr(rl_tuner, name, lambda *_, **__: [figures(), figures()])
    rl_tuner.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    rl_tuner.main(["--seeds", "2"])
    found = json.loads((tmp_path / "rl_tuner.json").read_text())
    assert found["command"].endswith("rl_tuner --seeds 2")
    names = list(dict.fromkeys(row["name"] for row in found["rows"]))
    assert names == ["prior", "Q", "psi", "G", "ppo", "random", "beam search"]
    assert found["goals"][-1]["reached"]
