"""Crossover and mutation, by what they leave of the parents."""

import jax.numpy as jnp
import numpy as np

from creative_rl.ops import evolution


def test_a_stretch_comes_from_the_second_parent():
    first = jnp.zeros((4, 6, 2), jnp.int32)
    starts, ends = jnp.array([0, 2, 3, 0]), jnp.array([0, 5, 4, 6])
    made = evolution.crossed(first, first + 1, starts, ends)
    assert made[..., 0].tolist() == [
        [0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1],
    ]  # fmt: skip
    assert (made[..., 0] == made[..., 1]).all()


def test_cuts_are_where_they_may_be_and_as_often_as_asked(key):
    starts, ends = map(np.asarray, evolution.cuts(key, 4000, 5, 0.25))
    assert starts.min() >= 0 and ends.max() <= 5 and (starts <= ends).all()
    # Of 36 pairs of places 6 are equal, which cuts nothing.
    assert abs((starts < ends).mean() - 0.25 * 30 / 36) < 0.03
    starts, ends = evolution.cuts(key, 100, 5, 0.0)
    assert (starts == ends).all()


def test_each_number_is_drawn_anew_with_the_rate(key):
    old, fresh = jnp.zeros((50, 20, 4), jnp.int32), jnp.ones((50, 20, 4), jnp.int32)
    share = float(evolution.resampled(key, old, fresh, 0.1).mean())
    assert abs(share - 0.1) < 0.02
    assert not evolution.resampled(key, old, fresh, 0.0).any()
    assert evolution.resampled(key, old, fresh, jnp.float32(1.0)).all()
