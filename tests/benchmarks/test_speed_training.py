"""The race: the contenders' tasks agree, and the goals are read from the right figures."""

import copy
import dataclasses
import json

import jax
import jax.numpy as jnp
import pytest

from benchmarks import readme_tables, record
from benchmarks.speed import ceiling_worker, operations, settings, startup, training
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
        learner = ours.learner_of(task)
        if isinstance(task, settings.SACTask):  # purejaxrl has none
            assert learner.steps_per_update == task.num_envs == 1
            continue
        if isinstance(task, settings.PPOTask):
            config = purejaxrl.ppo_config(task)
            minibatch = task.steps_per_update // config["NUM_MINIBATCHES"]
            assert minibatch * task.num_minibatches == task.steps_per_update
        else:
            config = purejaxrl.dqn_config(task)
            # One gradient step and a whole number of them between copies of the target.
            assert config["TRAINING_INTERVAL"] == learner.steps_per_update
            assert config["TARGET_UPDATE_INTERVAL"] % learner.steps_per_update == 0
        assert config["TOTAL_TIMESTEPS"] == task.num_updates * learner.steps_per_update


@pytest.mark.parametrize("name", [settings.DQN, settings.SAC])
def test_our_rounds_learn_almost_from_their_start(name):
    task = settings.tasks(quick=False)[name]
    assert task.learning_starts <= 0.01 * task.num_updates * task.num_envs


def test_a_recurrent_learner_replays_whole_melodies():
    learner, _ = ours.melody_learner(settings.MELODY_DQN)
    replay = jax.eval_shape(learner.init, jax.random.key(0)).replay
    assert learner.steps_per_update == 16 * 32
    assert replay.capacity == 64_000


def test_operations_of_layers_by_hand():
    # 3 -> 5 -> 2: 15 + 10 weights; backward once more for all weights and for 10 of the inputs.
    assert operations.forward((3, 5, 2)) == 2 * 25
    assert operations.gradient((3, 5, 2)) == 2 * (25 + 25 + 10)


ONCE = {
    # All loops of length one, which the compiler's count needs: it counts a loop's body once.
    "ppo": settings.PPOTask(128, 1, 1, 1, num_epochs=1, num_minibatches=1, hidden_size=256),
    "dqn": settings.DQNTask(1, 1, num_envs=1, learning_starts=0, hidden_sizes=(256, 192)),
    "sac": settings.SACTask((256, 256), 1, 1),
}


@pytest.mark.parametrize("name", ONCE)
def test_operations_are_those_that_the_compiler_counts(name):
    task = ONCE[name]
    learner = ours.learner_of(task)
    state = jax.eval_shape(learner.init, jax.random.key(0))
    counted = jax.jit(learner.update).lower(state).cost_analysis()["flops"]
    expected = operations.per_step(task) * learner.steps_per_update
    if name == "ppo":  # values of what an update led to, and where an episode was cut short
        expected += 2 * task.num_envs * operations.forward((4, 256, 256, 1))
    assert expected < counted < 1.06 * expected


def test_epochs_and_batches_multiply_the_operations_of_learning():
    task = ONCE["ppo"]
    once, twice, thrice = (
        operations.per_step(dataclasses.replace(task, num_epochs=num)) for num in (1, 2, 3)
    )
    assert thrice - twice == twice - once > 2 * (2 * once - twice)
    task = ONCE["dqn"]
    wide = dataclasses.replace(task, batch_size=2 * task.batch_size, num_envs=2)
    assert operations.per_step(wide) == operations.per_step(task)


def test_the_ceilings_products_are_all_done():
    compiled, (rows, there, back), done = ceiling_worker.chain(7, 5, 3, num=4)
    assert done == 4 * 2 * (2 * 7 * 5 * 3)
    # Orthonormal columns: four times there and back is once there and back.
    result = compiled(rows, there, back)
    assert jnp.allclose(result, rows @ there @ back, atol=1e-5)
    assert not jnp.allclose(result, rows, atol=1e-2)


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
        (settings.SAC, "sb3"): 7.0,
        (settings.SAC_WIDE, "sb3"): 3.0,
    }
    findings.cost = 6.0
    findings.returns = Spread(500.0, 490.0, 500.0, 5)
    goals = training.goals(findings)
    assert [(goal.value, goal.reached) for goal in goals] == [
        (0.9, False),
        (25.0, True),
        (None, None),
        (None, None),
        (7.0, True),
        (6.0, False),
        (500.0, True),
        (None, None),
    ]


@pytest.mark.parametrize(("device", "rate"), [("cpu", None), ("NVIDIA H100", 50_000.0)])
def test_the_rate_on_levels_is_a_goal_on_accelerators(device, rate):
    class Stub:
        def __init__(self):
            self.about = {"device": device}

        def stop(self):
            return {"peak_mib": 1.0}

    findings = training.Findings()
    reports = [{"steps": 100_000, "seconds": 2.0, "cpu_seconds": 2.0}]
    findings._add(settings.LEVEL_PPO, "creative_rl", Stub(), reports)
    assert training.goals(findings)[-1].value == rate
    assert findings.rows[0].value == 50_000.0


def test_quick_training_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    started = []

    class Stub:
        """A worker whose every round takes a second, of two steps for ours, else of one."""

        def __init__(self, module, arguments, python, environment=None):
            ours, group = module.endswith("ours"), arguments[0]
            started.append((module.rpartition(".")[2], group))
            self.about = {"build": {"compile": 1.0}, "versions": {"peer": "1"}, "device": "cpu"}
            self.about["per_step"] = 5e8
            steps = 2 if ours else 10 if module.endswith("ceiling_worker") else 1
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
    assert '"what": "ppo-4x128, times purejaxrl",\n   "goal": ">= 1.2",\n   "value": 2.0' in text
    figures = {(row["name"], row["metric"]): row["value"] for row in json.loads(text)["rows"]}
    square = "products of 1024 x 1024"
    assert figures["sac-1x64, ceiling", f"GFLOP/s of one core, {square}"] == 5.0
    assert figures["dqn-10, purejaxrl", f"share of the ceiling, {square}"] == 0.1
    assert figures["dqn-10, creative_rl", f"share of the ceiling, {square}"] == 0.2
    monkeypatch.setattr(readme_tables, "RESULTS", tmp_path)
    shown = readme_tables._result("training")
    assert "| sac-1x64 | 500,000,000 | 5 | 10 | 0.2 | – | – | – |" in shown
    assert "| dqn-10 | 500,000,000 | 5 | 10 | 0.2 | 0.1 | – | – |" in shown
    assert ("purejaxrl", "dqn-10") in started and ("purejaxrl", "sac-1x64") not in started
    assert '% more time",\n   "goal": "<= 5",\n   "value": 3.0' in text
    started.clear()
    training.main(["experiment", "melody-dqn-gru", "dqn-10"])
    assert started == [
        ("ours", "dqn-10"),
        ("ceiling_worker", "dqn-10"),
        ("ours", "melody-dqn-gru"),
        ("ours", "experiment"),
    ]
    assert path.read_text() == text  # a part has a file of its own
    part = tmp_path / "training.experiment+melody-dqn-gru+dqn-10.json"
    goals = json.loads(part.read_text())["goals"]
    assert [goal["value"] for goal in goals] == [None, None, None, None, None, 3.0, None, None]


def test_the_device_is_known_where_only_a_run_is_weighed():
    class Stub:
        def __init__(self):
            self.about = {"device": "NVIDIA X", "versions": {"gymnax": "1"}}

        def run(self, unit, number):
            return {"steps": 1, "seconds": 1.0, "cpu_seconds": 1.0}

    findings = training.Findings()
    findings.weigh_experiment(Stub(), 2)
    assert (findings.device, findings.versions) == ("NVIDIA X", {"gymnax": "1"})


def test_groups_are_those_there_are(capsys):
    with pytest.raises(SystemExit):
        training.main(["cartpole"])
    assert "groups are ppo-4x128, ppo-2048x16, dqn-10, sac-1x64," in capsys.readouterr().err
    assert training.chosen([], quick=True) == (settings.NARROW, settings.DQN, settings.SAC)
    assert training.chosen([], quick=False) == training.GROUPS
    assert training.chosen(["experiment"], quick=True) == ("experiment",)
    words = "--quick has the tasks ppo-4x128, dqn-10, sac-1x64; got sac-1x256: leave --quick out"
    with pytest.raises(SystemExit, match=words):
        training.chosen(["sac-1x256", "dqn-10"], quick=True)


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
