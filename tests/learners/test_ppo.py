import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import PPOConfig
from creative_rl.learners import ppo
from creative_rl.spaces import MultiDiscrete
from creative_rl.wrappers import AutoReset, EpisodeLog, LikelihoodReward

SMALL = PPOConfig(num_envs=8, num_steps=8, num_epochs=2, num_minibatches=2)
LSTM = dataclasses.replace(SMALL, recurrent="lstm", memory_size=8)


@pytest.mark.parametrize("config", [SMALL, LSTM], ids=["feed-forward", "lstm"])
def test_the_first_gradient_step_sees_the_policy_that_acted(config, key):
    """Recomputed log-probabilities equal those of the rollout, memories and resets included."""
    config = dataclasses.replace(config, num_epochs=1, num_minibatches=1, num_steps=11)
    learner = ppo(crl.make("melody-theory", length=12), config)
    state = learner.init(key)
    update = jax.jit(learner.update)
    for _ in range(3):  # episodes of 12 in segments of 11: borders fall everywhere
        state, metrics = update(state)
        assert abs(float(metrics["approximate_kl"])) < 1e-6


@pytest.mark.parametrize("config", [SMALL, LSTM], ids=["feed-forward", "lstm"])
def test_learns_a_target_melody(config, key):
    config = dataclasses.replace(config, num_envs=16, num_steps=16, learning_rate=1e-2)
    learner = ppo(crl.make("melody-target", length=8, num_pitches=5), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 80))
    _, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][0]) < 3
    assert float(metrics["episode_return"][-1]) > 7.5


def test_learning_rates_are_numbers_not_programs():
    env = crl.make("melody-target", length=4)

    @jax.jit
    @chex.assert_max_traces(n=1)
    def first_loss(config, key):
        learner = ppo(env, config)
        state, _ = learner.update(learner.init(key))
        return learner.update(state)[1]["value_loss"]

    keys = jax.random.split(jax.random.key(0), 2)
    rates = jnp.array([1e-4, 1e-2])
    configs = dataclasses.replace(SMALL, learning_rate=rates)
    in_axes = dataclasses.replace(jax.tree.map(lambda _: None, SMALL), learning_rate=0)
    population = jax.vmap(first_loss, (in_axes, 0))(configs, keys)
    assert population.shape == (2,) and population[0] != population[1]


def test_a_decayed_learning_rate_stops_learning(key):
    config = dataclasses.replace(SMALL, decay_updates=2, learning_rate=1e-2)
    learner = ppo(crl.make("melody-target", length=4), config)
    update = jax.jit(learner.update)
    states = [learner.init(key)]
    for _ in range(3):
        states.append(update(states[-1])[0])
    head = [np.asarray(s.variables["actor"]["params"]["head"]["kernel"]) for s in states]
    assert np.abs(head[1] - head[0]).max() > 0
    np.testing.assert_array_equal(head[3], head[2])


def test_starts_from_given_variables_and_learns_from_a_likelihood_reward(key):
    env = crl.make("melody-theory", length=12)
    donor = ppo(env, LSTM).init(key).variables["actor"]
    model = crl.networks.Model(env.observation_space, 38, recurrent="lstm", memory_size=8)
    listener = LikelihoodReward(env, model)
    params = listener.init_params(env.default_params, donor, weight=0.5)
    learner = ppo(listener, LSTM, params=params, prior_variables=donor)
    state = learner.init(jax.random.key(5))
    chex.assert_trees_all_equal(state.variables["actor"], donor)
    _, metrics = jax.jit(learner.update)(state)
    # The donor's head is small: the prior is nearly uniform over 38 events.
    np.testing.assert_allclose(metrics["term_log_likelihood"], -np.log(38), atol=0.01)


def test_sizes_that_do_not_divide_are_refused_before_tracing():
    env = crl.make("melody-target")
    with pytest.raises(ValueError, match=r"num_minibatches must divide .* = 64, got 5; 4 does"):
        ppo(env, dataclasses.replace(SMALL, num_minibatches=5))
    with pytest.raises(ValueError, match=r"num_minibatches must divide num_envs = 8, got 16"):
        ppo(env, dataclasses.replace(LSTM, num_minibatches=16))
    with pytest.raises(ValueError, match="learning_rate must be greater than 0, got -1"):
        ppo(env, dataclasses.replace(SMALL, learning_rate=-1.0))


def test_environments_that_reset_themselves_are_refused():
    env = EpisodeLog(AutoReset(crl.make("melody-target")))
    with pytest.raises(ValueError, match="give it one without AutoReset"):
        ppo(env, SMALL)


def test_other_action_spaces_are_refused_with_the_way_out():
    class Chords:
        action_space = MultiDiscrete((2, 3))

    with pytest.raises(ValueError, match="FlattenActions turns MultiDiscrete into Discrete"):
        ppo(Chords(), SMALL)


def test_entropy_in_the_reward_settles_on_the_softmax_of_the_rewards(key):
    """KL control to a uniform prior: the optimum is softmax(reward / c), whatever c's scale."""
    env = crl.make("melody-target", length=1, num_pitches=2)
    params = env.default_params.replace(weights={"target_match": jnp.float32(3.0)})
    config = PPOConfig(
        num_envs=256, num_steps=4, hidden_sizes=(8,), learning_rate=3e-2, entropy_coef=0.0,
        entropy_reward_coef=2.0, decay_updates=150,
    )  # fmt: skip
    learner = ppo(env, config, params=params)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 150))
    _, metrics = run(learner.init(key))
    share = float(metrics["term_target_match"][-20:].mean())
    assert abs(share - 1 / (1 + np.exp(-1.5))) < 0.02
