"""What is measured against plain Python does the same, and all of it."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from benchmarks import record
from benchmarks.speed import environment_worker, environments, plain_loops
from creative_rl.envs.drawing import Drawing
from creative_rl.envs.pixel_animation import PixelAnimation
from creative_rl.spaces import MultiDiscrete
from creative_rl.testing.probes import ActionProbe
from creative_rl.wrappers import FlattenActions

IDS = environments.measured_ids()


def assert_same(plain, observation):
    """Equal, but for the last bits of what is divided."""
    close = functools.partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-6)
    jax.tree.map(close, plain, observation)


@pytest.mark.parametrize("id", IDS)
def test_the_plain_loop_is_the_environment(id, key):
    env = crl.make(id)
    plain = plain_loops.plain(env)
    length = env.horizon or env.num_steps  # at most
    if isinstance(env.action_space, MultiDiscrete):
        env = FlattenActions(env)
    params = env.default_params
    step = jax.jit(env.step)
    actions = np.random.default_rng(0).integers(plain.num_actions, size=(3, length))
    for episode in actions:
        state, timestep = env.reset(key, params)
        plain.reset()
        assert_same(plain.start(state), timestep.observation)
        for number, action in enumerate(episode.tolist()):
            key_step = jax.random.fold_in(key, number)
            state, timestep = step(key_step, state, jnp.int32(action), params)
            plain.foresee(state)
            observation, reward, is_over = plain.step(action)
            assert_same(observation, timestep.observation)
            np.testing.assert_allclose(reward, timestep.reward, rtol=1e-5, atol=1e-5)
            assert is_over == bool(timestep.ended)
            if is_over:
                break
        assert is_over


def test_every_registered_environment_but_those_of_pictures_has_a_plain_loop():
    others = [crl.make(id) for id in set(crl.environment_ids()) - set(IDS)]
    missing = [env for env in others if not isinstance(env, Drawing | PixelAnimation)]
    assert others and not missing, f"without Plain<Class> in tests/reference: {missing}"


def test_plain_loops_start_by_themselves():
    for id in IDS:
        plain = plain_loops.plain(crl.make(id))
        first, second = plain.reset(), plain.step(0)[0]
        assert jax.tree.map(np.shape, first) == jax.tree.map(np.shape, second), id


@pytest.mark.parametrize("env", [3, ActionProbe()])
def test_an_environment_without_one_is_named(env):
    name = type(env).__name__
    message = f"{name} has no plain loop: Plain{name} in tests/reference/.*\\.py"
    with pytest.raises(ValueError, match=message):
        plain_loops.plain(env)


def test_the_bare_loop_earns_what_the_plain_one_does():
    env = crl.make("melody-variety")
    bare = plain_loops.play_bare_variety(env, 2000, seed=0)
    plain = plain_loops.play(plain_loops.plain(env), 2000, seed=1)
    assert bare.steps == plain.steps == 2000 * env.horizon
    error = np.std(plain.returns) * (2 / 2000) ** 0.5
    assert abs(np.mean(bare.returns) - np.mean(plain.returns)) < 5 * error


def test_random_rollouts_earn_their_reward_in_every_step():
    # A random pitch of 12 is the target's one time in 12, at every step.
    env = crl.make("melody-target")
    _, run, steps = environment_worker.random_rollout(env, 64)
    assert steps == 64 * env.horizon
    means = []
    for number in range(3):
        mean, last = run(jax.random.key(number), jnp.int32(20))
        means.append(float(mean))
        assert last.tolist() == [0] * 64  # after 16 steps the phase starts anew
        error = (1 / 12 * 11 / 12 / (20 * steps)) ** 0.5
        assert abs(mean - 1 / 12) < 5 * error
    assert len(set(means)) == 3


def test_actions_differ_by_environment_and_step():
    env = crl.make("melody-variety")
    _, run, _ = environment_worker.random_rollout(env, 32)
    _, last = run(jax.random.key(0), jnp.int32(1))
    assert len({tuple(row) for row in last.tolist()}) == 32
    assert all(len(set(row)) > 3 for row in last.tolist())


def reports(mean, error=0.01, steps=100):
    return [{"mean_reward": mean, "standard_error": error, "steps": steps}] * 4


def test_a_rate_of_undone_work_is_refused():
    environments.check_rewards("same", reports(0.52), reports(0.5))
    environments.check_rewards("few", reports(0.6, steps=9), reports(0.5))
    with pytest.raises(environments.UndoneWork, match=r"same: random actions earn 0\.6"):
        environments.check_rewards("same", reports(0.6), reports(0.5))
    with pytest.raises(
        environments.UndoneWork, match=r"other: random actions earn 0.0000 a step, .* 0.5000"
    ):
        environments.check_rewards("other", reports(0.0), reports(0.5))


def test_goals_take_the_better_threads_and_say_what_was_not_measured():
    rows = [
        record.Row(name, metric, value)
        for name, metric, value in [
            ("melody-variety, default threads, N=1024", "ratio to the plain loop", 90.0),
            ("melody-variety, NPROC=1, N=1024", "ratio to the plain loop", 250.0),
            ("melody-variety, NPROC=1, N=8192", "ratio to the plain loop", 900.0),
            ("dialogue, default threads, N=1024", "steps/s", 9e5),
            ("dialogue, NPROC=1, N=1024", "steps/s", 1.2e6),
            ("dialogue, NPROC=1, N=1", "steps/s", 2e6),
            ("dialogue, NPROC=1, N=1024", "steps/s of processor time", 3e6),
        ]
    ]
    goals = environments.goals(rows)
    assert environments.goals([])[-1].reached is None
    assert [(goal.bound, goal.value, goal.reached) for goal in goals] == [
        (200.0, 250.0, True),
        (300.0, None, None),
        (100.0, None, None),
        (150.0, None, None),
        (400.0, 250.0, False),
        (400.0, None, None),
        (1e6, 1.2e6, True),
    ]


def test_quick_measures_little_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    asked = []

    devices = ["cpu"]

    def measure(id, threads, variables, widths, quick):
        asked.append((id, threads, widths, quick))
        return [record.Row(f"{id}, {threads}", "steps/s", 1e6)], 500.0, devices[0]

    monkeypatch.setattr(environments, "measure", measure)
    environments.main(["--quick", "melody-theory"])
    assert asked == [("melody-theory", "default threads", ("1", "1024"), True)]
    assert list(tmp_path.iterdir()) == []
    environments.main(["melody-theory"])
    assert [entry.name for entry in tmp_path.iterdir()] == ["environments.json"]
    assert "nothing was written" in capsys.readouterr().out
    assert asked[1:] == [
        ("melody-theory", threads, ("1", "64", "1024", "8192"), False)
        for threads in ("default threads", "NPROC=1")
    ]
    asked.clear()
    devices[0] = "NVIDIA X"
    environments.main(["melody-theory", "melody-variety", "--widths", "1024,65536"])
    assert asked == [
        (id, "default threads", ("1024", "65536"), False)
        for id in ("melody-theory", "melody-variety")
    ]
    assert (tmp_path / "environments.nvidia-x.json").exists()


def test_one_that_is_refused_leaves_the_others_their_rows(tmp_path, monkeypatch):
    def measure(id, threads, variables, widths, quick):
        if id == "melody-theory":
            raise environments.UndoneWork(f"{id}, {threads}: differ")
        return [record.Row(f"{id}, {threads}", "steps/s", 1e6)], 500.0, "cpu"

    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(environments, "measure", measure)
    for ids in (["melody-theory"], ["melody-theory", "melody-variety"]):
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(SystemExit, match=r"^melody-theory, default threads: differ$"):
            environments.main(ids)
    rows = json.loads((tmp_path / "environments.json").read_text())["rows"]
    assert {row["name"].partition(",")[0] for row in rows} == {"melody-variety"}


@pytest.mark.parametrize("widths", ["1,64", "1024,0", "1024,1024", "1024,-1", "1024,", ""])
def test_widths_are_whole_numbers_with_the_one_of_the_goals(widths, capsys):
    with pytest.raises(SystemExit):
        environments.main(["--widths", widths])
    words = f"positive whole numbers, 1024 among them; got {widths!r}: give 1,64,1024,8192"
    assert words in capsys.readouterr().err
