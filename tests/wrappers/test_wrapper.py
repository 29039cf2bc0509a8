"""The base passes everything on, and finds the wrapped environment's state and params."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.testing import check_environment
from creative_rl.typing import Array
from creative_rl.wrappers import AutoReset, EpisodeLog, FlattenActions, NoveltyReward, Wrapper

ENV = crl.make("melody-target-tutorial")


def test_properties_are_the_wrapped_ones():
    wrapped = Wrapper(ENV)
    for name in ("version", "observation_space", "action_space", "horizon"):
        assert getattr(wrapped, name) == getattr(ENV, name)
    assert wrapped.default_params.target.tolist() == ENV.default_params.target.tolist()


def test_a_bare_wrapper_changes_nothing(key):
    params = ENV.default_params
    expected, got = ENV.reset(key, params), Wrapper(ENV).reset(key, params)
    for action in (0, 2, 3, 0, 2, 1):
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), expected, got))
        expected = ENV.step(key, expected[0], jnp.int32(action), params)
        got = Wrapper(ENV).step(key, got[0], jnp.int32(action), params)
    assert bool(got[1].ended) and float(got[1].reward) == 0.0


def test_wrappers_are_hashable_and_share_compilations():
    assert Wrapper(ENV) == Wrapper(crl.make("melody-target-tutorial"))
    assert hash(Wrapper(ENV)) == hash(Wrapper(crl.make("melody-target-tutorial")))
    assert Wrapper(ENV) != EpisodeLog(ENV)


@pytest.mark.parametrize("wrapper", [Wrapper, NoveltyReward, AutoReset, FlattenActions])
@pytest.mark.parametrize("thing", ["grid-path", None, type(ENV)])
def test_only_environments_are_wrapped(wrapper, thing):
    words = f"^{wrapper.__name__}: env must be an environment, such as make.*got {thing!r}$"
    with pytest.raises(ValueError, match=words):
        wrapper(thing)


class CountedState(flax.struct.PyTreeNode):
    inner: object
    count: Array


class CountedParams(flax.struct.PyTreeNode):
    inner: object
    weights: dict[str, Array]
    limit: Array


@dataclasses.dataclass(frozen=True)
class Counted(Wrapper):
    """A wrapper with a state and params of its own: truncates after `limit` steps."""

    @property
    def horizon(self):
        return None

    @property
    def default_params(self):
        inner = self.env.default_params
        return CountedParams(inner, inner.weights, jnp.int32(2))

    def env_state(self, state):
        return state.inner

    def env_params(self, params):
        return params.inner

    def reset(self, key, params):
        state, timestep = self.env.reset(key, params.inner)
        return CountedState(state, jnp.int32(0)), timestep

    def end(self, state, params):
        terminated, truncated = super().end(state, params)
        return terminated, truncated | (state.count >= params.limit)

    def transition(self, key, state, action, params):
        inner, timestep = self.env.transition(key, state.inner, action, params.inner)
        state = CountedState(inner, state.count + 1)
        terminated, truncated = self.end(state, params)
        return state, timestep.replace(terminated=terminated, truncated=truncated)


def test_a_wrapper_that_ends_episodes_itself_absorbs_there(key):
    env = Counted(EpisodeLog(ENV))
    check_environment(env)
    params = env.default_params
    state, _ = env.reset(key, params)
    rewards, ends = [], []
    for action in (0, 2, 3):
        state, timestep = env.step(key, state, jnp.int32(action), params)
        rewards.append(float(timestep.reward))
        ends.append((bool(timestep.terminated), bool(timestep.truncated)))
    assert rewards == [1.0, 1.0, 0.0]
    assert ends == [(False, False), (False, True), (False, True)]
    assert env.work(state, params).events.tolist()[:2] == ENV_EVENTS


ENV_EVENTS = [14, 16]  # the first two notes of the target: 12 above the lowest, coded from 2
