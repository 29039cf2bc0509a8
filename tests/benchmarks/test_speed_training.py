"""The race: the contenders' tasks agree, and the goals are read from the right figures."""

import copy

import jax.numpy as jnp
import pytest

from benchmarks import record
from benchmarks.speed import settings, startup, training
from benchmarks.speed.contenders import compiled, five_values, ours, purejaxrl
from benchmarks.speed.rounds import Spread


@pytest.fixture(scope="module")
def narrow():
    return settings.tasks(quick=False)[settings.NARROW]


def test_learning_takes_five_hundred_thousand_steps(narrow):
    steps = narrow.num_updates * narrow.steps_per_update
    assert 0.99 * settings.LEARNING_STEPS <= steps <= settings.LEARNING_STEPS


@pytest.mark.parametrize("quick", [True, False])
def test_both_sides_train_on_as_many_steps(quick):
    for task in settings.tasks(quick).values():
        if isinstance(task, settings.PPOTask):
            learner, config = ours.ppo(task), purejaxrl.ppo_config(task)
            minibatch = task.steps_per_update // config["NUM_MINIBATCHES"]
            assert minibatch * task.num_minibatches == task.steps_per_update
        else:
            learner, config = ours.dqn(task), purejaxrl.dqn_config(task)
            # One gradient step and a whole number of them between copies of the target.
            assert config["TRAINING_INTERVAL"] == learner.steps_per_update
            assert config["TARGET_UPDATE_INTERVAL"] % learner.steps_per_update == 0
        assert config["TOTAL_TIMESTEPS"] == task.num_updates * learner.steps_per_update


def test_the_mean_return_is_over_episodes_of_the_last_updates():
    returns = jnp.concatenate([jnp.full(10, 1000.0), jnp.arange(50.0)])
    weights = jnp.concatenate([jnp.full(10, 7), jnp.zeros(48, jnp.int32), jnp.asarray([1, 3])])
    assert compiled.last_returns(returns, weights) == {"return": (48 + 3 * 49) / 4}


def test_no_finished_episode_is_a_return_of_zero():
    assert compiled.last_returns(jnp.zeros(60), jnp.zeros(60, jnp.int32)) == {"return": 0.0}


def test_five_values_are_copied_as_themselves():
    class Environment:
        name = "theirs"

        def step(self, key, state, action, params):
            info = {"discount": 1.0, "final_observation": 0}
            return 1, state + action, 2.0, jnp.bool_(False), jnp.bool_(True), info

    env = five_values.FiveValues(Environment())
    assert copy.deepcopy({"env": env})["env"] is env
    assert env.name == "theirs"
    observation, state, reward, done, info = env.step(None, 3, 4)
    assert (observation, state, reward, bool(done), info) == (1, 7, 2.0, True, {"discount": 1.0})
    with pytest.raises(AttributeError):
        env.missing  # noqa: B018


def test_a_checkout_without_the_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no ppo.py in the given checkout of purejaxrl"):
        purejaxrl.load(str(tmp_path), "ppo")


@pytest.mark.parametrize(
    ("peer", "words"),
    [("cleanrl", "peers are purejaxrl, rejax, sb3"), ("purejaxrl", "needs its checkout")],
)
def test_bad_peers_are_refused(peer, words, capsys):
    with pytest.raises(SystemExit):
        training.main(["--peer", peer])
    assert words in capsys.readouterr().err


def test_goals_are_read_from_their_own_race():
    findings = training.Findings()
    findings.ratios = {
        (settings.NARROW, "purejaxrl"): 0.9,
        (settings.WIDE, "purejaxrl"): 5.0,
        (settings.NARROW, "sb3"): 25.0,
        (settings.DQN, "rejax"): 9.0,
    }
    findings.cost = 6.0
    findings.returns = Spread(500.0, 490.0, 500.0, 5)
    goals = training.goals(findings)
    assert [(goal.value, goal.reached) for goal in goals] == [
        (0.9, False),
        (25.0, True),
        (None, None),
        (6.0, False),
        (500.0, True),
    ]


def test_quick_training_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)

    class Stub:
        """A worker whose every round takes a second, of two steps for ours, else of one."""

        def __init__(self, module, arguments, python):
            ours, group = module.endswith("ours"), arguments[0]
            self.about = {"build": {"compile": 1.0}, "versions": {"peer": "1"}, "device": "cpu"}
            steps = 2 if ours else 1
            self.report = {"steps": steps, "seconds": 1.0, "cpu_seconds": 1.0}
            self.slow = {**self.report, "seconds": 1.03} if group == "experiment" else self.report

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def run(self, unit, number):
            return self.slow if unit == "kept" else self.report

        def stop(self):
            return {"peak_mib": 1.0}

    monkeypatch.setattr(training, "Worker", Stub)
    training.main(["--quick", "--peer", "purejaxrl=/somewhere"])
    assert list(tmp_path.iterdir()) == []
    training.main(["--peer", "purejaxrl=/somewhere"])
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert "somewhere" not in text
    assert '"command": "python -m benchmarks.speed.training --peer purejaxrl=PATH"' in text
    assert '"what": "ppo-4x128, times purejaxrl",\n   "goal": ">= 1",\n   "value": 2.0' in text
    assert '% more time",\n   "goal": "<= 5",\n   "value": 3.0' in text


def test_start_up_takes_medians_and_writes_when_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    taken = iter(range(1, 100))
    monkeypatch.setattr(startup, "import_seconds", lambda code: 0.5)
    monkeypatch.setattr(startup, "process_seconds", lambda code: 0.5)

    def first_update(cache):
        time = float(next(taken))  # cold 1, 3, 5; cached 2, 4, 6
        return {"trace s": time, "trace + compile s": time}, "cpu"

    monkeypatch.setattr(startup, "first_update", first_update)
    startup.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    taken = iter(range(1, 100))
    startup.main([])
    text = (tmp_path / "startup.json").read_text()
    assert (
        '"first update, empty cache, trace + compile, s",\n   "goal": "<= 8",\n   "value": 3.0'
        in text
    )
    assert 'earlier process, trace + compile, s",\n   "goal": "<= 1.5",\n   "value": 4.0' in text
