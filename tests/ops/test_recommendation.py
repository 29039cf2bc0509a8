"""A recommender's users, by hand-computed numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import recommendation as ops


def test_topics_are_those_of_the_source():
    means = ops.topic_qualities(20)
    np.testing.assert_allclose(means[:2], [-3, -3 + 3 / 13], rtol=1e-6)
    np.testing.assert_allclose(means[13:], [0, 0, 0.6, 1.2, 1.8, 2.4, 3.0], rtol=1e-6)


def test_a_choice_is_in_proportion():
    scores = jnp.array([1.0, 0.5, 0.0, 1.5])
    uniform = (jnp.arange(1000, dtype=jnp.float32) + 0.5) / 1000
    choices = jax.vmap(ops.proportional_choice, (None, None, 0))(scores, 2.0, uniform)
    assert np.bincount(choices, minlength=5).tolist() == [400, 200, 100, 0, 300]
    none = jax.vmap(ops.proportional_choice, (None, None, 0))(jnp.zeros(2), 2.0, uniform)
    assert not none.any()
    always = jax.vmap(ops.proportional_choice, (None, None, 0))(jnp.ones(2), 0.0, uniform)
    assert np.bincount(always).tolist() == [0, 500, 500]


@pytest.mark.parametrize(
    ("interest", "rises", "after"),
    [
        (0.0, True, 0.3),
        (0.0, False, -0.3),
        (0.5, True, 0.575),
        (-0.5, True, -0.275),
        (-0.5, False, -0.725),
        (1.0, True, 1.0),
        (-1.0, False, -1.0),
        (-0.9, False, -0.957),
    ],
)
def test_interests_drift(interest, rises, after):
    found = ops.drifted_interest(jnp.float32(interest), jnp.bool_(rises), 0.3)
    assert float(found) == pytest.approx(after, abs=1e-6)


def test_satisfaction():
    assert float(ops.exposed(jnp.float32(2), jnp.float32(0.75), 0.7, jnp.float32(0.1))) == (
        pytest.approx(0.7 * 2 - 0.5 + 0.1)
    )
    assert float(ops.satisfaction(jnp.float32(0), 0.01)) == 0.5
    assert float(ops.satisfaction(jnp.float32(100), 0.01)) == pytest.approx(0.7310586)


def test_repeats_are_empty_places():
    assert ops.first_places(jnp.array([1, 1, 2, 1, 2], jnp.int32)).tolist() == [1, 0, 1, 0, 0]
