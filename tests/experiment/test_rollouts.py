"""Episodes from compiled rollouts are those of a plain loop over the environment."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.environment import Environment
from creative_rl.envs.melody import MelodyParams
from creative_rl.experiment import rollouts
from creative_rl.experiment.rollouts import rollout
from creative_rl.spaces import Discrete
from creative_rl.typing import Learner, Term


def acting(act, init_memory=tuple):
    return Learner(None, None, act, init_memory, 1)


def sampling(state, key, timestep, memory):
    """Actions at random, with a memory that counts."""
    return Discrete(4).sample(key) + 0 * memory, memory + 1


@dataclasses.dataclass(frozen=True)
class Countdown(Environment):
    """From 1 to 5 down to zero: an episode without a horizon; one point a step."""

    terms: tuple[Term, ...] = (Term("point", lambda seen: jnp.float32(1), weight=2.0),)
    observation_space = Discrete(6)
    action_space = Discrete(1)

    @property
    def default_params(self):
        return MelodyParams(self.default_weights)

    def initial_state(self, key, params):
        return 1 + Discrete(5).sample(key)

    def next_state(self, key, state, action, params):
        return state - 1

    def observe(self, state, params):
        return state

    def end(self, state, params):
        return state <= 0, jnp.bool_(False)

    def work(self, state, params):
        return state


def test_a_target_played_from_memory(key):
    env = crl.make("melody-target-tutorial")
    learner = acting(lambda state, key, timestep, memory: (state[memory], memory + 1), lambda: 0)
    state = jnp.array([0, 2, 3, 0, 1])  # the last of the five is wrong
    episodes = rollout(env, env.default_params, learner, state, key, 3)
    np.testing.assert_array_equal(episodes.episode_return, [4, 4, 4])
    np.testing.assert_array_equal(episodes.reward_terms["target_match"], [4, 4, 4])
    np.testing.assert_array_equal(episodes.episode_length, [5, 5, 5])
    assert episodes.ended.all() and episodes.works.events.shape == (3, 5)


def test_equals_a_plain_loop(key):
    env = crl.make("melody-target-tutorial")
    params = env.default_params
    learner = acting(sampling, lambda: jnp.int32(0))
    episodes = rollout(env, params, learner, (), key, 4)
    for i in range(4):
        key_reset, key_steps = jax.random.split(jax.random.fold_in(key, i))
        env_state, timestep = env.reset(key_reset, params)
        total = 0.0
        for keys in jax.random.split(key_steps, (5, 2)):
            action, _ = sampling((), keys[0], timestep, jnp.int32(0))
            env_state, timestep = env.step(keys[1], env_state, action, params)
            total += float(timestep.reward)
        assert episodes.episode_return[i] == total
        np.testing.assert_array_equal(episodes.works.events[i], env.work(env_state, params).events)


def test_episodes_do_not_depend_on_their_number(key, monkeypatch):
    env = crl.make("melody-target-tutorial")
    learner = acting(sampling, lambda: jnp.int32(0))
    seven = rollout(env, env.default_params, learner, (), key, 7)
    monkeypatch.setattr(rollouts, "BATCH_SIZE", 3)
    batches = rollout(env, env.default_params, learner, (), key, 8)
    np.testing.assert_array_equal(seven.works.events, batches.works.events[:7])
    assert batches.episode_return.shape == (8,)


def test_ends_of_their_own(key):
    env = Countdown()
    learner = acting(lambda state, key, timestep, memory: (jnp.int32(0), memory))
    episodes = rollout(env, env.default_params, learner, (), key, 50, max_steps=9)
    assert set(episodes.episode_length.tolist()) == {1, 2, 3, 4, 5} and episodes.ended.all()
    np.testing.assert_array_equal(episodes.episode_return, 2 * episodes.episode_length)
    np.testing.assert_array_equal(episodes.reward_terms["point"], episodes.episode_length)
    cut = rollout(env, env.default_params, learner, (), key, 50, max_steps=2)
    np.testing.assert_array_equal(cut.ended, episodes.episode_length <= 2)
    np.testing.assert_array_equal(cut.episode_length, np.minimum(episodes.episode_length, 2))


def test_refuses_nothing(key):
    env = Countdown()
    with pytest.raises(ValueError, match="num and max_steps must be at least 1, got num=0"):
        rollout(env, env.default_params, acting(sampling), (), key, 0)
