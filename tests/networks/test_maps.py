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


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_a_product_with_patches_is_the_convolution(size, stride):
    maps, kernel = normal(2, *size, 3), normal(27, 4, seed=1)
    expected = jax.lax.conv_general_dilated(
        maps,
        kernel.reshape(3, 3, 3, 4),
        (stride, stride),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    found = convolutions.patches(maps, stride) @ kernel
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    alone = convolutions.patches(maps[1], stride) @ kernel
    np.testing.assert_allclose(alone, expected[1], rtol=1e-4, atol=1e-4)


def convolved(params, x, stride):
    """The convolutions' channels of one map, tile by tile in NumPy."""
    x = 2 * x - 1
    for name in sorted(params):
        around = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        rows, columns = (range(0, num, stride) for num in x.shape[:2])
        x = np.array([[around[i : i + 3, j : j + 3].reshape(-1) for j in columns] for i in rows])
        x = np.maximum(x @ params[name]["kernel"] + params[name]["bias"], 0)
    return x


@pytest.mark.parametrize("picture", ["halve", "tiles"])
@pytest.mark.parametrize("num_outputs", [1, 30])
def test_outputs_of_maps_by_hand(picture, num_outputs, key):
    model = Model(MAPS, num_outputs, (6,), activation="relu", picture=picture, channels=(3, 4))
    maps = jnp.asarray(np.random.default_rng(0).integers(0, 2, (2, *MAPS.shape)) * 255, jnp.uint8)
    variables = model.init(key, maps, ())
    params = jax.tree.map(np.asarray, variables["params"])
    x = convolved(params["map_layers"], np.asarray(maps[1]) / 255, 2 if picture == "halve" else 1)
    if picture == "tiles" and num_outputs > 1:
        means = np.broadcast_to(x.mean(axis=(0, 1)), x.shape)
        layer = params["tile_layer"]["Layer_0"]
        x = np.maximum(np.concatenate([x, means], axis=-1) @ layer["kernel"] + layer["bias"], 0)
        assert params["head"]["kernel"].shape == (4, 2)  # for each of 15 tiles
    else:
        hidden = params["hidden_0"]
        x = np.maximum(x.reshape(-1) @ hidden["kernel"] + hidden["bias"], 0)
    expected = (x @ params["head"]["kernel"] + params["head"]["bias"]).reshape(-1)
    outputs, _ = model.apply(variables, maps, ())
    np.testing.assert_allclose(outputs[1], expected, rtol=1e-4, atol=1e-5)
    alone, _ = model.apply(variables, maps[1], ())
    np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5)


def test_a_memory_reads_convolved_maps(key):
    model = Model(MAPS, 4, recurrent="gru", memory_size=5, picture="halve", channels=(3,))
    maps = jnp.asarray(np.random.default_rng(0).integers(0, 2, (3, 1, *MAPS.shape)), jnp.uint8)
    memory = model.init_memory()
    variables = model.init(key, maps[0, 0], memory)
    starts, first = jnp.zeros((3, 1), bool), memory[None]
    outputs, _ = model.apply(variables, maps, starts, first, method="unroll")
    for t in range(3):
        output, memory = model.apply(variables, maps[t, 0], memory)
        np.testing.assert_allclose(outputs[t, 0], output, rtol=1e-5, atol=1e-6)
