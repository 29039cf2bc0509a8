"""Strokes as SVG: outlines against Skia's, whole pictures against resvg's, what stands there."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
import pytest
import resvg_py
import skia
from PIL import Image
from works.canvases import canvas, picture, random_strokes, stroke

from creative_rl import works
from creative_rl.ops import raster
from creative_rl.works.canvas_outline import Brush, outline
from creative_rl.works.canvas_svg import encode_svg

SVG = "{http://www.w3.org/2000/svg}"
SIZE = 100.0
render = jax.jit(raster.render, static_argnums=(1, 2, 3))


def skia_path(data):
    """A path's data as Skia's, whose fill rule is `nonzero`; arcs are always the small ones."""
    path = skia.Path()
    for command, rest in re.findall(r"([A-Z])([^A-Z]*)", data):
        numbers = [float(number) for number in rest.split()]
        if command == "A":
            assert numbers[2:5] == [0, 0, 1]
            small, clockwise = skia.Path.ArcSize.kSmall_ArcSize, skia.PathDirection.kCW
            path.arcTo(*numbers[:3], small, clockwise, *numbers[5:])
        else:
            add = {"M": path.moveTo, "L": path.lineTo, "C": path.cubicTo, "Z": path.close}
            add[command](*numbers)
    return path


def depth(brush, places):
    """How far outside all discs each place is (below 0: inside), float[N].

    Looked for among 2001 discs, and again around the best: between those of a fast and thin brush
    there is room.
    """
    t = np.linspace(0.0, 1.0, 2001)
    away = np.linalg.norm(places[:, None] - brush.place(t), axis=2) - brush.radius(t)
    near = t[away.argmin(axis=1)][:, None] + np.linspace(-t[1], t[1], 201)
    near = np.clip(near, 0.0, 1.0)
    discs = brush.place(near.reshape(-1)).reshape(*near.shape, 2)
    return (np.linalg.norm(places[:, None] - discs, axis=2) - brush.radius(near)).min(axis=1)


def wrong_by(brush, seed=0):
    """How far from the border places lie that only the outline or only the discs hold."""
    rng = np.random.default_rng(seed)
    t, angle = rng.random(150), rng.random(150) * 2 * np.pi
    reach = brush.radius(t) + rng.normal(0.0, 0.3, 150)
    edge = brush.place(t) + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = np.concatenate([rng.random((50, 2)) * 1.4 * SIZE - 0.2 * SIZE, edge])
    path = skia_path(outline(brush, SIZE))
    holds = np.array([path.contains(x, y) for x, y in places.tolist()])
    outside = depth(brush, places)
    return np.abs(outside)[holds != (outside <= 0)].max(initial=0.0)


coordinates = st.one_of(st.floats(0, SIZE), st.sampled_from([0.0, 50.0, 50.001, SIZE]))
points = st.tuples(coordinates, coordinates)


@hypothesis.settings(deadline=None, max_examples=150)
@hypothesis.given(
    points, points, points, st.floats(0, 40), st.one_of(st.just(None), st.floats(0, 40))
)
@hypothesis.example((10.0, 50.0), (190.0, 50.0), (20.0, 50.0), 8.0, None)  # there and back
@hypothesis.example((20.0, 20.0), (50.0, 95.0), (22.0, 20.0), 3.0, 12.0)  # a hairpin
@hypothesis.example((50.0, 50.0), (50.0, 50.0), (50.0, 50.0), 9.0, 4.0)  # a dot
@hypothesis.example((40.0, 50.0), (45.0, 50.0), (50.0, 50.0), 1.0, 30.0)  # growing over its start
@hypothesis.example((10.0, 50.0), (10.0, 50.0), (90.0, 50.0), 5.0, None)  # at rest at the start
@hypothesis.example((10.0, 10.0), (50.0, 90.0), (90.0, 10.0), 0.0, 0.0)  # nothing
@hypothesis.example((92.0, 0.0), (99.0, 0.0), (0.0, 0.0), 21.5625, 0.0)  # back, and to a point
def test_an_outline_holds_what_the_brush_covers(start, control, end, first, last):
    brush = Brush(
        np.array([start, control, end]), np.array([first, first if last is None else last])
    )
    assert wrong_by(brush) < 0.04  # of 100


def test_a_smooth_stroke_is_one_curved_piece():
    gentle = outline(Brush(np.array([[10, 80], [50, 10], [90, 80.0]]), np.array([4, 9.0])), SIZE)
    assert gentle.count("M") == gentle.count("Z") == 1
    assert "C" in gentle and "L" not in gentle and len(gentle) < 800
    dot = outline(Brush(np.full((3, 2), 50.0), np.array([9.0, 4.0])), SIZE)
    third = "A9 9 0 0 1 "
    assert dot == f"M41 50{third}54.5 42.2058{third}54.5 57.7942{third}41 50Z"


def resvg(work, scale=1):
    """The pixels that another program makes of a canvas's SVG, int[H, W, 3]."""
    height, width, _ = work.pixels.shape
    data = resvg_py.svg_to_bytes(
        svg_string=encode_svg(work).decode(), width=width * scale, height=height * scale
    )
    return np.array(Image.open(io.BytesIO(bytes(data))).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("channels", "size", "background"), [(1, (64, 48), 0.0), (3, (48, 64), 1.0)]
)
def test_pictures_are_those_of_the_pixels(channels, size, background):
    strokes = random_strokes(seed=channels, num=30, num_channels=channels)
    work = canvas(list(strokes), size, padding=2, background=background)
    pixels = np.asarray(render(work.strokes, *size, background)).astype(int)
    assert np.abs(resvg(work) - pixels).mean() < 3.0  # of 255
    assert np.abs(resvg(canvas(list(strokes[::-1]), size)) - pixels).mean() > 15.0


@pytest.mark.parametrize(
    "points",
    [
        ((0.1, 0.2), (0.5, 0.2), (0.9, 0.2)),
        ((0.1, 0.2), (0.1, 0.2), (0.9, 0.8)),  # ever faster
        ((0.1, 0.8), (0.5, 0.0), (0.9, 0.8)),
    ],
)
def test_opacity_fades_along_the_stroke(points):
    fading = stroke(*points, radius=0.05, opacity=(1.0, 0.2))
    t = np.linspace(0.05, 0.95, 7)
    brush = Brush(fading[:6].reshape(3, 2).astype(float) * 200, np.zeros(2))
    across, down = brush.place(t).astype(int).T
    levels = resvg(canvas([fading], (200, 200)))[down, across, 0]
    np.testing.assert_allclose(levels / 255, 1.0 - 0.8 * t, atol=0.05)


def test_every_stroke_stands_in_the_file_with_its_numbers():
    strokes = random_strokes(seed=0, num=12)
    strokes[3, 9] = strokes[3, 8]  # the same opacity at both ends
    tree = ET.fromstring(encode_svg(canvas(list(strokes), (20, 30), padding=4, background=0.2)))
    assert tree.get("viewBox") == "0 0 30 20"
    assert tree.find(f"{SVG}rect").get("fill") == "#333333"
    paths = tree.findall(f"{SVG}path")
    numbers = [np.array(path.get("data-stroke").split(), np.float32) for path in paths]
    np.testing.assert_array_equal(np.stack(numbers), strokes)
    fills = [path.get("fill") for path in paths]
    channels = np.floor(strokes[3, 10:].astype(float) * 255 + 0.5).astype(int)
    assert fills[3] == "#" + bytes(channels.tolist()).hex()
    assert float(paths[3].get("fill-opacity")) == pytest.approx(strokes[3, 8], abs=1e-4)
    gradients = {gradient.get("id") for gradient in tree.findall(f"{SVG}linearGradient")}
    assert {fill[5:-1] for fill in fills if fill.startswith("url")} == gradients
    assert len(gradients) == 11


def test_a_canvas_before_its_first_stroke_is_its_background():
    work = canvas([stroke((0, 0), (0, 0), (1, 1))], background=0.5).replace(length=np.int32(0))
    assert (resvg(work) == 128).all()


def test_a_picture_without_strokes_is_embedded(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = works.save(picture(pixels), tmp_path / "picture.svg")
    image = ET.parse(path).find(f"{SVG}image")
    data = base64.b64decode(image.get("href").removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data))), pixels)
    np.testing.assert_array_equal(resvg(picture(pixels)), pixels)
