"""Every environment of the registry, and every wrapper that keeps the contract, keeps it."""

import dataclasses

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.environment import Environment
from creative_rl.registry import ENVIRONMENTS
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.testing import check_environment, probes
from creative_rl.typing import Array, Term
from creative_rl.wrappers import EpisodeLog, FlattenActions, LikelihoodReward

ALL_PROBES = (*probes.VALUE_PROBES, *probes.ACTION_PROBES, *probes.MEMORY_PROBES)


@pytest.mark.parametrize("id", sorted(ENVIRONMENTS))
def test_registered_environments(id):
    check_environment(crl.make(id))


@pytest.mark.parametrize("probe", ALL_PROBES, ids=lambda probe: type(probe).__name__)
def test_probe_problems(probe):
    check_environment(probe)


# A small environment that uses what the melodies do not: structured actions and observations, a
# mask, randomness in every step, a float state, an open horizon and two weighted terms.


class WalkState(flax.struct.PyTreeNode):
    place: Array  # float32[2], inside -4..4
    step: Array  # int32


class WalkParams(flax.struct.PyTreeNode):
    weights: dict[str, Array]
    noise: Array  # float32


def _closer(seen):
    return jnp.abs(seen.state.place).sum() - jnp.abs(seen.next_state.place).sum()


def _cost(seen):
    return -(seen.action != 1).sum(dtype=jnp.float32)


TERMS = (Term("closer", _closer), Term("cost", _cost, weight=0.1))


@dataclasses.dataclass(frozen=True)
class Walk(Environment):
    """Walk to the origin on noisy legs; terminated there, truncated after ten steps."""

    terms: tuple[Term, ...] = TERMS

    @property
    def observation_space(self):
        return Dict({"place": Box(-4.0, 4.0, (2,)), "step": Discrete(11)})

    @property
    def action_space(self):
        return MultiDiscrete((3, 3))

    @property
    def default_params(self):
        return WalkParams(self.default_weights, jnp.float32(0.1))

    def initial_state(self, key, params):
        return WalkState(Box(1.0, 4.0, (2,)).sample(key), jnp.int32(0))

    def next_state(self, key, state, action, params):
        move = action.astype(jnp.float32) - 1.0 + params.noise * Box(-1.0, 1.0, (2,)).sample(key)
        return WalkState(jnp.clip(state.place + move, -4.0, 4.0), state.step + 1)

    def observe(self, state, params):
        return {"place": state.place, "step": state.step}

    def end(self, state, params):
        return jnp.abs(state.place).sum() < 1.0, state.step >= 10

    def action_mask(self, state, params):
        return jnp.arange(9, dtype=jnp.int32) != 4  # standing still is not allowed

    def work(self, state, params):
        return {"place": state.place}


class Unigram(nn.Module):
    """Log-odds of the next event, whatever the last one was; its memory counts."""

    num: int

    def init_memory(self):
        return jnp.int32(0)

    @nn.compact
    def __call__(self, observation, memory):
        logits = self.param("logits", nn.initializers.normal(1.0), (self.num,))
        return logits, memory + 1


def test_structured_masked_random_environment():
    check_environment(Walk())


@pytest.mark.parametrize("wrap", [EpisodeLog, FlattenActions], ids=lambda wrap: wrap.__name__)
def test_wrappers(wrap):
    check_environment(wrap(Walk()))


def test_likelihood_reward_and_wrappers_of_wrappers():
    env = EpisodeLog(LikelihoodReward(crl.make("melody-target-tutorial"), Unigram(4)))
    params = env.default_params
    weights = {**params.env.weights, "log_likelihood": params.weight}
    check_environment(env, weights=weights)


# The suite can fail: each of these breaks one rule and is caught by a sentence about it.


@dataclasses.dataclass(frozen=True)
class WeakReward(Walk):
    terms: tuple[Term, ...] = (Term("up", lambda seen: jnp.where(seen.action[0] > 0, 1.0, 0.0)),)


class WrongDtype(Walk):
    def next_state(self, key, state, action, params):
        state = super().next_state(key, state, action, params)
        return state.replace(step=state.step.astype(jnp.int16))


class WideDtype(Walk):
    def initial_state(self, key, params):
        # Float32 only because 64-bit mode is off.
        return WalkState(jax.random.uniform(key, (2,)), jnp.int32(0))

    def next_state(self, key, state, action, params):
        return WalkState(jax.random.uniform(key, (2,)), state.step + 1)


class WeakParams(Walk):
    @property
    def default_params(self):
        return WalkParams(self.default_weights, 0.1)


@dataclasses.dataclass(frozen=True)
class NanReward(Walk):
    terms: tuple[Term, ...] = (Term("log", lambda seen: jnp.log(seen.next_state.place[0] - 9)),)


class RestlessEnd(Walk):
    def step(self, key, state, action, params):
        return self.transition(key, state, action, params)


class GoesOnRewarding(Walk):
    def step(self, key, state, action, params):
        next_state, timestep = super().step(key, state, action, params)
        return next_state, timestep.replace(reward=timestep.reward + jnp.float32(1))


class ReusedKey(Walk):
    def next_state(self, key, state, action, params):
        noise = jax.random.normal(key, (2,), jnp.float32)
        return super().next_state(key, state.replace(place=noise), action, params)


class RawKeysDiffer(Walk):
    def reset(self, key, params):
        is_typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        return super().reset(key if is_typed else key[::-1], params)


class MissingTerm(Walk):
    def _timestep(self, *arguments):
        timestep = super()._timestep(*arguments)
        terms = {"closer": timestep.info["reward_terms"]["closer"]}
        return timestep.replace(info={"reward_terms": terms})


class UnweightedReward(Walk):
    def transition(self, key, state, action, params):
        state, timestep = super().transition(key, state, action, params)
        terms = timestep.info["reward_terms"]
        return state, timestep.replace(reward=terms["closer"] + terms["cost"])


class WrongHorizon(Walk):
    horizon = 7


class ObservationOutside(Walk):
    def observe(self, state, params):
        return {"place": state.place * 2, "step": state.step}


class ObservationOfOtherType(Walk):
    def observe(self, state, params):
        return {"place": state.place, "step": state.step.astype(jnp.uint8)}


class OddActionsGiveNan(Walk):
    def next_state(self, key, state, action, params):
        state = super().next_state(key, state, action, params)
        return state.replace(place=state.place + 0 * jnp.sqrt(action.astype(jnp.float32)))


class NothingAllowed(Walk):
    def action_mask(self, state, params):
        return jnp.zeros(9, jnp.bool_)


class ShortMask(Walk):
    def action_mask(self, state, params):
        return jnp.ones(3, jnp.bool_)


class HostRandomness(Walk):
    draws = iter(range(1000))

    def next_state(self, key, state, action, params):
        state = super().next_state(key, state, action, params)
        return state.replace(place=state.place * (1 - next(self.draws) / 1000))


class LargeState(Walk):
    def initial_state(self, key, params):
        return WalkState(jnp.zeros((1 << 19,), jnp.float32), jnp.int32(0))

    def next_state(self, key, state, action, params):
        return state

    def observe(self, state, params):
        return {"place": state.place[:2], "step": state.step}


class EqualByIdentity(Walk):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclasses.dataclass(frozen=True)
class Unhashable(Walk):
    sizes: list = dataclasses.field(default_factory=list)


class NotFiniteWork(Walk):
    def work(self, state, params):
        return {"speed": state.place / state.step}


class RewardAtReset(Walk):
    def reset(self, key, params):
        state, timestep = super().reset(key, params)
        return state, timestep.replace(reward=timestep.reward + jnp.float32(1))


BROKEN = {
    WeakReward: r"the timestep must have the same tree.*reward_terms.*weakly typed",
    WrongDtype: r"the state must have the same tree.*step is int16\[\] and not int32\[\]",
    WideDtype: r"64-bit mode, but there .*place is float64\[2\] and not float32\[2\]",
    WeakParams: r"params must be arrays.*noise is a Python float",
    NanReward: r"every number shown must be finite, but .* is not",
    RestlessEnd: r"a terminal state must absorb, but after a step past the end .*place",
    GoesOnRewarding: r"a terminal state must absorb: .* zero reward",
    ReusedKey: r"must consume every key once",
    RawKeysDiffer: r"reset must treat a raw key as the typed one, but .*place",
    MissingTerm: r"must name every weighted term, \['closer', 'cost'\], but names \['closer'\]",
    UnweightedReward: r"the reward must be the sum of the terms times params.weights",
    WrongHorizon: r"with horizon 7 every episode must end after exactly that many",
    ObservationOutside: r"every observation must lie in observation_space",
    ObservationOfOtherType: r"the timestep's observation has the wrong type: .*uint8",
    OddActionsGiveNan: r"out of range or not allowed must have a defined, finite result",
    NothingAllowed: r"the action mask must allow some action",
    ShortMask: r"the action mask must be bool over all actions.*bool\[3\] and not bool\[9\]",
    HostRandomness: r"step must be a pure function",
    LargeState: r"a state must be small, at most 1048576 bytes, but takes 2097156",
    EqualByIdentity: r"must be equal and hash alike",
    Unhashable: r"must be a hashable dataclass, but unhashable type: 'list'",
    NotFiniteWork: r"a work must be finite at every step",
    RewardAtReset: r"the reward at reset must be zero",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_broken_environments_are_caught(broken):
    with pytest.raises(AssertionError, match=f"(?s){broken.__name__}: .*{BROKEN[broken]}"):
        check_environment(broken(), num_episodes=2)
