"""Stable-Baselines3 trains on the gymnasium faces. Skips where it is not installed."""

import numpy as np
import pytest

from creative_rl.interop import to_gymnasium

stable_baselines3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
from creative_rl.interop import to_stable_baselines3  # noqa: E402


@pytest.fixture(autouse=True)
def few_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ppo(env, **keywords):
    settings = {"learning_rate": 3e-3, "batch_size": 64, "seed": 0, "device": "cpu", **keywords}
    return stable_baselines3.PPO("MlpPolicy", env, **settings)


def played(model, env):
    """The return of one episode without exploration."""
    observation, _ = env.reset(seed=1)
    total, ended = 0.0, False
    while not ended:
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, _ = env.step(action)
        total, ended = total + reward, terminated or truncated
    return total


def test_it_learns_a_melody_in_one_environment():
    env = to_gymnasium("melody-target-tutorial")
    model = ppo(env, n_steps=256)
    before = played(model, env)
    model.learn(2_048)
    assert before < 5.0 and played(model, env) == 5.0  # the best there is


def test_it_learns_a_melody_in_a_batch():
    model = ppo(to_stable_baselines3("melody-target-tutorial", 16), n_steps=32)
    model.learn(4_096)
    assert played(model, to_gymnasium("melody-target-tutorial")) == 5.0


def test_truncation_reaches_its_bootstrap(stream):
    """It writes into the rewards where an episode was cut: they must be writable, and its own.

    Each step earns 2 for ever, of which the critic should see beyond the end of one episode.
    """
    envs = to_stable_baselines3(stream, 8)
    model = ppo(envs, n_steps=32, gamma=0.8, gae_lambda=1.0, learning_rate=1e-2)
    model.learn(8 * 32 * 16)
    envs.seed(2)
    observations = torch.as_tensor(envs.reset())
    with torch.no_grad():
        values = model.policy.predict_values(observations)
    # 2 / (1 - 0.8) = 10; were truncation an end: 2 (1 - 0.8^4) / (1 - 0.8) = 5.9.
    assert float(values.mean()) > 7.2


def test_seeds_count_once_and_endings_are_told(stream):
    envs = to_stable_baselines3(stream, 3)
    envs.seed(5)
    first, then = envs.reset(), envs.reset()
    envs.seed(5)
    assert np.array_equal(first, envs.reset()) and not np.array_equal(first, then)
    for _ in range(4):
        observations, rewards, ended, infos = envs.step(np.array([0, 1, 1]))
    assert ended.all() and rewards.tolist() == [0.0, 1.0, 1.0]
    assert [info["TimeLimit.truncated"] for info in infos] == [True] * 3
    assert [info["terminal_observation"][1] for info in infos] == [4.0] * 3
    assert observations[:, 1].tolist() == [0.0] * 3
    assert envs.get_attr("num_envs", [0, 2]) == [3, 3]
    with pytest.raises(AttributeError, match="horizon"):
        envs.get_attr("horizon")
    with pytest.raises(NotImplementedError, match="make another face"):
        envs.set_attr("horizon", 3)
