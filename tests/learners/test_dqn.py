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


@pytest.mark.parametrize(("double", "next_value"), [(True, 3.0), (False, 9.0)])
def test_the_loss_of_one_transition_by_hand(double, next_value, key):
    """Identity hidden layers make the head's kernel a table of values by observation."""
    config = dataclasses.replace(
        SMALL, num_envs=1, batch_size=4, hidden_sizes=(3,), learning_starts=0, double=double,
        gamma=0.5,
    )  # fmt: skip
    learner = dqn(crl.make("melody-target-tutorial"), config)
    state = learner.init(key)
    # After the first note the online table likes note 2 best, which the target values at 3.
    online = np.array([[1, 2, 4, 8], [0, 1, 7, 2], [0, 0, 0, 0]], np.float32)
    target = np.array([[0, 0, 0, 0], [9, 1, 3, 2], [0, 0, 0, 0]], np.float32)

    def table(variables, values):
        params = dict(variables["params"])
        params["hidden_0"] = {"kernel": np.eye(3, dtype=np.float32), "bias": np.zeros(3, "f")}
        params["head"] = {"kernel": values, "bias": np.zeros(4, "f")}
        return {"params": jax.tree.map(jax.numpy.asarray, params)}

    state = state.replace(
        variables=table(state.variables, online),
        target_variables=table(state.target_variables, target),
    )
    state, metrics = jax.jit(learner.update)(state)
    item = jax.tree.map(lambda leaf: leaf[0], state.replay.items)
    action, reward = int(item.action[0]), float(item.reward[0])
    assert int(item.observation[0]) == 0 and int(item.next_observation[0]) == 1
    assert reward == float(action == 0)  # the tutorial's first note is 0
    expected = (online[0, action] - (reward + 0.5 * next_value)) ** 2
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-6)
