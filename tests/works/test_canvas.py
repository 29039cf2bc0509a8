"""Canvases: what is refused, PNG and JSON, what a notebook shows."""

import base64
import io
import json
import re
import sys

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from works.canvases import assert_same, canvas, canvases, picture, stroke

from creative_rl import works
from creative_rl.works.canvas import Canvas, summary

LINE = stroke((0.2, 0.5), (0.5, 0.5), (0.8, 0.5))
GREY = np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 50
RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14


def with_number(place, value):
    strokes = np.stack([LINE, LINE])
    strokes[1, place] = value
    return strokes


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(canvases())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("json") / "canvas.json"
    assert_same(works.load(works.save(original, path)), original)


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(canvases())
def test_png_holds_the_pixels(tmp_path_factory, original):
    path = works.save(original, tmp_path_factory.mktemp("png") / "canvas.png")
    assert_same(works.load(path), picture(original.pixels))
    with Image.open(path) as image:
        pixels = np.array(image).reshape(original.pixels.shape)
    np.testing.assert_array_equal(pixels, original.pixels)


def test_a_batch_splits_into_canvases():
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), picture(RGB))
    assert_same(works.unbatch(batch)[1], picture(RGB))


def test_a_work_has_the_formats_that_suit_it(tmp_path):
    assert works.suffixes(canvas([LINE])) == [".png", ".svg", ".gif", ".mp4", ".json"]
    for still in (picture(RGB), canvas([LINE]).replace(length=np.int32(0))):
        assert works.suffixes(still) == [".png", ".svg", ".json"]
        for suffix in (".gif", ".mp4"):
            with pytest.raises(ValueError, match=r"this picture has none; save it as \.png"):
                works.save(still, tmp_path / f"canvas{suffix}")
    with pytest.raises(ValueError, match=r"a Canvas is written as \.png, \.svg, \.gif, \.mp4"):
        works.save(picture(RGB), tmp_path / "canvas.mid")
    with pytest.raises(ValueError, match="works are Melody, Score, Walk, Canvas, Text, got a dict"):
        works.suffixes({})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"pixels": np.zeros((2, 3, 4, 1), np.uint8)}, r"a batch .* works\.unbatch first"),
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"pixels": np.zeros((3, 4), np.uint8)}, r"no canvas .* \(3, 4\)"),
        ({"strokes": np.zeros(11, np.float32)}, r"no canvas .* \(11,\)"),
        ({"pixels": np.zeros((3, 4, 1), np.float32)}, "pixels must be uint8, got float32"),
        ({"pixels": np.zeros((3, 4, 2), np.uint8)}, r"C 1 or 3, got the shape \(3, 4, 2\)"),
        ({"pixels": np.zeros((0, 4, 1), np.uint8)}, r"in 1\.\.4096 .* \(0, 4, 1\)"),
        ({"pixels": np.zeros((1, 4097, 1), np.uint8)}, r"in 1\.\.4096 .* \(1, 4097, 1\)"),
        ({"pixels": np.zeros((3, 4, 3), np.uint8)}, r"has 13 numbers, got .* \(2, 11\)"),
        ({"strokes": np.zeros((2, 11), np.float64)}, "must be float32 .* got float64"),
        ({"length": np.float32(1)}, "length an integer, got float32 and float32"),
        ({"length": np.int32(3)}, r"length must be in 0\.\.2, got 3"),
        ({"length": np.int32(-1)}, r"length must be in 0\.\.2, got -1"),
        ({"strokes": with_number(7, np.nan)}, "number 7 of stroke 1 is nan"),
        ({"strokes": with_number(10, 1.5)}, "number 10 of stroke 1 is 1.5"),
        ({"strokes": with_number(0, -0.25)}, "number 0 of stroke 1 is -0.25"),
        ({"background": 1.5}, r"background must be a number in 0\.\.1, got 1\.5"),
        ({"background": float("nan")}, "background must be .* got nan"),
        ({"background": "white"}, "background must be .* got 'white'"),
    ],
)
def test_what_is_no_canvas_leaves_what_was_there(tmp_path, change, line):
    good = canvas([LINE, LINE])
    path = works.save(good, tmp_path / "canvas.json")
    for suffix in (".json", ".png", ".svg", ".gif", ".mp4"):
        with pytest.raises(ValueError, match=line) as caught:
            works.save(good.replace(**change), tmp_path / f"canvas{suffix}")
        assert "\n" not in str(caught.value)
    assert_same(works.load(path), good)
    assert list(tmp_path.iterdir()) == [path]


def test_rounding_and_what_means_nothing_are_let_pass(tmp_path):
    slightly = canvas([LINE, LINE]).replace(strokes=with_number(0, 1.00001))
    assert_same(works.load(works.save(slightly, tmp_path / "a.json")), slightly)
    after = canvas([LINE, LINE]).replace(strokes=with_number(0, 7.0), length=np.int32(1))
    assert_same(works.load(works.save(after, tmp_path / "b.json")), after)


def test_damaged_json_is_refused_in_one_line(tmp_path):
    path = works.save(canvas([LINE]), tmp_path / "canvas.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "length": 4}))
    with pytest.raises(ValueError, match=r"canvas\.json: Canvas: length must be in 0\.\.1, got 4"):
        works.load(path)


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA", "I;16"])
def test_other_forms_of_pixels_are_refused(tmp_path, mode):
    path = tmp_path / "other.png"
    Image.new(mode, (2, 2)).save(path)
    with pytest.raises(ValueError, match=rf"other\.png is not .* got {mode}; convert it"):
        works.load(path)


def test_a_file_that_is_no_png_or_too_large_is_refused(tmp_path):
    good = works.save(picture(RGB), tmp_path / "good.png").read_bytes()
    Image.new("L", (4097, 1)).save(tmp_path / "wide.png")
    (tmp_path / "cut.png").write_bytes(good[:-30])
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("L", (2, 2)).save(tmp_path / "photo.png", "JPEG")
    for name in ("wide", "cut", "empty", "photo"):
        with pytest.raises(ValueError, match=rf"{name}\.png is not a canvas in PNG: .") as caught:
            works.load(tmp_path / f"{name}.png")
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        works.load(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("suffix", "package", "extra"),
    [(".png", "PIL", "media"), (".gif", "PIL", "media"), (".mp4", "av", "video")],
)
def test_a_missing_package_is_one_line(tmp_path, monkeypatch, suffix, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"pip install 'creative_rl\[{extra}\]'"):
        works.save(canvas([LINE]), tmp_path / f"canvas{suffix}")
    if suffix == ".png":
        with pytest.raises(ImportError, match=r"pip install 'creative_rl\[media\]'"):
            works.load(tmp_path / "canvas.png")
    assert list(tmp_path.iterdir()) == []


# In a notebook.


def test_a_canvas_shows_its_pixels_enlarged(monkeypatch):
    page = picture(RGB)._repr_html_()
    data = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", page)[1])
    pixels = np.array(Image.open(io.BytesIO(data)))
    assert pixels.shape == (108, 162, 3)  # 54 times: the first multiple of 3 above 160
    np.testing.assert_array_equal(pixels[::54, ::54], RGB)
    np.testing.assert_array_equal(pixels[53::54, 53::54], RGB)
    assert "image-rendering:pixelated" in page and 'alt="3 x 2 pixels"' in page
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert canvas([LINE])._repr_html_() == "<pre>32 x 32 pixels, 1 stroke</pre>"
    assert summary(canvas([LINE, LINE], size=(2, 9))) == "9 x 2 pixels, 2 strokes"


def test_a_batch_shows_its_first_eight():
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, 2, *leaf.shape)), picture(GREY))
    page = batch._repr_html_()
    assert page.count("<img") == 8 and "2 more" in page


def test_what_is_no_canvas_yet_shows_its_fields():
    shown = []

    @jax.jit
    def trace(work):
        shown.append(work._repr_html_())
        return work

    trace(picture(GREY))
    shown.append(jax.eval_shape(trace, picture(GREY))._repr_html_())
    shown.append(Canvas(np.zeros((2, 2)), np.zeros((0, 11)), np.int32(0))._repr_html_())
    assert all(page.startswith("<pre>Canvas(") for page in shown)
