"""What learners refuse before anything is traced, each in one line that tells the way out."""

import math

import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.envs.melody import TargetMelody
from creative_rl.learners import requirements
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset, EpisodeLog

MELODY = crl.make("melody-target-tutorial")


class Chords(TargetMelody):
    @property
    def action_space(self):
        return MultiDiscrete((2, 2))


class MaskedChords(Chords):
    def action_mask(self, state, params):
        return jnp.ones((2, 2), bool)


class Sliders(TargetMelody):
    @property
    def action_space(self):
        return Box(-math.inf, math.inf, (2,))


class Named(TargetMelody):
    @property
    def action_space(self):
        return Dict({"pitch": Discrete(2)})


def refusal(fn, *args):
    with pytest.raises(ValueError) as refused:
        fn(*args)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_discrete_actions_are_counted_and_others_refused():
    assert requirements.num_actions("dqn", MELODY) == 4
    message = refusal(requirements.num_actions, "dqn", Chords())
    assert message.startswith("dqn takes Discrete actions, got MultiDiscrete((2,) * 2)")
    assert message.endswith("wrappers.FlattenActions turns MultiDiscrete into Discrete")


def test_one_of_several_kinds():
    kinds = (Discrete, Box)
    requirements.one_of("sac", MELODY, kinds)
    requirements.one_of("sac", probes.BoxMatchProbe(), kinds)
    message = refusal(requirements.one_of, "sac", Chords(), kinds)
    assert message.startswith("sac takes Discrete or Box actions, got MultiDiscrete((2,) * 2)")


def test_heads_know_the_sizes_of_their_spaces():
    heads = {
        env: requirements.action_head("ppo", env)
        for env in (MELODY, probes.MultiMatchProbe(), probes.BoxMatchProbe())
    }
    assert [head.num_outputs for head in heads.values()] == [4, 5, 4]


@pytest.mark.parametrize("env", [Sliders(), Named()], ids=lambda env: type(env).__name__)
def test_spaces_without_a_head_are_refused_in_the_learners_name(env):
    message = refusal(requirements.action_head, "ppo", env)
    assert message.startswith("ppo: actions must be Discrete, MultiDiscrete or a Box of floats")
    assert message.endswith(str(env.action_space))


def test_masks_on_structured_actions_are_refused_and_on_discrete_ones_not():
    assert requirements.action_head("a2c", Chords()).num_outputs == 4
    message = refusal(requirements.action_head, "a2c", MaskedChords())
    assert message.startswith("a2c knows action masks for Discrete actions only, got one for Multi")
    assert message.endswith("wrappers.FlattenActions turns MultiDiscrete into Discrete")

    class Masked(TargetMelody):
        def action_mask(self, state, params):
            return jnp.ones(12, bool)

    assert requirements.action_head("a2c", Masked()).num_outputs == 12


def test_defaults_that_cannot_be_made_are_not_asked_for_where_params_are_given():
    class Dataless(Chords):
        @property
        def default_params(self):
            raise RuntimeError("no data here")

    with pytest.raises(RuntimeError):
        requirements.action_head("ppo", Dataless())
    given = Chords().default_params
    assert requirements.action_head("ppo", Dataless(), given).num_outputs == 4


def test_environments_that_reset_themselves_are_refused_however_deep():
    requirements.never_resets("ppo", EpisodeLog(MELODY))
    for env in (AutoReset(MELODY), EpisodeLog(EpisodeLog(AutoReset(MELODY)))):
        assert "give it one without AutoReset" in refusal(requirements.never_resets, "ppo", env)


def test_the_steps_of_an_episode():
    endless = crl.make("grid-path")
    assert requirements.episode_steps("reinforce", None, MELODY) == 5
    assert requirements.episode_steps("reinforce", 3, MELODY) == 3
    assert requirements.episode_steps("reinforce", 7, endless) == 7
    message = refusal(requirements.episode_steps, "reinforce", None, endless)
    assert "has no horizon; set num_steps" in message
    assert requirements.fixed_horizon("apg", MELODY) == 5
    assert "take one whose" in refusal(requirements.fixed_horizon, "apg", endless)


@pytest.mark.parametrize(
    ("part", "whole", "nearest"), [(5, 64, 4), (100, 64, 64), (7, 12, 6), (2, 7, 1), (9, 30, 10)]
)
def test_a_part_that_does_not_divide_is_told_the_nearest_that_does(part, whole, nearest):
    message = refusal(requirements.divides, "ppo", "num_minibatches", part, "num_envs", whole)
    assert message == (
        f"ppo: num_minibatches must divide num_envs = {whole}, got {part}; {nearest} does"
    )
    requirements.divides("ppo", "num_minibatches", nearest, "num_envs", whole)


def test_sizes_up_to_their_limit():
    requirements.at_most("sac", "batch_size", 8, "replay_size", 8)
    message = refusal(requirements.at_most, "sac", "batch_size", 9, "replay_size", 8)
    assert message == "sac: batch_size must be at most replay_size = 8, got 9"


def test_what_is_no_environment_is_refused():
    for check in (requirements.num_actions, requirements.action_head):
        for given in ("grid-path", None):
            message = refusal(check, "ppo", given)
            assert message == f"ppo takes an environment, such as make(id) gives, got {given!r}"


def test_a_divisor_is_found_at_once_also_for_a_huge_prime():
    message = refusal(requirements.divides, "ppo", "num_minibatches", 5, "num_envs", 10**9 + 7)
    assert message.endswith("got 5; 1 does")
