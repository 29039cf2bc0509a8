import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import creative_rl as crl
from creative_rl.spaces import Discrete, MultiDiscrete
from creative_rl.wrappers import FlattenActions, Wrapper

sizes = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple)


@dataclasses.dataclass(frozen=True)
class Structured(Wrapper):
    """Plays the sum of a structured action's entries."""

    nums: tuple[int, ...] = (2, 2)

    @property
    def action_space(self):
        return MultiDiscrete(self.nums)

    def transition(self, key, state, action, params):
        return self.env.transition(key, state, action.sum(), params)


ENV = crl.make("melody-target-tutorial")


@settings(deadline=None, max_examples=25)
@given(sizes)
def test_numbers_and_combinations_are_one_to_one(nums):
    flat = FlattenActions(Structured(ENV, nums))
    num = math.prod(nums)
    assert flat.action_space == Discrete(num)
    actions = jax.vmap(flat.unflatten)(jnp.arange(num, dtype=jnp.int32))
    assert actions.dtype == jnp.int32
    every = list(itertools.product(*map(range, nums)))  # the last entry fastest
    assert [tuple(row) for row in actions.tolist()] == every


@settings(deadline=None, max_examples=25)
@given(sizes, st.data())
def test_numpy_agrees(nums, data):
    index = data.draw(st.integers(0, math.prod(nums) - 1))
    action = FlattenActions(Structured(ENV, nums)).unflatten(jnp.int32(index))
    np.testing.assert_array_equal(action, np.unravel_index(index, nums))


def test_the_wrapped_environment_sees_the_structured_action(key):
    env = FlattenActions(Structured(ENV, (2, 3)))
    params = env.default_params
    state, _ = env.reset(key, params)
    rewards = []
    for index in (0, 4, 5):  # (0, 0), (1, 1), (1, 2): the sums 0, 2, 3 are the target's notes
        state, timestep = env.step(key, state, jnp.int32(index), params)
        rewards.append(float(timestep.reward))
    assert rewards == [1.0, 1.0, 1.0]


def test_other_spaces_and_too_many_combinations_are_refused():
    with pytest.raises(ValueError, match=r"must be MultiDiscrete, got Discrete\(4\)"):
        FlattenActions(ENV)
    FlattenActions(Structured(ENV, (1024, 1024)))
    with pytest.raises(ValueError, match="at most 1048576 combinations, got 1049600"):
        FlattenActions(Structured(ENV, (1024, 1025)))
