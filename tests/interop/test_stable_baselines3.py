"""Stable-Baselines3 trains on the gymnasium faces. Skips where it is not installed."""

import numpy as np
import pytest

from creative_rl.interop import to_gymnasium, to_gymnasium_vector

stable_baselines3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")
VecEnv = pytest.importorskip("stable_baselines3.common.vec_env").VecEnv


@pytest.fixture(autouse=True)
def few_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Adapter(VecEnv):
    """What Stable-Baselines3 calls a vector environment, around gymnasium's."""

    def __init__(self, envs):
        self.envs = envs  # asked for its attributes by the line below
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self):
        return self.envs.reset(seed=0)[0]

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        observations, rewards, terminated, truncated, info = self.envs.step(self.actions)
        infos = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(terminated | truncated):
            infos[index]["terminal_observation"] = info["final_obs"][index]
            infos[index]["TimeLimit.truncated"] = bool(truncated[index] and not terminated[index])
        return observations, rewards, terminated | truncated, infos

    def close(self):
        self.envs.close()

    def get_attr(self, name, indices=None):
        return [getattr(self.envs, name, None)] * self.num_envs

    def set_attr(self, name, value, indices=None):
        raise NotImplementedError

    def env_method(self, name, *args, indices=None, **keywords):
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * self.num_envs


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
    model = ppo(Adapter(to_gymnasium_vector("melody-target-tutorial", 16)), n_steps=32)
    model.learn(4_096)
    assert played(model, to_gymnasium("melody-target-tutorial")) == 5.0


def test_truncation_reaches_its_bootstrap(stream):
    """It writes into the rewards where an episode was cut: they must be writable, and its own.

    Each step earns 2 for ever, of which the critic should see beyond the end of one episode.
    """
    envs = to_gymnasium_vector(stream, 8)
    model = ppo(Adapter(envs), n_steps=32, gamma=0.8, gae_lambda=1.0, learning_rate=1e-2)
    model.learn(8 * 32 * 16)
    observations = torch.as_tensor(envs.reset(seed=2)[0])
    with torch.no_grad():
        values = model.policy.predict_values(observations)
    # 2 / (1 - 0.8) = 10; were truncation an end: 2 (1 - 0.8^4) / (1 - 0.8) = 5.9.
    assert float(values.mean()) > 7.2
