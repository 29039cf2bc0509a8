"""gymnax environments as ours; gymnax's own `step_env` is the oracle."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.environment import Environment
from creative_rl.interop import from_gymnax, to_gymnax
from creative_rl.interop.gymnax_environment import GYMNAX_REWARD, GymnaxEnvironment
from creative_rl.spaces import Box, Discrete
from creative_rl.typing import Term
from creative_rl.wrappers import AutoReset

gymnax = pytest.importorskip("gymnax")
LogWrapper = pytest.importorskip("gymnax.wrappers").LogWrapper

# Discrete and continuous actions, pictures, integers, and observations that draw from the key.
COMPARED = ("CartPole-v1", "Pendulum-v1", "Breakout-MinAtar", "FourRooms-misc", "FrozenLake-misc")
# All but the one that downloads its data.
OFFLINE = tuple(name for name in gymnax.registered_envs if "MNIST" not in name)


def balance(observation):
    """Holds up the pole: pushes to where it falls."""
    x, x_dot, theta, theta_dot = observation
    return (0.1 * x + 0.3 * x_dot + 5.0 * theta + theta_dot > 0).astype(jnp.int32)


@pytest.mark.parametrize("name", COMPARED)
def test_a_trajectory_is_gymnaxs_own(name, key):
    env = from_gymnax(name)
    theirs, _ = gymnax.make(name)
    params = env.default_params
    state, timestep = jax.jit(env.reset)(key, params)
    observation, their_state = jax.jit(theirs.reset_env)(key, params.env)
    np.testing.assert_array_equal(timestep.observation, observation)
    step, their_step = jax.jit(env.transition), jax.jit(theirs.step_env)
    for index in range(12):
        key_step = jax.random.fold_in(key, index)
        action = env.action_space.sample(key_step)
        state, timestep = step(key_step, state, action, params)
        observation, their_state, reward, terminated, _ = their_step(
            key_step, their_state, action, params.env
        )
        np.testing.assert_array_equal(timestep.observation, observation)
        assert timestep.observation.dtype == observation.dtype
        assert float(timestep.reward) == float(reward)
        assert float(timestep.info["reward_terms"]["reward"]) == float(reward)
        assert bool(timestep.terminated) == bool(terminated)
        assert bool(timestep.truncated) == bool(theirs.is_truncated(their_state, params.env))
        jax.tree.map(np.testing.assert_array_equal, state.env, their_state)


def test_the_time_limit_of_500_steps_truncates_and_does_not_terminate(key):
    env = AutoReset(from_gymnax("CartPole-v1"))
    params = env.default_params

    def advance(carry, key_step):
        state, timestep = carry
        carry = env.step(key_step, state, balance(timestep.observation), params)
        return carry, (carry[1], carry[0].env.time)

    keys = jax.random.split(key, 501)
    start = jax.jit(env.reset)(keys[0], params)
    _, (timesteps, times) = jax.jit(lambda c, k: jax.lax.scan(advance, c, k))(start, keys[1:])
    assert timesteps.truncated.tolist() == [False] * 499 + [True]
    assert not timesteps.terminated.any()
    assert times.tolist() == [*range(1, 500), 0]  # the next episode has begun
    last, first = timesteps.info["final_observation"][-1], timesteps.observation[-1]
    assert not np.array_equal(last, first) and np.abs(first).max() <= 0.05
    assert float(timesteps.reward.sum()) == 500.0


def test_a_fallen_pole_terminates_and_stays(key):
    env = from_gymnax("CartPole-v1")
    params = env.default_params
    state, timestep = env.reset(key, params)
    step = jax.jit(env.step)
    count = 0
    while not timestep.ended:
        state, timestep = step(key, state, jnp.int32(1), params)
        count += 1
    assert 5 < count < 15 and bool(timestep.terminated) and not timestep.truncated
    again, timestep_again = step(key, state, jnp.int32(1), params)
    jax.tree.map(np.testing.assert_array_equal, again, state)
    assert float(timestep_again.reward) == 0.0 and bool(timestep_again.terminated)
    assert timestep_again.observation.tolist() == timestep.observation.tolist()
    assert env.work(state, params).tolist() == timestep.observation.tolist()


@pytest.mark.parametrize("name", OFFLINE)
def test_reset_and_step_agree_and_observations_are_in_their_space(name, key):
    env = from_gymnax(name)
    params = env.default_params
    assert isinstance(env, Environment) and all(
        isinstance(x, jax.Array) for x in jax.tree.leaves(params)
    )
    action = env.action_space.sample(key)
    with jax.numpy_rank_promotion("allow"):  # which some of theirs rely on
        start = jax.eval_shape(env.reset, key, params)
        after = jax.eval_shape(env.step, key, start[0], action, params)
    described = [
        jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)
        for tree in (start, after)
    ]
    assert described[0] == described[1]
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(after))
    space, observation = env.observation_space, start[1].observation
    assert (space.shape, np.dtype(space.dtype)) == (observation.shape, observation.dtype)
    assert start[1].reward.dtype == jnp.float32 and env.horizon is None


def test_spaces_are_ours():
    env = from_gymnax("CartPole-v1")
    assert env.action_space == Discrete(2)
    assert env.observation_space == Box(-float("inf"), float("inf"), (4,))
    assert from_gymnax("Pendulum-v1").action_space == Box(-2.0, 2.0, (1,))
    assert np.isfinite(env.observation_space.sample(jax.random.key(0), (8,))).all()


def test_equal_names_and_params_make_equal_environments(key):
    env = from_gymnax("CartPole-v1")
    assert env == from_gymnax("CartPole-v1") and hash(env) == hash(from_gymnax("CartPole-v1"))
    assert env == copy.deepcopy(env) == pickle.loads(pickle.dumps(env))
    assert env != from_gymnax("Acrobot-v1")
    lighter = env.source.env.default_params.replace(gravity=1.6)
    assert from_gymnax("CartPole-v1", lighter) != env
    assert from_gymnax("CartPole-v1", lighter) == from_gymnax("CartPole-v1", lighter)
    assert float(from_gymnax("CartPole-v1", lighter).default_params.env.gravity) == pytest.approx(
        1.6
    )
    assert from_gymnax("DeepSea-bsuite", size=5) == from_gymnax("DeepSea-bsuite", size=5)
    assert from_gymnax("DeepSea-bsuite", size=5) != from_gymnax("DeepSea-bsuite", size=6)
    # Instances: by class and attributes, arrays among them.
    made = [from_gymnax(gymnax.make("DeepSea-bsuite", size=size)[0]) for size in (5, 5, 6)]
    assert made[0] == made[1] != made[2] and hash(made[0]) == hash(made[1])
    traces = []

    def start(env, key):
        traces.append(env)
        return env.reset(key, env.default_params)[1].observation

    start = jax.jit(start, static_argnums=0)
    start(env, key), start(from_gymnax("CartPole-v1"), key)
    assert len(traces) == 1


def test_it_can_be_built_while_jax_is_tracing(key):
    def start(key):
        env = from_gymnax("CartPole-v1")
        assert env.observation_space.shape == (4,)
        return env.reset(key, env.default_params)[1].observation

    assert jax.jit(start)(key).shape == (4,)


def test_params_can_be_vmapped_and_terms_added(key):
    upright = Term("upright", lambda seen: jnp.cos(seen.next_state.env.theta))
    source = from_gymnax("CartPole-v1").source
    env = GymnaxEnvironment(terms=(GYMNAX_REWARD, upright), source=source)
    params = env.default_params
    state, _ = env.reset(key, params)
    weights = {"reward": jnp.asarray([1.0, 0.0]), "upright": jnp.asarray([0.0, 2.0])}
    axes = jax.tree.map(lambda _: None, params).replace(weights={"reward": 0, "upright": 0})
    step = jax.vmap(env.step, (None, None, None, axes))
    states, timesteps = step(key, state, jnp.int32(0), params.replace(weights=weights))
    expected = [1.0, 2 * float(jnp.cos(states.env.theta[0]))]
    assert timesteps.reward.tolist() == pytest.approx(expected)


class Countdown:
    """An environment in the manner of gymnax 0.x: `done` has the time limit in it."""

    default_params = gymnax.environments.environment.EnvParams(max_steps_in_episode=2)

    def reset_env(self, key, params):
        return jnp.zeros(3), {"time": 0}

    def step_env(self, key, state, action, params):
        state = {"time": state["time"] + 1}
        done = state["time"] >= params.max_steps_in_episode
        return jnp.full(3, state["time"], jnp.float32), state, jnp.ones(1), done, {}

    def action_space(self, params):
        return gymnax.environments.spaces.Discrete(2)

    def observation_space(self, params):
        return gymnax.environments.spaces.Box(0.0, 9.0, (3,))


def test_the_done_of_older_environments_is_termination(key):
    env = from_gymnax(Countdown())
    assert env == from_gymnax(Countdown())
    params = env.default_params
    state, timestep = env.reset(key, params)
    for ended in (False, True):
        state, timestep = env.step(key, state, jnp.int32(0), params)
        assert bool(timestep.terminated) == ended and not timestep.truncated
        assert timestep.reward.shape == () and float(timestep.reward) == 1.0


def test_truncation_survives_the_way_there_and_back(stream, key):
    env = AutoReset(from_gymnax(to_gymnax(stream)))
    params = env.default_params
    state, timestep = env.reset(key, params)
    flags = []
    for index in range(5):
        state, timestep = env.step(jax.random.fold_in(key, index), state, jnp.int32(2), params)
        flags.append((bool(timestep.terminated), bool(timestep.truncated)))
        assert float(timestep.reward) == 2.0
        assert float(timestep.info["final_observation"][1]) == index % 4 + 1
    assert flags == [(False, index == 3) for index in range(5)]


def test_the_registry_can_make_it():
    assert crl.make("creative_rl.interop:from_gymnax", env="CartPole-v1") == from_gymnax(
        "CartPole-v1"
    )


def test_what_cannot_be_taken_is_refused():
    env, _ = gymnax.make("CartPole-v1")
    with pytest.raises(ValueError, match="environment inside the wrapper"):
        from_gymnax(LogWrapper(env))
    with pytest.raises(ValueError, match=r"go with a name, not an instance; got \['size'\]"):
        from_gymnax(env, size=3)
    with pytest.raises(ValueError, match=r"unknown gymnax .* 'CartPole-v9'; did you .* Cart"):
        from_gymnax("CartPole-v9")

    class Uneven(type(env)):
        def action_space(self, params=None):
            return gymnax.environments.spaces.Box(jnp.asarray([0.0, -1.0]), 1.0, (2,))

    with pytest.raises(ValueError, match="one range"):
        from_gymnax(Uneven())

    class Pair(type(env)):
        def observation_space(self, params):
            return gymnax.environments.spaces.Tuple([super().observation_space(params)])

    with pytest.raises(ValueError, match="no counterpart; Discrete, Box and Dict have"):
        from_gymnax(Pair())
