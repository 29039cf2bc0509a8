"""Networks over maps: convolutions, and outputs tile by tile."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.networks import Model, convolutions
from creative_rl.spaces import Box

MAPS = Box(0, 255, (3, 5, 2), jnp.uint8)


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_a_product_with_patches_is_the_convolution(size):
    maps, kernel = normal(2, *size, 3), normal(27, 4, seed=1)
    layout = ("NHWC", "HWIO", "NHWC")
    expected = jax.lax.conv_general_dilated(
        maps, kernel.reshape(3, 3, 3, 4), (1, 1), "SAME", dimension_numbers=layout
    )
    found = convolutions.patches(maps) @ kernel
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    alone = convolutions.patches(maps[1]) @ kernel
    np.testing.assert_allclose(alone, expected[1], rtol=1e-4, atol=1e-4)


def convolved(params, x):
    """The convolutions' channels of one map, tile by tile in NumPy."""
    x = 2 * x - 1
    for name in sorted(params):
        around = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        rows, columns = (range(num) for num in x.shape[:2])
        x = np.array([[around[i : i + 3, j : j + 3].reshape(-1) for j in columns] for i in rows])
        x = np.maximum(x @ params[name]["kernel"] + params[name]["bias"], 0)
    return x


def test_outputs_of_tiles_by_hand(key):
    model = Model(MAPS, 30, by_tile=True, channels=(3, 4))
    maps = jnp.asarray(np.random.default_rng(0).integers(0, 2, (2, *MAPS.shape)) * 255, jnp.uint8)
    variables = jax.jit(model.init)(key, maps, ())
    params = jax.tree.map(np.asarray, variables["params"])
    x = convolved(params["map_layers"], np.asarray(maps[1]) / 255)
    means = np.broadcast_to(x.mean(axis=(0, 1)), x.shape)
    layer = params["tile_layer"]["Layer_0"]
    x = np.maximum(np.concatenate([x, means], axis=-1) @ layer["kernel"] + layer["bias"], 0)
    assert params["head"]["kernel"].shape == (4, 2)  # for each of 15 tiles
    expected = (x @ params["head"]["kernel"] + params["head"]["bias"]).reshape(-1)
    outputs, _ = jax.jit(model.apply)(variables, maps, ())
    np.testing.assert_allclose(outputs[1], expected, rtol=1e-4, atol=1e-5)
    alone, _ = jax.jit(model.apply)(variables, maps[1], ())
    np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5)
