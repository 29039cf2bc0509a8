"""Slates by their numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.testing import check_environment
from creative_rl.wrappers import SlateActions

SIZES = {"num_topics": 6, "num_candidates": 4, "slate_size": 2, "num_steps": 8}
ENV = crl.make("recommendation-interest", **SIZES)


def test_it_keeps_the_contract():
    check_environment(SlateActions(ENV), num_steps=10)


def test_a_number_is_a_slate():
    wrapped, params = SlateActions(ENV), ENV.default_params
    assert wrapped.action_space.num == 6
    state, _ = ENV.reset(jax.random.key(0), params)
    key, step, bare = jax.random.key(1), jax.jit(wrapped.step), jax.jit(ENV.step)
    slates = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for number, slate in [*enumerate(slates), (-5, slates[0]), (99, slates[-1])]:
        found, _ = step(key, state, jnp.int32(number), params)
        expected, _ = bare(key, state, jnp.array(slate, jnp.int32), params)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize(
    ("id", "fields", "message"),
    [
        ("melody-target", {}, r"must be slates, MultiDiscrete with equal entries, got Discrete"),
        ("recommendation-interest", {"num_candidates": 99}, r"1 to 16384, got 156849 of 3 of 99"),
    ],
)
def test_what_is_no_slate_is_refused(id, fields, message):
    with pytest.raises(ValueError, match=message):
        SlateActions(crl.make(id, **fields))


def test_learners_of_slates_take_the_places():
    with pytest.raises(ValueError, match=r"SlateActions numbers slates, .* leave the wrapper out"):
        crl.learners.slateq(SlateActions(ENV), crl.SlateQConfig())
