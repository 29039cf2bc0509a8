"""Measures of composition against loops over pixels, zlib, and what one sees in small pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import composition as reference

from creative_rl.ops import composition

SEEDS = st.integers(0, 2**32 - 1)


def picture(seed, channels=1, shape=(6, 8)):
    drawn = np.random.default_rng(seed).uniform(size=(*shape, channels))
    return jnp.asarray(drawn, jnp.float32)


def spot(row, column, shape=(5, 5)):
    grid = np.zeros(shape, np.float32)
    grid[row, column] = 1
    return jnp.asarray(grid)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.sampled_from([1, 3]), st.sampled_from([0.0, 0.3, 1.0]))
def test_measures_of_ink_equal_loops(seed, channels, background):
    drawn = picture(seed, channels)
    ours, theirs = composition.ink(drawn, background), reference.ink(np.asarray(drawn), background)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(composition.balance(ours), reference.balance(theirs), atol=1e-5)
    np.testing.assert_allclose(composition.symmetry(ours), reference.symmetry(theirs), atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.floats(0.05, 0.95))
def test_coverage_equals_the_loop_for_any_share(seed, share):
    rng = np.random.default_rng(seed)
    grid = (rng.uniform(size=(8, 8)) < share).astype(np.float32)
    for wanted in (0.2, 0.5, 1.0):
        if grid.mean() > wanted and wanted == 1.0:
            continue
        np.testing.assert_allclose(
            composition.coverage(jnp.asarray(grid), jnp.float32(wanted)),
            reference.coverage(grid, wanted),
            atol=1e-6,
        )


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_harmony_equals_the_angles(seed):
    colours = picture(seed, 3)
    np.testing.assert_allclose(
        composition.harmony(colours), reference.harmony(np.asarray(colours)), rtol=1e-4, atol=1e-5
    )


def test_balance_by_hand():
    assert composition.balance(spot(2, 2)) == 1
    # A corner pixel's centre is (0.4, 0.4) from the middle, the corner itself (0.5, 0.5).
    np.testing.assert_allclose(composition.balance(spot(0, 0)), 1 - 0.8, atol=1e-6)
    np.testing.assert_allclose(composition.balance(spot(0, 0) + spot(4, 4)), 1, atol=1e-6)


def test_symmetry_by_hand():
    assert composition.symmetry(spot(1, 2)) == 1  # on the axis
    assert composition.symmetry(spot(1, 0)) == 0
    assert composition.symmetry(spot(1, 0) + spot(1, 4)) == 1
    assert composition.symmetry(spot(1, 0) + 0.5 * spot(1, 4)) == pytest.approx(2 / 3)


def test_contrast_by_hand():
    half = jnp.zeros((4, 4, 1)).at[:2].set(1.0)
    assert composition.contrast(half) == 1
    assert composition.contrast(half * 0.5) == pytest.approx(0.5)
    assert composition.contrast(jnp.full((4, 4, 3), 0.7)) == pytest.approx(0, abs=1e-6)


def test_luminance_has_the_weights_of_bt709():
    colours = jnp.eye(3)[:, None]
    np.testing.assert_allclose(composition.luminance(colours)[:, 0], [0.2126, 0.7152, 0.0722])


def test_harmony_by_hand():
    def of(*colours):
        return float(composition.harmony(jnp.array(colours, jnp.float32)[:, None]))

    red, cyan, green, blue = (1, 0, 0), (0, 1, 1), (0, 1, 0), (0, 0, 1)
    assert of(red, red) == pytest.approx(1)
    assert of(red, cyan) == pytest.approx(1)  # complements
    assert of(red, green, blue) == pytest.approx(0, abs=1e-5)  # all round the circle
    assert of(red, (0.5, 0.5, 0.5)) == pytest.approx(1)  # grey has no hue
    assert of((0.2, 0.2, 0.2), (0.9, 0.9, 0.9)) == 0


def test_description_length_orders_pictures_as_zlib_does():
    rng = np.random.default_rng(0)
    smooth = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    noise = rng.uniform(size=(64, 64)).astype(np.float32)
    pictures = [share * noise + (1 - share) * smooth for share in np.linspace(0, 1, 9)]
    pictures += [np.where(noise < share, smooth, 0.5) for share in (0.1, 0.5, 0.9)]
    pictures = [p[..., None].astype(np.float32) for p in pictures]
    ours = np.array([4 * float(composition.description_length(jnp.asarray(p))) for p in pictures])
    theirs = np.array([reference.deflated_bits(p) for p in pictures])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    np.testing.assert_allclose(ours, theirs, atol=0.8)  # bits a pixel; zlib is no ideal coder


def test_complexity_is_highest_half_way_and_none_at_the_ends():
    flat = jnp.full((16, 16, 1), 0.3)
    assert composition.description_length(flat) == 0 and composition.complexity(flat) == 0
    # Steps of 1 and of 2 levels in turn, from one row to the next both alike: one bit of four...
    steps = np.array([1, 2] * 64).reshape(8, 16)
    levels = np.cumsum(steps, axis=1) % 16
    drawn = jnp.asarray((levels / 15)[..., None], jnp.float32)
    length = float(composition.description_length(drawn))
    # ... but for the first of each row, which its own copy predicts: shares 1/16, 7/16 and 8/16.
    bits = -(1 / 16 * np.log2(1 / 16) + 7 / 16 * np.log2(7 / 16) + 8 / 16 * np.log2(8 / 16))
    assert length == pytest.approx(bits / 4, abs=1e-5)
    assert composition.complexity(drawn) == pytest.approx(4 * length * (1 - length), abs=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("background", [0.0, 0.6, 1.0])
def test_an_empty_canvas_scores_nothing(channels, background):
    blank = jnp.full((8, 8, channels), background)
    empty = composition.ink(blank, background)
    measures = [
        composition.balance(empty),
        composition.symmetry(empty),
        composition.coverage(empty, jnp.float32(0.4)),
        composition.contrast(blank),
        composition.harmony(blank),
        composition.complexity(blank),
    ]
    np.testing.assert_allclose(measures, 0, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.sampled_from([1, 3]))
def test_measures_are_between_0_and_1(seed, channels):
    drawn = jnp.round(picture(seed, channels) * 3) / 3
    dots = composition.ink(drawn, 0.0)
    measures = jnp.stack(
        [
            composition.balance(dots),
            composition.symmetry(dots),
            composition.coverage(dots, jnp.float32(0.4)),
            composition.contrast(drawn),
            composition.harmony(drawn),
            composition.description_length(drawn),
            composition.complexity(drawn),
        ]
    )
    assert ((measures >= 0) & (measures <= 1)).all()


@pytest.mark.parametrize(
    "measure",
    [
        lambda drawn: composition.balance(composition.ink(drawn, 0.5)),
        lambda drawn: composition.symmetry(composition.ink(drawn, 0.5)),
        composition.contrast,
        composition.harmony,
        composition.complexity,
        lambda drawn: composition.coverage(composition.ink(drawn, 0.5), jnp.float32(0.4)),
    ],
)
def test_gradients_are_finite_where_roots_have_none(measure):
    blank = jnp.full((6, 6, 3), 0.5)
    for drawn in (blank, jnp.zeros((6, 6, 3)), blank.at[2:4, 2:4].set(1.0)):
        assert jnp.isfinite(jax.grad(lambda drawn: measure(drawn).sum())(drawn)).all()
