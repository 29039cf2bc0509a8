"""Attacks on policies of which it is known where they break."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import A2CConfig, DQNConfig, PPOConfig
from creative_rl.experiment import rollout
from creative_rl.experiment.robustness import ATTACKS, attacked_returns
from creative_rl.learners import a2c
from creative_rl.spaces import MultiDiscrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset

BY_HAND = PPOConfig(hidden_sizes=(2,), activation="relu")


def layer(kernel, bias=0.0):
    return {"kernel": jnp.asarray(kernel, jnp.float32), "bias": jnp.full(len(kernel[0]), bias)}


def networks_by_hand(slope):
    """Logits are `slope` times one more than each feature; the value is zero."""
    eye = np.eye(2)
    actor = {"hidden_0": layer(eye, 1.0), "head": layer(slope * eye)}
    critic = {"hidden_0": layer(eye), "head": layer(np.zeros((2, 1)))}
    return {"actor": {"params": actor}, "critic": {"params": critic}}


def attacked(env, config, variables, num=64, params=None, **keywords):
    params = env.default_params if params is None else params
    return attacked_returns(env, params, config, variables, jax.random.key(3), num, **keywords)


@functools.cache
def matching(attack):
    """The mean return of networks by hand at a radius, as one program."""

    def mean_return(variables, radius, weight=1.0):
        env = probes.MatchProbe()
        params = probes.ProbeParams({"reward": jnp.float32(weight)})
        options = dict(params=params, attack=attack, radius=radius)
        return attacked(env, BY_HAND, variables, **options).mean()

    return jax.jit(mean_return)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_policy_is_right_as_often_as_its_worst_logits_say(attack):
    """With logits 4 (2 - r) and 4 (1 + r) the probability is 1 / (1 + exp(8 r - 4)).

    A divergence grows either way, and from half of the starts it leads to the other corner.
    """
    for radius in (0.0, 0.4, 0.75):
        found = float(matching(attack)(networks_by_hand(4.0), radius))
        expected, other = (1 / (1 + np.exp(8 * r - 4)) for r in (radius, -radius))
        if attack == "divergence":
            expected = (expected + other) / 2
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 64)


def test_a_sure_policy_breaks_where_one_hot_entries_no_longer_tell_the_truth():
    """Its probabilities have no gradient in 32 bits, the logarithm of the regret has."""
    variables = networks_by_hand(500.0)
    means = [float(matching("lowest_value")(variables, radius)) for radius in (0.0, 0.45, 0.55)]
    assert means == [1.0, 1.0, 0.0]


def test_the_lowest_value_is_the_reward_and_not_the_policy():
    """Where being right costs, the policy is made to be right still more often."""
    found = float(matching("lowest_value")(networks_by_hand(4.0), 0.4, -1.0))
    expected = -1 / (1 + np.exp(-8 * 0.4 - 4))
    assert abs(found - expected) < 4 * np.sqrt(-expected * (1 + expected) / 64)


def test_without_a_radius_the_episodes_are_like_those_of_a_rollout(key):
    """The same returns in the mean, of a policy with a memory, from another learner."""
    env = crl.make("melody-variety", length=12)
    config = A2CConfig(num_envs=2, num_steps=2, recurrent="gru", memory_size=4)
    learner = a2c(env, config)
    state = learner.init(key)
    plain = rollout(env, env.default_params, learner, state, key, 256).episode_return

    @jax.jit
    def returns(variables):
        options = dict(attack="lowest_value", radius=0.0, num_steps=1)
        return attacked(env, config, variables, 256, **options)

    found = np.asarray(returns(state.variables))
    assert abs(found.mean() - plain.mean()) < 4 * plain.std() * np.sqrt(2 / 256)


@dataclasses.dataclass(frozen=True)
class PairProbe(probes.ActionProbe):
    """With two actions at once."""

    action_space = MultiDiscrete((2, 2))


@pytest.mark.parametrize(
    ("env", "attack", "message"),
    [
        (probes.MatchProbe(), "noise", "attack must be one of divergence, best_action, .*'noise'"),
        (PairProbe(), "lowest_value", "lowest_value needs Discrete actions .* got MultiDiscrete"),
    ],
)
def test_attacks_that_are_not_possible_are_refused(env, attack, message):
    with pytest.raises(ValueError, match=message):
        attacked(env, BY_HAND, networks_by_hand(1.0), attack=attack, radius=0.1)


def test_without_a_critic_there_is_no_lowest_value():
    actor = {"actor": networks_by_hand(1.0)["actor"]}
    with pytest.raises(ValueError, match=r"variables of a critic, got .* and actor; take another"):
        attacked(probes.MatchProbe(), BY_HAND, actor, attack="lowest_value", radius=0.1)


WIDER = dataclasses.replace(BY_HAND, hidden_sizes=(3,))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"env": "match"}, "attacked_returns takes an environment, such as .* got 'match'"),
        ({"env": AutoReset(probes.MatchProbe())}, "give it one without AutoReset"),
        ({"config": DQNConfig()}, "config must be that of a ppo, a2c .* got DQNConfig"),
        ({"config": WIDER}, "of the actor are not of a network with this config's sizes; give"),
        ({"variables": {}}, r"actor among them, as state\.variables, got \[\]"),
        ({"variables": 3}, r"actor among them, as state\.variables, got int"),
        ({"num": 0}, r"num must be a whole number in 1\.\.2147483647, got 0"),
        ({"num_steps": 0}, r"num_steps must be a whole number in 1\.\.10000, got 0"),
        ({"num_steps": 1.5}, r"num_steps must be a whole number in 1\.\.10000, got 1\.5"),
        ({"radius": -0.1}, r"radius must be a finite number of at least 0, got -0\.1"),
        ({"radius": float("nan")}, "radius must be a finite number of at least 0, got nan"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(wrong, message):
    env, variables = probes.MatchProbe(), networks_by_hand(1.0)
    given = {"env": env, "params": env.default_params, "config": BY_HAND, "variables": variables}
    given |= {"key": jax.random.key(0), "num": 2, "attack": "divergence", "radius": 0.1}
    with pytest.raises(ValueError, match=message):
        attacked_returns(**(given | wrong))
