import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.networks import PictureDecoder, PictureEncoder, convolutions
from creative_rl.networks.spectral import spectral_norm


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def as_hwio(kernel, num_channels):
    """Rows (block row, block column, row, column, channel) to [4, 4, C, D]."""
    blocks = kernel.reshape(2, 2, 2, 2, num_channels, -1)
    return blocks.transpose(0, 2, 1, 3, 4, 5).reshape(4, 4, num_channels, -1)


@pytest.mark.parametrize("shape", [(2, 8, 6, 1, 5), (3, 4, 4, 3, 2)])
def test_halving_is_a_strided_convolution(shape):
    batch, height, width, channels, outputs = shape
    pictures, kernel = normal(batch, height, width, channels), normal(16 * channels, outputs)
    expected = jax.lax.conv_general_dilated(
        pictures,
        as_hwio(kernel, channels),
        (2, 2),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    found = convolutions.halve(pictures, kernel)
    assert found.shape == (batch, height // 2, width // 2, outputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 4, 3, 5, 1), (3, 2, 2, 2, 3)])
def test_doubling_is_the_transpose_of_halving(shape):
    batch, height, width, channels, outputs = shape
    pictures, kernel = normal(batch, height, width, channels), normal(channels, 16 * outputs)
    larger = normal(batch, 2 * height, 2 * width, outputs, seed=1)
    found = convolutions.double(pictures, kernel)
    assert found.shape == larger.shape
    there = (found * larger).sum()
    back = (pictures * convolutions.halve(larger, kernel.T)).sum()
    np.testing.assert_allclose(there, back, rtol=1e-4)
    (expected,) = jax.linear_transpose(lambda x: convolutions.halve(x, kernel.T), larger)(pictures)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
def test_products_and_their_gradients_are_those_of_the_plain_form(shape):
    x, kernel = normal(2, 5, shape[0]), normal(*shape, seed=1)

    def loss(multiply, x, kernel):
        return jnp.sin(multiply(x, kernel)).sum()

    expected = jax.grad(loss, (1, 2))(jnp.matmul, x, kernel)
    found = jax.jit(jax.grad(loss, (1, 2)), static_argnums=0)(convolutions.product, x, kernel)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), found, expected
    )
    many = jax.vmap(lambda k: convolutions.product(x, k))(jnp.stack([kernel, 2 * kernel]))
    np.testing.assert_allclose(many[1], 2 * (x @ kernel), rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.integers(1, 8), st.integers(1, 8))
def test_the_spectral_norm_is_the_greatest_singular_value(seed, num_rows, num_columns):
    matrix, vector = normal(num_rows, num_columns, seed=seed), normal(num_columns, seed=seed + 1)
    left, singular, right = np.linalg.svd(np.asarray(matrix, np.float64))
    norms = []
    for _ in range(300):
        norm, vector = spectral_norm(matrix, vector)
        norms.append(float(norm))
    assert max(norms) <= singular[0] * (1 + 1e-5)
    np.testing.assert_allclose(norms[-1], singular[0], rtol=1e-2)
    if len(singular) < 2 or singular[1] < 0.8 * singular[0]:
        slope = jax.grad(lambda m: spectral_norm(m, vector)[0])(matrix)
        np.testing.assert_allclose(slope, np.outer(left[:, 0], right[0]), atol=2e-2)


def test_a_matrix_of_zeros_has_no_norm():
    norm, vector = spectral_norm(jnp.zeros((2, 3), jnp.float32), jnp.ones(3, jnp.float32))
    assert float(norm) == 0.0 and np.isfinite(vector).all()


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("mlp", (5, 3, 1)), ("conv", (8, 8, 1)), ("conv", (28, 28, 1)), ("conv", (32, 16, 3))],
)
def test_shapes_with_any_batch_axes(kind, shape, key):
    sizes = dict(kind=kind, hidden_sizes=(6,), channels=(2, 3))
    decoder, encoder = PictureDecoder(shape, **sizes), PictureEncoder(4, **sizes)
    variables = decoder.init(key, jnp.zeros(7, jnp.float32))
    pictures = decoder.apply(variables, normal(2, 3, 7))
    assert pictures.shape == (2, 3, *shape)
    # Every picture is its own: no statistics of the batch.
    alone = decoder.apply(variables, normal(2, 3, 7)[1, 2])
    np.testing.assert_allclose(pictures[1, 2], alone, rtol=1e-3, atol=1e-4)
    judge = encoder.init(key, pictures[0, 0])
    scores = encoder.apply(judge, pictures)
    assert scores.shape == (2, 3, 4)
    np.testing.assert_allclose(scores[1, 2], encoder.apply(judge, alone), rtol=1e-3, atol=1e-4)


def test_layers_keep_the_size_of_what_passes_through_them(key):
    decoder = PictureDecoder((32, 32, 1), channels=(32, 64), normalize=False)
    latents = normal(64, 100)
    outputs = decoder.apply(decoder.init(key, latents[0]), latents)
    # The head is drawn at half size, and ReLU halves what the variance of 2 / fan-in doubles.
    assert 0.2 < float(outputs[:, 4:-4, 4:-4].std()) < 1.5
    encoder = PictureEncoder(8, channels=(32, 64))
    pictures = jnp.asarray(np.random.default_rng(0).random((16, 32, 32, 1)), jnp.float32)
    scores = encoder.apply(encoder.init(key, pictures[0]), pictures)
    assert 0.05 < float(scores.std()) < 1.0


def test_spectral_normalisation_bounds_the_slope(key):
    encoder = PictureEncoder(1, kind="mlp", hidden_sizes=(16, 16), normalize_spectrum=True)
    pictures = normal(6, 4, 4, 1)
    variables = encoder.init(key, pictures[0])
    before = variables["spectral"]
    for _ in range(50):
        _, moved = encoder.apply(variables, pictures, mutable=["spectral"])
        variables = {**variables, **moved}
    assert not np.allclose(jax.tree.leaves(before)[0], jax.tree.leaves(moved)[0])
    # All layers have norm 1, and pictures enter doubled.
    slopes = jax.grad(lambda x: encoder.apply(variables, x).sum())(pictures)
    lengths = np.linalg.norm(slopes.reshape(6, -1), axis=1)
    assert lengths.max() <= 2 * 1.02 and lengths.max() > 0.1


@pytest.mark.parametrize("channels", [(4, 8), (4, 8, 16)])
def test_pictures_that_cannot_be_halved_are_refused(channels, key):
    message = rf"{len(channels)} convolutions .* divisible by {2 ** len(channels)}, got 28 x 30; "
    with pytest.raises(ValueError, match=message + "network='mlp' takes any size"):
        PictureEncoder(1, channels=channels).init(key, jnp.zeros((28, 30, 1), jnp.float32))
    with pytest.raises(ValueError, match=message):
        PictureDecoder((28, 30, 1), channels=channels).init(key, jnp.zeros(4, jnp.float32))
