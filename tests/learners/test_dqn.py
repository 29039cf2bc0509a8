import dataclasses

import jax
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import DQNConfig
from creative_rl.learners import dqn

SMALL = DQNConfig(
    num_envs=4, num_steps=1, batch_size=16, replay_size=64, learning_starts=16, hidden_sizes=(16,),
    target_interval=2, epsilon_steps=1000, learning_rate=3e-3,
)  # fmt: skip
GRU = dataclasses.replace(
    SMALL,
    recurrent="gru",
    memory_size=16,
    num_steps=6,
    replay_size=256,
    batch_size=8,
    target_interval=20,
)


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("config", [SMALL, GRU], ids=["feed-forward", "gru"])
def test_learns_a_target_melody(config, double, key):
    config = dataclasses.replace(config, double=double)
    env = crl.make("melody-target-tutorial")
    learner = dqn(env, config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 600))
    state, _ = run(learner.init(key))
    memory, (env_state, timestep) = learner.init_memory(), env.reset(key, env.default_params)
    total = 0.0
    for _ in range(5):
        action, memory = learner.act(state, key, timestep, memory)
        env_state, timestep = env.step(key, env_state, action, env.default_params)
        total += float(timestep.reward)
    assert total == 5


def test_nothing_is_learned_before_the_start(key):
    learner = dqn(crl.make("melody-target"), dataclasses.replace(SMALL, learning_starts=12))
    update = jax.jit(learner.update)
    state = learner.init(key)
    kernel = np.asarray(state.variables["params"]["head"]["kernel"])
    moved = []
    for _ in range(4):
        state, _ = update(state)
        moved.append(
            bool((np.asarray(state.variables["params"]["head"]["kernel"]) != kernel).any())
        )
    assert moved == [False, False, True, True]


def test_the_target_network_follows_by_interval_and_share(key):
    config = dataclasses.replace(
        SMALL, learning_starts=0, target_interval=3, target_tau=0.25, learning_rate=1e-2
    )
    learner = dqn(crl.make("melody-target"), config)
    update = jax.jit(learner.update)
    state = learner.init(key)
    first = state.target_variables["params"]["head"]["kernel"]
    for _ in range(2):
        state, _ = update(state)
        np.testing.assert_array_equal(state.target_variables["params"]["head"]["kernel"], first)
    state, _ = update(state)
    online = state.variables["params"]["head"]["kernel"]
    np.testing.assert_allclose(
        state.target_variables["params"]["head"]["kernel"], 0.75 * first + 0.25 * online, rtol=1e-5
    )


def test_epsilon_falls_in_a_line(key):
    config = dataclasses.replace(SMALL, epsilon_start=1.0, epsilon_end=0.2, epsilon_steps=16)
    learner = dqn(crl.make("melody-target"), config)
    update = jax.jit(learner.update)
    state, epsilons = learner.init(key), []
    for _ in range(6):
        state, metrics = update(state)
        epsilons.append(float(metrics["epsilon"]))
    np.testing.assert_allclose(epsilons, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rtol=1e-5)


def test_a_replay_below_the_batch_is_refused():
    env = crl.make("melody-target")
    with pytest.raises(ValueError, match="batch_size must be at most replay_size = 8, got 16"):
        dqn(env, dataclasses.replace(SMALL, replay_size=8))
    with pytest.raises(ValueError, match="items added by one update must be at most"):
        dqn(env, dataclasses.replace(SMALL, num_envs=100))


def test_schedules_hold_beyond_two_billion_steps(key):
    learner = dqn(crl.make("melody-target"), SMALL)
    update = jax.jit(learner.update)
    state, _ = update(learner.init(key))
    kernel = np.asarray(state.variables["params"]["head"]["kernel"])
    state, metrics = update(state.replace(num_updates=jax.numpy.int32(2**30)))
    assert abs(float(metrics["epsilon"]) - SMALL.epsilon_end) < 1e-6
    assert (np.asarray(state.variables["params"]["head"]["kernel"]) != kernel).any()
