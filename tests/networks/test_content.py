"""The generator of contents: instruction and noise are heard beside observations of any size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.networks import ContentGenerator
from creative_rl.spaces import Box


def spread_over_instructions(side):
    """How far contents of different instructions are apart, over how far different observations
    move them."""
    generator = ContentGenerator(Box(0, 255, (side, side, 1), jnp.uint8), 8, 2, 11)
    rng = np.random.default_rng(0)
    pictures = jnp.asarray(rng.integers(0, 256, (16, side, side, 1), np.uint8))
    variables = generator.init(jax.random.key(0), pictures[0], jnp.int32(0), jnp.zeros(32))
    said = jnp.repeat(jnp.arange(8, dtype=jnp.int32), 16)
    outputs = generator.apply(
        variables, jnp.tile(pictures, (8, 1, 1, 1)), said, jnp.zeros((128, 32))
    )
    table = np.asarray(outputs).reshape(8, 16, -1)
    return table.std(axis=0).mean() / table.std(axis=1).mean()


def test_a_large_observation_does_not_drown_the_instruction():
    # Undamped, the influence of a picture grows with its side: 16 times from 8 to 128 pixels.
    small, large = spread_over_instructions(8), spread_over_instructions(128)
    assert large > 0.2 and small / large < 4


@pytest.mark.parametrize("size", [0.0, 1e3])
def test_outputs_stay_where_a_squashing_has_a_slope(size):
    generator = ContentGenerator(Box(-1e3, 1e3, (3,)), 4, 5, 7, hidden_sizes=(8,))
    observation, noise = jnp.full((6, 3), size), jnp.full((6, 2), size)
    instructions = jnp.zeros(6, jnp.int32)
    variables = generator.init(jax.random.key(0), observation, instructions, noise)
    variables = jax.tree.map(lambda leaf: leaf + 100.0, variables)
    outputs = generator.apply(variables, observation, instructions, noise)
    assert outputs.shape == (6, 5, 7)
    np.testing.assert_allclose(outputs, 5.0, rtol=1e-3)
