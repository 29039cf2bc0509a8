"""Strokes against their true coverage, another graphics library, themselves, and differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import raster as reference

from creative_rl.ops import curves, raster

SIZE = 32
coverage = jax.jit(raster.coverage, static_argnums=(1, 2))
paint = jax.jit(raster.paint, static_argnums=2)


def stroke(start, control, end, radii=(1.0, 1.0), opacities=(1.0, 1.0), colour=(1.0,), size=SIZE):
    """A stroke given in pixels of a square canvas."""
    points = [number / size for point in (start, control, end) for number in point]
    radii = [radius / size for radius in radii]
    return jnp.array([*points, *radii, *opacities, *colour], jnp.float32)


def random_strokes(num, seed, reach=1.0, radius=3.0, colours=1, size=SIZE):
    """Control points in the box around the ends, as the pens make them; float32[num, P]."""
    rng = np.random.default_rng(seed)
    start = rng.random((num, 2))
    end = np.clip(start + reach * (2 * rng.random((num, 2)) - 1), 0, 1)
    control = start + (end - start) * rng.random((num, 2))
    radii = (0.3 + radius * rng.random((num, 2))) / size
    rest = rng.random((num, 2 + colours))
    return jnp.asarray(np.concatenate([start, control, end, radii, rest], 1), jnp.float32)


def noise(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


CASES = {
    "long": random_strokes(4, 1),
    "short": random_strokes(3, 2, reach=0.2),
    "thin": random_strokes(3, 3, radius=0.3),
    "fat": random_strokes(3, 4, radius=9.0),
    "over the border": [
        stroke((-5, 10), (10, -8), (36, 30), (2, 3)),
        stroke((31, 31), (33, 20), (40, 0), (3, 1)),
    ],
    "hairpin": [stroke((4, 10), (60, 16), (4, 22), (1.5, 1.5))],
    "point": [stroke((10, 12), (10, 12), (10, 12), (3.3, 3.3), (0.7, 0.7))],
    "point that grows": [stroke((10, 12), (10, 12), (10, 12), (1.0, 5.0), (0.7, 0.7))],
    "disc that holds the rest": [stroke((16, 16), (17, 17), (19, 16), (7.0, 2.0), (0.9, 0.9))],
    "out and back": [stroke((6, 16), (26, 16), (6, 16), (2.0, 2.0))],
}


@pytest.mark.parametrize("name", CASES)
def test_coverage_is_the_true_one(name):
    for case in CASES[name]:
        expected = reference.coverage(case, SIZE, SIZE)
        found = np.asarray(coverage(case, SIZE, SIZE))
        touched = (expected > 0) | (found > 0)
        error = np.abs(found - expected)[touched]
        assert touched.sum() > 5
        assert error.mean() < 0.03
        assert np.quantile(error, 0.95) < 0.15
        assert error.max() < 0.35


def test_where_a_stroke_is_near_and_far_is_known_by_hand():
    # A horizontal line of radius 2 at y = 16 covers rows 14 .. 17 wholly, and no others.
    found = coverage(stroke((8, 16), (16, 16), (24, 16), (2, 2), (0.5, 0.5)), SIZE, SIZE)
    np.testing.assert_allclose(found[14:18, 8:24], 0.5, atol=1e-4)
    np.testing.assert_allclose(found[:14], 0.0, atol=1e-4)
    np.testing.assert_allclose(found[18:], 0.0, atol=1e-4)
    # Moved by a quarter of a pixel it covers a quarter of row 18, three of row 14.
    found = coverage(stroke((8, 16.25), (16, 16.25), (24, 16.25), (2, 2)), SIZE, SIZE)
    np.testing.assert_allclose(found[[14, 18], 16], [0.75, 0.25], atol=1e-3)
    # A hair of radius 0.1 through the middle of a row covers a fifth of it.
    found = coverage(stroke((8, 16.5), (16, 16.5), (24, 16.5), (0.1, 0.1)), SIZE, SIZE)
    np.testing.assert_allclose(found[16, 10:22], 0.2, atol=1e-3)


def test_opacity_and_radius_run_along_the_curve():
    found = coverage(stroke((4, 16), (16, 16), (28, 16), (1, 5), (0.0, 1.0)), SIZE, SIZE)
    np.testing.assert_allclose(found[16, 10], (10.5 - 4) / 24, atol=0.03)
    np.testing.assert_allclose(found[16, 22], (22.5 - 4) / 24, atol=0.03)
    widths = (np.asarray(found) > 0).sum(0)
    assert widths[6] < widths[14] < widths[22]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_a_stroke_is_the_same_from_its_end_and_in_the_mirror(seed):
    case = random_strokes(1, seed)[0]
    found = np.asarray(coverage(case, SIZE, SIZE))
    back = case[jnp.array([4, 5, 2, 3, 0, 1, 7, 6, 9, 8, 10])]
    np.testing.assert_allclose(coverage(back, SIZE, SIZE), found, atol=0.1)
    mirrored = jnp.where(jnp.isin(jnp.arange(11), jnp.array([0, 2, 4])), 1 - case, case)
    np.testing.assert_allclose(coverage(mirrored, SIZE, SIZE)[:, ::-1], found, atol=0.1)
    turned = case[jnp.array([1, 0, 3, 2, 5, 4, 6, 7, 8, 9, 10])]
    np.testing.assert_allclose(coverage(turned, SIZE, SIZE).T, found, atol=0.1)
    assert found.min() >= 0 and found.max() <= float(case[8:10].max()) + 1e-6


@pytest.mark.parametrize("height, width", [(20, 36), (7, 5)])
def test_canvases_of_any_shape(height, width):
    case = random_strokes(3, 7)[2]
    expected = reference.coverage(case, height, width)
    found = np.asarray(coverage(case, height, width))
    assert found.shape == (height, width)
    assert np.abs(found - expected).mean() < 0.01
    # Radii are in units of the longer side, whichever that is.
    turned = case[jnp.array([1, 0, 3, 2, 5, 4, 6, 7, 8, 9, 10])]
    np.testing.assert_allclose(coverage(turned, width, height).T, found, atol=0.1)
    canvas = noise(height, width, 3)
    strokes = random_strokes(5, 8, colours=3)
    painted = jax.jit(jax.vmap(raster.paint, (None, 0)))(canvas, strokes)
    for number, case in enumerate(strokes):
        alpha = np.asarray(coverage(case, height, width))[..., None]
        blended = np.asarray(canvas) * (1 - alpha) + 255 * np.asarray(case[10:]) * alpha
        np.testing.assert_allclose(painted[number], blended, atol=0.51)


def test_against_another_graphics_library():
    skia = pytest.importorskip("skia")
    info = skia.ImageInfo.Make(64, 64, skia.kGray_8_ColorType, skia.kOpaque_AlphaType)
    errors = []
    for case in np.array(random_strokes(12, 5, size=64)):
        case[6] += 0.5 / 64  # a line thinner than a pixel is another matter there
        case[7], case[9] = case[6], case[8]  # its lines have one width and one opacity
        x0, y0, x1, y1, x2, y2, radius = (64 * case[:7]).tolist()
        pixels = np.zeros((64, 64), np.uint8)
        path = skia.Path()
        path.moveTo(x0, y0)
        path.quadTo(x1, y1, x2, y2)
        pen = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeCap=skia.Paint.kRound_Cap,
            StrokeWidth=2 * radius,
            Color=skia.Color(255, 255, 255, round(255 * float(case[8]))),
        )
        skia.Surface.MakeRasterDirect(info, pixels).getCanvas().drawPath(path, pen)
        found = 255 * np.asarray(coverage(jnp.asarray(case), 64, 64))
        touched = (pixels > 0) | (found > 0)
        errors.append(np.abs(found - pixels)[touched].mean())
    assert np.mean(errors) < 5  # levels of 255; the library's own error is most of it
    assert max(errors) < 16


def test_paint_blends_and_rounds():
    canvas = noise(SIZE, SIZE, 3)
    case = random_strokes(1, 11, colours=3)[0]
    alpha = np.asarray(coverage(case, SIZE, SIZE), np.float64)[..., None]
    expected = np.asarray(canvas) * (1 - alpha) + 255 * np.asarray(case[10:]) * alpha
    np.testing.assert_allclose(paint(canvas, case), expected, atol=0.5 + 1e-3)
    np.testing.assert_allclose(
        np.asarray(paint(canvas, case), int), reference.paint(canvas, case), atol=40
    )
    soft = raster.paint_soft(canvas.astype(jnp.float32) / 255, case)
    np.testing.assert_allclose(soft * 255, expected, atol=1e-2)
    white = stroke((0, 16), (16, 16), (32, 16), (40, 40))
    assert np.all(np.asarray(paint(noise(SIZE, SIZE, 1), white)) == 255)


def test_a_window_holds_all_of_a_stroke_that_fits():
    num = 100
    strokes = random_strokes(num, 12, reach=0.25, radius=1.5)
    canvases = noise(num, SIZE, SIZE, 1)
    whole = jax.jit(jax.vmap(raster.paint))(canvases, strokes)
    fitting = functools.partial(raster.paint, window=16)
    windowed = jax.jit(jax.vmap(fitting))(canvases, strokes)
    assert np.any(np.asarray(whole) != canvases)
    difference = np.abs(np.asarray(whole, int) - np.asarray(windowed, int))
    assert difference.max() <= 16 and np.mean(difference > 1) < 1e-3
    for number in range(3):
        np.testing.assert_array_equal(
            paint(canvases[number], strokes[number], 16), windowed[number]
        )


def test_only_the_window_changes():
    canvas = noise(SIZE, SIZE, 1)
    fat = stroke((16, 20), (16, 20), (16, 20), (9, 9), (1, 1), (0.5,))
    painted = np.array(paint(canvas, fat, 8))
    assert np.all(painted[16:24, 12:20] == 128)
    painted[16:24, 12:20] = canvas[16:24, 12:20]
    np.testing.assert_array_equal(painted, canvas)
    at_border = stroke((31, 1), (31, 1), (31, 1), (12, 12), (1, 1), (0.5,))
    assert (np.asarray(paint(canvas, at_border, 8))[:8, 24:] == 128).all()
    large = paint(canvas, fat, SIZE)
    np.testing.assert_array_equal(large, paint(canvas, fat))


@pytest.mark.parametrize("window", [None, 16])
def test_batches_of_any_nesting_are_canvases_one_by_one(window):
    one = functools.partial(raster.paint, window=window)
    strokes = random_strokes(300, 13).reshape(3, 100, 11)
    strokes = strokes.at[1, 7, 8:10].set(0)  # leaves its canvas as it is
    canvases = noise(3, 100, SIZE, SIZE, 1)
    nested = np.asarray(jax.jit(jax.vmap(jax.vmap(one)))(canvases, strokes))
    for index in [(0, 0), (1, 7), (2, 99), (1, 50)]:
        np.testing.assert_array_equal(paint(canvases[index], strokes[index], window), nested[index])
    np.testing.assert_array_equal(nested[1, 7], canvases[1, 7])
    shared = np.asarray(jax.jit(jax.vmap(jax.vmap(one), (None, 0)))(canvases[0], strokes))
    np.testing.assert_array_equal(shared[2, 5], paint(canvases[0, 5], strokes[2, 5], window))
    copies = np.asarray(jax.vmap(one, (0, None))(canvases[0], strokes[0, 0]))
    np.testing.assert_array_equal(copies[99], paint(canvases[0, 99], strokes[0, 0], window))


def test_the_painting_of_other_devices_is_the_same():
    strokes, canvases = random_strokes(20, 14), noise(20, SIZE, SIZE, 1)
    here = jax.vmap(raster.paint)(canvases, strokes)
    there = jax.vmap(raster._paint_whole)(canvases, strokes)
    assert np.abs(np.asarray(here, int) - np.asarray(there, int)).max() <= 1
    here = jax.vmap(functools.partial(raster.paint, window=16))(canvases, strokes)
    there = jax.vmap(functools.partial(raster._paint_window, 16))(canvases, strokes)
    assert np.abs(np.asarray(here, int) - np.asarray(there, int)).max() <= 1


@pytest.mark.parametrize("window", [None, 16])
def test_other_devices_get_no_loop_over_canvases(window):
    many = jax.vmap(functools.partial(raster.paint, window=window))
    traced = jax.jit(many).trace(noise(40, SIZE, SIZE, 1), random_strokes(40, 17))
    loops = {
        platform: traced.lower(lowering_platforms=(platform,)).as_text().count("stablehlo.while")
        for platform in ("cpu", "cuda", "tpu")
    }
    assert loops["cpu"] > loops["cuda"] == loops["tpu"]
    assert loops["cuda"] <= 1  # over the rows of tiles


def test_render_paints_in_order_and_skips_what_is_not_there():
    first = stroke((4, 16), (16, 16), (28, 16), (3, 3), (1, 1), (0.2, 0.4, 0.6))
    second = stroke((16, 4), (16, 16), (16, 28), (3, 3), (1, 1), (1.0, 0.0, 0.5))
    strokes = jnp.stack([jnp.zeros(13), first, jnp.zeros(13), second, jnp.zeros(13)])
    picture = np.asarray(raster.render(strokes, SIZE, SIZE, 0.5))
    assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [128] * 3
    assert picture[16, 6].tolist() == [51, 102, 153]
    assert picture[16, 16].tolist() == [255, 0, 128]
    empty = raster.render(jnp.zeros((0, 11)), 8, 8, 1.0)
    assert np.all(np.asarray(empty) == 255)
    np.testing.assert_array_equal(
        picture, paint(paint(np.full((SIZE, SIZE, 3), 128, np.uint8), first), second)
    )


def weighted(case, weights):
    """A scalar that every pixel's alpha has a part in."""
    return (raster.coverage(case, SIZE, SIZE) * weights).sum()


@pytest.mark.parametrize("name", ["long", "fat", "short"])
def test_gradients_are_the_differences(name):
    weights = jnp.asarray(np.random.default_rng(0).normal(size=(4, 4)), jnp.float32)
    weights = jax.image.resize(weights, (SIZE, SIZE), "linear")  # smooth, as differences need it
    gradient = jax.jit(jax.grad(weighted))
    value = jax.jit(jax.vmap(weighted, (0, None)))
    for case in CASES[name]:
        found = np.asarray(gradient(case, weights))[:10]
        steps = np.concatenate([np.full(8, 0.2 / SIZE), np.full(2, 1e-2)])
        moves = np.concatenate([np.diag(steps), np.zeros((10, 1))], 1).astype(np.float32)
        moved = jnp.concatenate([case[None] + moves, case[None] - moves])
        values = value(moved, weights)
        expected = (np.asarray(values[:10]) - np.asarray(values[10:])) / (2 * steps)
        assert np.linalg.norm(found - expected) < 0.15 * np.linalg.norm(expected)
        assert np.all(np.abs(found - expected) < 0.15 * np.abs(expected).max())


DEGENERATE = {
    "point": stroke((10, 12), (10, 12), (10, 12)),
    "point in a pixel's centre": stroke((10.5, 12.5), (10.5, 12.5), (10.5, 12.5)),
    "start is end": stroke((10, 12), (20, 12), (10, 12)),
    "no radius": stroke((3, 3), (10, 20), (30, 30), (0, 0)),
    "point without radius": stroke((10, 12), (10, 12), (10, 12), (0, 0)),
    "straight": stroke((4, 16.5), (16, 16.5), (28, 16.5)),
    "invisible": stroke((3, 3), (10, 20), (30, 30), (2, 2), (0, 0)),
    "nested ends": stroke((16, 16), (16.5, 16), (17, 16), (2, 3)),
    "zeros": jnp.zeros(11),
}


def test_gradients_are_finite_everywhere():
    weights = jnp.asarray(np.random.default_rng(0).normal(size=(SIZE, SIZE)), jnp.float32)
    cases = jnp.stack(list(DEGENERATE.values()))
    both = jax.jit(jax.vmap(jax.value_and_grad(weighted), (0, None)))
    for name, value, gradient in zip(DEGENERATE, *both(cases, weights), strict=True):
        assert np.isfinite(value), name
        assert np.all(np.isfinite(gradient)), name
    soft = jax.jit(jax.grad(lambda canvas, case: raster.paint_soft(canvas, case).sum(), (0, 1)))
    for gradient in soft(jnp.full((SIZE, SIZE, 1), 0.5), DEGENERATE["straight"]):
        assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)


def test_an_invisible_stroke_can_become_visible():
    weights = jnp.ones((SIZE, SIZE))
    slope = jax.jit(jax.grad(weighted))
    gradient = slope(DEGENERATE["invisible"], weights)
    assert gradient[8] > 10 and gradient[9] > 10
    gradient = slope(DEGENERATE["no radius"], weights)
    assert gradient[6] > 0 and gradient[7] > 0


def test_a_gradient_through_whole_numbers_is_zero_and_no_error():
    canvas = noise(SIZE, SIZE, 1)

    def brightness(case):
        return raster.paint(canvas, case).astype(jnp.float32).sum() + case[10]

    gradient = jax.grad(brightness)(CASES["long"][0])
    assert gradient.tolist() == [0.0] * 10 + [1.0]


def test_every_tile_that_a_stroke_touches_is_found():
    strokes = jnp.concatenate([random_strokes(60, 15), random_strokes(20, 16, radius=9.0)])
    strokes = strokes.at[:, 8:10].set(1)
    grid = curves.grid_of(SIZE, SIZE)
    assert grid == (8, 4, 4)
    seen = curves.near_tiles(curves.curve_of(strokes.T, SIZE, SIZE), grid) >= 0
    for case, tiles in zip(strokes[::4], np.asarray(seen).T[::4], strict=True):
        true = reference.coverage(case, SIZE, SIZE).reshape(4, 8, 4, 8).any((1, 3)).ravel()
        assert not np.any(true & ~tiles)
        assert tiles.sum() <= true.sum() + 6
