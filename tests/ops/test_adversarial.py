import inspect
import typing

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_rl.configs import generative
from creative_rl.ops import adversarial, augmentation

LOG3 = float(np.log(3.0))
# Scores whose sigmoids are 3/4 and 1/4.
REAL, FAKE = jnp.float32(LOG3), jnp.float32(-LOG3)


@pytest.mark.parametrize(
    ("kind", "discriminator", "generator"),
    [
        ("non_saturating", -2 * np.log(0.75), -np.log(0.25)),
        ("least_squares", 0.5 * ((LOG3 - 1) ** 2 + LOG3**2), 0.5 * (LOG3 + 1) ** 2),
        ("hinge", 0.0, LOG3),
        ("wasserstein", -2 * LOG3, LOG3),
    ],
)
def test_losses_by_hand(kind, discriminator, generator):
    found = adversarial.discriminator_loss(kind, REAL, FAKE), adversarial.generator_loss(kind, FAKE)
    np.testing.assert_allclose(found, (discriminator, generator), rtol=1e-6)


def test_the_hinge_counts_only_what_is_inside_the_margin():
    real, fake = jnp.float32([2.0, 0.5, -1.0]), jnp.float32([-2.0, -0.5, 1.0])
    np.testing.assert_allclose(
        adversarial.discriminator_loss("hinge", real, fake), [0.0, 0.5 + 0.5, 2.0 + 2.0]
    )


KINDS = ("non_saturating", "least_squares", "hinge", "wasserstein")


def test_the_configs_offer_the_losses_that_there_are():
    offered = typing.get_args(generative.AdversarialLoss)
    assert offered == typing.get_args(adversarial.AdversarialLoss) == KINDS


def test_an_unknown_loss_is_refused():
    # The annotations, which the tests run, refuse it before the function does.
    message = "loss must be one of non_saturating, least_squares, hinge, wasserstein, got 'best'"
    for loss, scores in (
        (adversarial.discriminator_loss, (REAL, FAKE)), (adversarial.generator_loss, (FAKE,)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            inspect.unwrap(loss)("best", *scores)


scores = st.floats(-50, 50, width=32)


@given(st.sampled_from(KINDS), scores, scores)
def test_losses_are_what_numpy_computes_in_double(kind, real, fake):
    def nll(score):  # -log sigmoid
        return np.logaddexp(0, -np.float64(score))

    expected = {
        "non_saturating": (nll(real) + nll(-fake), nll(fake)),
        "least_squares": ((real - 1) ** 2 / 2 + fake**2 / 2, (fake - 1) ** 2 / 2),
        "hinge": (max(0, 1 - real) + max(0, 1 + fake), -fake),
        "wasserstein": (fake - real, -fake),
    }[kind]
    found = (
        adversarial.discriminator_loss(kind, jnp.float32(real), jnp.float32(fake)),
        adversarial.generator_loss(kind, jnp.float32(fake)),
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def score(pictures):
    """Not linear, and each picture's own."""
    flat = pictures.reshape(pictures.shape[0], -1)
    weights = jnp.linspace(-1.0, 1.0, flat.shape[1], dtype=jnp.float32)
    return jnp.sin(flat @ weights) + 0.5 * jnp.square(flat).sum(axis=1)


def numeric_slopes(pictures, step=1e-3):
    """Lengths of the scores' gradients by central differences, float64."""
    flat = np.asarray(pictures, np.float64).reshape(len(pictures), -1)
    weights = np.linspace(-1.0, 1.0, flat.shape[1])

    def value(x):
        return np.sin(x @ weights) + 0.5 * (x**2).sum(axis=1)

    parts = [(value(flat + d) - value(flat - d)) / (2 * step) for d in step * np.eye(flat.shape[1])]
    return np.linalg.norm(parts, axis=0)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.random((2, 5, 2, 3, 1)), jnp.float32)


def test_penalties_against_finite_differences(pictures):
    real, fake = pictures
    shares = jnp.linspace(0.0, 1.0, 5, dtype=jnp.float32)
    mixed = shares[:, None, None, None] * real + (1 - shares[:, None, None, None]) * fake
    np.testing.assert_allclose(
        adversarial.interpolated_penalty(score, real, fake, shares),
        np.mean((numeric_slopes(mixed) - 1) ** 2),
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        adversarial.zero_penalty(score, real), np.mean(numeric_slopes(real) ** 2) / 2, rtol=1e-4
    )


def test_the_gradient_of_a_penalty_is_the_difference_of_penalties(pictures):
    real, fake = pictures
    shares = jnp.full(5, 0.5, jnp.float32)

    def penalty(scale):
        return adversarial.interpolated_penalty(lambda x: scale * score(x), real, fake, shares)

    numeric = (penalty(1.51) - penalty(1.49)) / 0.02
    np.testing.assert_allclose(jax.grad(penalty)(jnp.float32(1.5)), numeric, rtol=1e-3)


def test_a_score_without_slope_has_a_finite_gradient(pictures):
    def penalty(scale):
        shares = jnp.zeros(5, jnp.float32)
        return adversarial.interpolated_penalty(
            lambda x: scale * x.sum(axis=(1, 2, 3)), *pictures, shares
        )

    value, slope = jax.value_and_grad(penalty)(jnp.float32(0))
    np.testing.assert_allclose(value, 1.0, rtol=1e-5)
    assert np.isfinite(slope)


def test_shifts_move_whole_pictures_and_leave_zeros(key):
    pictures = 1.0 + jax.random.uniform(key, (64, 16, 8, 2), jnp.float32)
    moved = np.asarray(augmentation.shift(jax.random.key(1), pictures))
    seen = set()
    for picture, found in zip(np.asarray(pictures), moved, strict=True):
        matches = [
            (down, right)
            for down in range(-2, 3)
            for right in (-1, 0, 1)
            if np.array_equal(shifted(picture, down, right), found)
        ]
        assert len(matches) == 1
        seen.update(matches)
    assert {down for down, _ in seen} == {-2, -1, 0, 1, 2}
    assert {right for _, right in seen} == {-1, 0, 1}


def shifted(picture, down, right):
    """Cut from a frame of zeros."""
    frame = np.pad(picture, ((2, 2), (2, 2), (0, 0)))
    height, width, _ = picture.shape
    return frame[2 - down : 2 - down + height, 2 - right : 2 - right + width]


def test_brightness_adds_one_number_to_a_share_of_the_pictures(key):
    pictures = jax.random.uniform(key, (400, 4, 4, 1), jnp.float32)
    change = np.asarray(augmentation.brighten(jax.random.key(1), pictures, 0.25) - pictures)
    np.testing.assert_allclose(np.ptp(change, axis=(1, 2, 3)), 0, atol=1e-6)
    amounts = change[:, 0, 0, 0]
    assert np.abs(amounts).max() <= 0.25 + 1e-6 and np.abs(amounts).max() > 0.2
    assert 0.15 < (np.abs(amounts) > 1e-6).mean() < 0.35


def test_gradients_pass_through_an_augmentation(key):
    pictures = jax.random.uniform(key, (3, 8, 8, 1), jnp.float32)
    view = jax.random.key(2)
    # A shift is linear: the gradient of a weighted sum is the weights moved back.
    weights = jax.random.normal(jax.random.key(1), pictures.shape, jnp.float32)
    slope = jax.grad(lambda x: (weights * augmentation.augment(view, x)).sum())(pictures)
    step = jax.random.normal(jax.random.key(3), pictures.shape, jnp.float32)
    change = augmentation.augment(view, pictures + step) - augmentation.augment(view, pictures)
    np.testing.assert_allclose((weights * change).sum(), (slope * step).sum(), rtol=1e-3)
    assert float(jnp.abs(slope).sum()) > 1
