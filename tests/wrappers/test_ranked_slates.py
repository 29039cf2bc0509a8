"""Slates by what is preferred."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.testing import check_environment
from creative_rl.wrappers import RankedSlates

SIZES = {"num_topics": 6, "num_candidates": 4, "slate_size": 2, "num_steps": 8}
ENV = crl.make("recommendation-interest", **SIZES)


def test_it_keeps_the_contract():
    check_environment(RankedSlates(ENV), num_steps=10)


def test_weights_rank_topics():
    wrapped, params = RankedSlates(ENV), ENV.default_params
    state, _ = ENV.reset(jax.random.key(0), params)
    state = state.replace(topics=jnp.array([5, 2, 0, 2], jnp.int32))
    key, step, bare = jax.random.key(1), jax.jit(wrapped.step), jax.jit(ENV.step)
    for weights, slate in (
        ([0.5, 0, 1, 0, 0, 0.2], [1, 3]),
        ([0.5, 0, -1, 0, 0, 0.2], [2, 0]),
        ([0, 0, 0, 0, 0, 0], [0, 1]),
    ):
        found, _ = step(key, state, jnp.array(weights, jnp.float32), params)
        expected, _ = bare(key, state, jnp.array(slate, jnp.int32), params)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_single_items_are_ranked_too():
    env = crl.make("recommendation-satisfaction", num_candidates=3, num_steps=2)
    wrapped, params = RankedSlates(env), env.default_params
    state, _ = env.reset(jax.random.key(0), params)
    state, _ = wrapped.step(jax.random.key(1), state, jnp.array([-1.0], jnp.float32), params)
    first = env.reset(jax.random.key(0), params)[0].clickbait.min()
    assert float(state.session.marks[0, 1]) == pytest.approx(float(first), abs=1e-3)


def test_what_ranks_nothing_is_refused():
    with pytest.raises(ValueError, match="TargetMelody has no candidates to recommend"):
        RankedSlates(crl.make("melody-target"))
    with pytest.raises(ValueError, match=r"actions must be places of candidates, .* got Box"):
        RankedSlates(crl.make("drawing-digits"))
    with pytest.raises(ValueError, match=r"one of the 4 candidates, .* got Discrete"):
        RankedSlates(crl.wrappers.FlattenActions(ENV))
