"""What learners reach: the same measure for all, its interval, and what is asked of it."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import readme_tables, record
from benchmarks.speed.contenders import five_values
from benchmarks.tables import learner_tasks, learners
from benchmarks.tables.contenders import ours, sb3
from benchmarks.tables.learner_tasks import TASKS, Recipe
from creative_rl.typing import Learner


@pytest.mark.parametrize("name", TASKS)
def test_our_recipes_take_the_steps_that_the_peers_take(name):
    task = TASKS[name]
    for recipe in task.recipes:
        if recipe.library == learner_tasks.OURS:
            learner, num_updates = ours.make_learner(name, recipe, task.num_steps)
            steps = num_updates * learner.steps_per_update
            assert 0.99 * task.num_steps <= steps <= task.num_steps


def test_a_recipe_says_its_settings():
    recipe = Recipe("creative_rl", "ppo", {"num_envs": 4, "learning_rate": 1e-3}, decays=True)
    assert str(recipe) == "creative_rl ppo, num_envs 4, learning_rate 0.001, decay"


def test_returns_are_those_of_episodes_in_the_last_fifth(key):
    # Update t of seed s ends t episodes of return 100 s + t.
    def update(state):
        seed, time = state
        metrics = {"episode_return": 100.0 * seed + time, "num_episodes": time.astype(jnp.int32)}
        return (seed, time + 1), metrics

    def init(key):
        return jax.random.key_data(key)[-1].astype(jnp.float32), jnp.float32(0)

    learner = Learner(init, update, None, None, 1)
    keys = jax.random.wrap_key_data(jnp.asarray([[0, 1], [0, 5]], jnp.uint32))
    found = ours.returns_of_seeds(learner, 20, keys)
    last = sum(t * t for t in range(16, 20)) / sum(range(16, 20))
    np.testing.assert_allclose(found, [100 + last, 500 + last], rtol=1e-6)


def test_a_torch_peers_last_episodes_are_told_by_where_they_end():
    # Ends at 50, 80, 95 and 100 of 100 steps: the last two are past 80.
    assert sb3.last_return([1.0, 2.0, 4.0, 8.0], [50, 30, 15, 5], 100) == 6.0


def test_rejax_counts_whole_episodes():
    pytest.importorskip("rejax")
    from benchmarks.tables.contenders import rejax

    with jax.numpy_rank_promotion("allow"):
        env, params = five_values.make("Pendulum-v1")
        counted = rejax.CountsReturns(env)
        key = jax.random.PRNGKey(0)
        _, state = counted.reset(key, params)

        def step(state, key):
            _, state, reward, done, _ = counted.step(key, state, jnp.zeros(1), params)
            return state, (reward, done)

        state, (rewards, done) = jax.lax.scan(step, state, jax.random.split(key, 450))
    assert np.flatnonzero(done).tolist() == [199, 399]
    assert state.num == 2
    np.testing.assert_allclose(state.total, rewards[:400].sum(), rtol=1e-4)
    np.testing.assert_allclose(state.running, rewards[400:].sum(), rtol=1e-4)


def test_the_interval_is_that_of_a_normal_mean_and_of_equal_seeds_a_point():
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    low, high = learners.interval(values)
    error = 1.96 * values.std() / 400**0.5
    np.testing.assert_allclose([low, high], [values.mean() - error, values.mean() + error], 0.01)
    assert learners.interval([500.0] * 10) == (500.0, 500.0)


def learned(environment, number, returns):
    job = learners.Job(environment, number, 1000, len(returns), None)
    return learners.Learned(job, 1000, returns, {})


def test_a_goal_compares_our_first_learner_with_the_best_peer():
    found = [
        learned("Pendulum-v1", 0, [-150.0, -160.0]),
        learned("Pendulum-v1", 1, [-200.0, -210.0]),
        learned("Pendulum-v1", 2, [-153.0]),
        learned("CartPole-v1", 0, [500.0]),
        learned("CartPole-v1", 1, [400.0]),
    ]
    by_name = {goal.what: goal for goal in learners.goals(found)}
    pendulum = by_name["Pendulum-v1, sac: mean return minus the best peer's"]
    assert (pendulum.value, pendulum.reached) == (-2.0, False)
    assert by_name["CartPole-v1, ppo: mean return minus the best peer's"].reached is None
    assert len(by_name) == len(TASKS)


def test_peers_are_trained_where_asked_and_quick_runs_are_short():
    found = learners.jobs(TASKS, {"sb3": "python"}, quick=False)
    assert {job.recipe.library for job in found} == {"creative_rl", "sb3"}
    assert [job.place for job in found if job.recipe.library == "sb3"] == ["python"]
    assert {job.num_seeds for job in found if job.recipe.library == "creative_rl"} == {10}
    (job,) = learners.jobs(["Acrobot-v1"], {}, quick=True)
    assert (job.num_steps, job.num_seeds) == (50_000, 2)


def test_a_seed_without_a_return_is_refused(monkeypatch):
    monkeypatch.setattr(learners, "Worker", stub(float("nan")))
    with pytest.raises(RuntimeError, match="Acrobot-v1, ppo, creative_rl: a seed has no return"):
        learners.learn(learners.Job("Acrobot-v1", 0, 1000, 2, None))


def stub(value):
    class Stub:
        """A worker of seeds that all return `value`; peers' are one worse."""

        def __init__(self, module, arguments, python, environment, limit_seconds):
            self.about = {"device": "cpu"} if module.endswith("ours") else {"versions": {"p": "1"}}
            self.value = value if module.endswith("ours") else value - 1
            self.steps, self.num_seeds = int(arguments[2]), int(arguments[3])

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def run(self, unit):
            return {"steps": self.steps, "returns": [self.value] * self.num_seeds}

    return Stub


def test_the_benchmark_from_its_processes_to_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(learners, "Worker", stub(100.0))
    learners.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    learners.main(["--peer", "purejaxrl=/somewhere", "--peer", "rejax"])
    text = (tmp_path / "learners.json").read_text()
    found = json.loads(text)
    assert "somewhere" not in text
    assert [row["name"] for row in found["rows"]][:2] == [
        "CartPole-v1, ppo, creative_rl",
        "CartPole-v1, a2c, creative_rl",
    ]
    assert all(goal["value"] == 1.0 and goal["reached"] for goal in found["goals"])
    assert found["rows"][0]["seeds"] == 10
    assert found["rows"][0]["source"].startswith("creative_rl ppo, num_envs")
    monkeypatch.setattr(readme_tables, "RESULTS", tmp_path)
    shown = readme_tables._result("learners")
    assert "| Pendulum-v1, sac, rejax | 99 | 99 | 99 | 10 |" in shown
    assert "| Acrobot-v1, ppo: mean return minus the best peer's | >= 0 | 1 | yes |" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Pong"], "environments are CartPole-v1, Acrobot-v1, Pendulum-v1, Breakout-MinAtar"),
        (["--peer", "cleanrl"], "peers are purejaxrl, rejax, sb3"),
    ],
)
def test_bad_arguments_are_refused(arguments, words, capsys):
    with pytest.raises(SystemExit):
        learners.main(arguments)
    assert words in capsys.readouterr().err
