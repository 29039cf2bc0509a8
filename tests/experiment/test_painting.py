"""Painting after a picture: the search, the refinement, the files and what is refused."""

import json
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from creative_rl import works
from creative_rl.experiment import painting, painting_files
from creative_rl.experiment.painting import PaintSettings, paint
from creative_rl.ops import raster, stroke_refinement, stroke_search


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A short search and a short refinement, whatever was traced before."""
    monkeypatch.setattr(painting, "_EFFORT", stroke_search.Effort(2, 16, 2, 4))
    monkeypatch.setattr(painting, "NUM_REFINEMENTS", 12)
    painting._next_stroke.clear_cache()
    yield
    painting._next_stroke.clear_cache()


@pytest.fixture(scope="module")
def picture():
    """A sloping ground with a disc, uint8[24, 40, 3]."""
    y, x = np.mgrid[:24, :40]
    ground = np.stack([40 + 4 * x, 200 - 4 * y, np.full_like(x, 120)], axis=-1)
    disc = (x - 26) ** 2 + (y - 12) ** 2 < 49
    return np.where(disc[..., None], [230, 40, 30], ground).astype(np.uint8)


def error_to(canvas, picture):
    return np.square((canvas.pixels.astype(float) - picture) / 255).mean()


def test_strokes_bring_the_canvas_nearer_and_refinement_more(picture):
    done = paint(picture, PaintSettings(num_strokes=6))
    blank, searched = done.errors[0], done.errors[-1]
    level = round(picture.mean()) / 255
    np.testing.assert_allclose(blank, np.square(picture / 255 - level).mean(), rtol=1e-5)
    assert len(done.errors) == 7 and searched < 0.5 * blank
    assert len(done.refinement_errors) == 12 and done.error < 0.9 * searched
    np.testing.assert_allclose(done.error, error_to(done.canvas, picture), rtol=1e-4)
    assert done.signal is None


def test_the_pixels_are_those_that_the_strokes_render(picture):
    canvas = paint(picture, PaintSettings(num_strokes=6, background=1.0)).canvas
    again = raster.render(jnp.asarray(canvas.strokes), 24, 40, canvas.background)
    assert canvas.background == 1.0 and int(canvas.length) == 6
    np.testing.assert_array_equal(canvas.pixels, again)


def test_a_seed_gives_one_painting(picture):
    settings = PaintSettings(num_strokes=6, refine=False)
    first, again = paint(picture, settings), paint(picture, settings)
    other = paint(picture, PaintSettings(num_strokes=6, refine=False, seed=1))
    np.testing.assert_array_equal(first.canvas.strokes, again.canvas.strokes)
    assert (first.canvas.strokes != other.canvas.strokes).any()
    assert first.refinement_errors == [] and first.error == pytest.approx(
        first.errors[-1], rel=1e-4
    )


def test_a_picture_of_one_grey_needs_one_stroke():
    done = paint(np.full((9, 5, 1), 77, np.uint8), PaintSettings(num_strokes=60))
    assert len(done.canvas.strokes) == 1 and done.error < 1e-4


def test_a_disc_is_found_where_it_is():
    y, x = np.mgrid[:32, :32] + 0.5
    disc = (((x - 20) ** 2 + (y - 11) ** 2) < 36).astype(np.float32)[..., None]
    canvas = jnp.zeros((32, 32, 1), jnp.float32)
    stroke, gain = jax.jit(stroke_search.best_stroke, static_argnums=4)(
        jax.random.key(0),
        stroke_search.pyramid(jnp.asarray(disc)),
        canvas,
        jnp.float32(0.25),
        stroke_search.Effort(8, 32, 3, 16),
    )
    middle = np.asarray(stroke[:6]).reshape(3, 2).mean(axis=0) * 32
    assert np.abs(middle - [20, 11]).max() < 1.5 and stroke[10] > 0.9
    painted = raster.paint_soft(canvas, stroke)
    left = float(jnp.square(painted - disc).sum())
    assert gain == pytest.approx(disc.sum() - left, rel=0.02) and left < 0.15 * disc.sum()


def window_of(canvas, target, level=0):
    inside = jnp.ones((stroke_search.SIDE,) * 2, jnp.float32)
    number = jnp.int32(0)
    pictures = jnp.asarray(target), jnp.asarray(canvas)
    return stroke_search.Window(jnp.int32(level), number, number, *pictures, inside)


@pytest.mark.parametrize("level", [0, 2])
def test_the_colour_is_that_of_least_squares(level):
    """Against NumPy's solver, and the gain against painting with that colour."""
    draw = np.random.default_rng(0)
    canvas, target = draw.uniform(0.3, 0.7, (2, 32, 32, 3)).astype(np.float32)
    shape = np.array([[0.2, 0.3, 0.5, 0.9, 0.8, 0.4, 0.1, 0.2, 0.6, 0.9]], np.float32)
    gain, colour = stroke_search.fit(jnp.asarray(shape), window_of(canvas, target, level))
    alpha = np.asarray(raster.coverage(jnp.asarray(shape[0]), 32, 32), float).reshape(-1, 1)
    for i in range(3):
        wanted = target[..., i].ravel() - canvas[..., i].ravel() * (1 - alpha[:, 0])
        solved = np.linalg.lstsq(alpha, wanted, rcond=None)[0][0]
        assert colour[0, i] == pytest.approx(solved, abs=2e-3)
    alpha = alpha.reshape(32, 32, 1)
    after = canvas * (1 - alpha) + np.asarray(colour[0]) * alpha
    taken = np.square(target - canvas).sum() - np.square(target - after).sum()
    assert gain[0] == pytest.approx(4**level * taken, rel=1e-2)


def test_a_colour_out_of_range_is_cut_and_its_gain_is_true():
    canvas, target = np.zeros((32, 32, 1), np.float32), np.ones((32, 32, 1), np.float32)
    shape = np.array([[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 0.5, 0.5]], np.float32)
    gain, colour = stroke_search.fit(jnp.asarray(shape), window_of(canvas, target))
    alpha = np.asarray(raster.coverage(jnp.asarray(shape[0]), 32, 32))
    assert colour[0, 0] == 1.0
    assert gain[0] == pytest.approx((1 - (1 - alpha) ** 2).sum(), rel=1e-3)


@pytest.mark.parametrize(("height", "width", "count"), [(5, 3, 1), (32, 32, 1), (20, 70, 3)])
def test_a_pyramid_holds_means(height, width, count):
    picture = np.random.default_rng(0).uniform(size=(height, width, 1)).astype(np.float32)
    levels = np.asarray(stroke_search.pyramid(jnp.asarray(picture)))
    assert len(levels) == stroke_search.num_levels(height, width) == count
    np.testing.assert_array_equal(levels[0, :height, :width], picture)
    size = 2 ** (count - 1)
    np.testing.assert_allclose(levels[-1, 0, 0], picture[:size, :size].mean((0, 1)), rtol=1e-5)


def some_strokes(num, key):
    strokes = np.array(jax.random.uniform(key, (num, 13)))
    strokes[:, 6:8] = 0.01 + 0.1 * strokes[:, 6:8] * np.linspace(1, 0.1, num)[:, None]
    strokes[::2, 2:6] = strokes[::2, [0, 1, 0, 1]] + 0.05 * (strokes[::2, 2:6] - 0.5)
    return jnp.asarray(np.clip(strokes, 0, 1).astype(np.float32))


def test_windows_paint_what_the_whole_canvas_would(key):
    strokes, canvas = some_strokes(12, key), jnp.full((30, 44, 3), 0.5)
    inside = np.asarray(jax.jit(stroke_refinement.picture)(strokes, canvas))
    whole = canvas
    for stroke in strokes:
        whole = raster.paint_soft(whole, stroke)
    # The pieces of a bent curve differ: some pixels at its edge.
    difference = np.abs(inside - np.asarray(whole))
    assert np.quantile(difference, 0.98) < 0.02 and difference.mean() < 2e-3


def test_gradients_are_those_of_finite_differences(key):
    strokes = some_strokes(6, key)
    target, level = jnp.full((30, 44, 3), 0.3), jnp.float32(0.6)
    error = jax.jit(stroke_refinement.error)
    slopes = np.asarray(jax.jit(jax.grad(stroke_refinement.error))(strokes, target, level))
    assert np.isfinite(slopes).all()
    for seed in range(4):
        way = np.random.default_rng(seed).normal(size=strokes.shape).astype(np.float32)
        way *= np.array([1] * 6 + [0.3] * 2 + [1] * 5, np.float32) * 3e-4
        rise = error(strokes + way, target, level) - error(strokes - way, target, level)
        assert float(rise) == pytest.approx(2 * (slopes * way).sum(), rel=0.1, abs=2e-6)


def test_many_strokes_are_painted_in_groups(key, monkeypatch):
    strokes = some_strokes(11, key)
    target = jnp.full((16, 16, 3), 0.2)

    def measured():
        error = jax.jit(
            jax.value_and_grad(lambda s: stroke_refinement.error(s, target, jnp.float32(0.5)))
        )
        return error(strokes)

    at_once = measured()
    monkeypatch.setattr(stroke_refinement, "_GROUP", 4)
    for one, other in zip(at_once, measured(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_refined_strokes_stay_in_range(picture):
    settings = PaintSettings(num_strokes=6)
    strokes = paint(picture, settings).canvas.strokes
    assert strokes.min() >= 0 and strokes.max() <= 1 and strokes[:, 6:8].min() > 0


def test_an_interrupted_painting_is_kept(picture, monkeypatch):
    calls = []

    def refine(*arguments):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    original = painting._refine
    monkeypatch.setattr(painting, "_refine", refine)
    done = paint(picture, PaintSettings(num_strokes=6))
    assert done.signal == signal.SIGINT and len(done.refinement_errors) == 3
    assert len(done.canvas.strokes) == 6 and done.error <= done.errors[-1]


def test_a_painting_interrupted_while_searching_has_its_strokes(picture, monkeypatch):
    def painter(picture, num_strokes, background, key):
        for number, strokes in enumerate(painting.search(picture, num_strokes, background, key)):
            if number == 2:
                signal.raise_signal(signal.SIGTERM)
            yield strokes

    done = paint(picture, PaintSettings(num_strokes=9), painter=painter)
    assert done.signal == signal.SIGTERM
    assert len(done.canvas.strokes) == 3 and done.refinement_errors == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_strokes": 0}, "num_strokes must be at least 1, got 0"),
        ({"size": 4}, "size must be at least 8, got 4"),
        ({"size": 9999}, "size must be at most 1024, got 9999"),
        ({"background": 2.0}, r"background must be between 0 \(black\) and 1 \(white\), got 2.0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        PaintSettings(**values)


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def test_pictures_keep_their_aspect_and_their_colours(tmp_path, picture):
    path = save(tmp_path / "colours.png", picture)
    np.testing.assert_array_equal(painting_files.read_picture(path, 256), picture)
    assert painting_files.read_picture(path, 20).shape == (12, 20, 3)
    assert painting_files.read_picture(path, 20, channels=1).shape == (12, 20, 1)
    grey = save(tmp_path / "grey.png", picture[..., 0])
    np.testing.assert_array_equal(painting_files.read_picture(grey, 256), picture[..., :1])
    thin = save(tmp_path / "thin.png", np.zeros((1, 400, 3), np.uint8))
    assert painting_files.read_picture(thin, 100).shape == (1, 100, 1)


def test_a_file_becomes_a_painting_and_a_curve(tmp_path, picture):
    path = save(tmp_path / "mine.png", picture)
    settings, curve = PaintSettings(num_strokes=6), tmp_path / "curve.json"
    done = painting_files.paint_file(path, tmp_path / "out.json", settings, curve=curve)
    loaded = works.load(done.path)
    np.testing.assert_array_equal(loaded.strokes, done.painting.canvas.strokes)
    written = json.loads(curve.read_text())
    assert written["shape"] == [24, 40, 3] and len(written["strokes"]) == 6
    assert written["blank"] == done.painting.errors[0] and written["error"] == done.painting.error
    line = painting_files.describe(done)
    assert line.startswith("6 strokes on 40 x 24 pixels in") and line.endswith("refined")


@pytest.mark.parametrize(
    ("out", "curve", "message"),
    [
        ("mine.png", None, "is the picture itself"),
        ("out.bmp", None, r"a painting is written as .png, .svg.*, got the file name 'out.bmp'"),
        ("none/out.svg", None, "there is no folder"),
        ("out.svg", "curve.txt", "the curve is written as .json, got"),
    ],
)
def test_what_cannot_be_written_is_refused_first(out, curve, message, tmp_path, picture):
    path = save(tmp_path / "mine.png", picture)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        painting_files.check_out(path, tmp_path / out, curve and tmp_path / curve)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_the_default_name_is_beside_the_picture(tmp_path):
    assert painting_files.check_out(tmp_path / "a.b.jpg", None, None) == (
        tmp_path / "a.b-painted.svg"
    )


def test_what_is_no_picture(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("text.png", "empty.png"):
        with pytest.raises(ValueError, match=f"{name}: it is not a picture"):
            painting_files.read_picture(tmp_path / name, 64)
    with pytest.raises(ValueError, match="there is no picture"):
        painting_files.read_picture(tmp_path / "none.png", 64)
    with pytest.raises(ValueError, match="is a folder"):
        painting_files.read_picture(tmp_path, 64)
