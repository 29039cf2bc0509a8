"""Animations: the right frames, in files that others read, and JSON that comes back the same."""

import io
import re

import av
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from PIL import Image

from creative_rl import works
from creative_rl.works import Animation
from creative_rl.works.animation import on_host, summary
from creative_rl.works.animation_film import encode_gif, encode_mp4, encode_png, frames


def animation(num_frames=6, num_sprites=2, padding=2, **fields):
    """A disc and a star that cross from left to right, the scene changing half-way."""
    rows = num_frames + padding
    poses = np.zeros((rows, num_sprites, 4), np.float32)
    time = np.linspace(0.25, 0.75, num_frames, dtype=np.float32)
    for sprite in range(num_sprites):
        poses[:num_frames, sprite] = np.stack(
            [time, np.full_like(time, 0.3 + 0.3 * sprite), np.full_like(time, 0.2), time], axis=-1
        )
    cameras = np.zeros((rows, 3), np.float32)
    cameras[:num_frames] = 0.5, 0.5, 1.0
    scenes = np.zeros(rows, np.int32)
    scenes[num_frames // 2 : num_frames] = 1
    values = {
        "sprites": np.tile(np.arange(num_sprites, dtype=np.int32), (rows, 1)),
        "poses": poses,
        "cameras": cameras,
        "scenes": scenes,
        "length": np.array(num_frames, np.int32),
        "shapes": np.array([0, 4], np.int32),
        "colours": np.array([[255, 0, 0], [250, 220, 90]], np.uint8),
        "backdrops": np.array([[[0, 0, 255]] * 2, [[20, 20, 20], [0, 255, 0]]], np.uint8),
        "height": 48,
        "width": 64,
        "rate": 12,
    }
    return Animation(**{**values, **fields})


GOOD = animation()


def test_a_frame_a_moment():
    shown = frames(GOOD)
    assert shown.shape == (6, 48, 64, 3) and shown.dtype == np.uint8
    for number in range(6):
        column = round(64 * (0.25 + 0.1 * number))
        assert shown[number, 14, column].tolist() == [255, 0, 0]
        assert shown[number, 29, column].tolist() == [250, 220, 90]
    assert shown[0, 47, 63].tolist() == [0, 0, 255] and shown[5, 47, 0].tolist() == [0, 255, 0]


def test_nobody_is_not_drawn_and_may_be_anywhere():
    sprites = GOOD.sprites.copy()
    sprites[:, 0] = -1
    poses = GOOD.poses.copy()
    poses[:, 0] = np.nan
    shown = frames(GOOD.replace(sprites=sprites, poses=poses))
    assert shown[0, 14, 16].tolist() == [0, 0, 255] and shown[0, 29, 16].tolist() == [250, 220, 90]


def test_a_gif_plays_every_frame_at_the_rate():
    with Image.open(io.BytesIO(encode_gif(GOOD))) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (6, (64, 48), 0)
        durations, shown = [], []
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
            shown.append(np.array(image.convert("RGB")).astype(int))
    assert sum(durations) == 500 and set(durations) <= {80, 90}
    assert np.abs(np.stack(shown) - frames(GOOD)).mean() < 2.0


def test_a_film_has_every_frame(tmp_path):
    path = works.save(GOOD, tmp_path / "film.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate) == ("h264", 12)
        shown = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    assert shown.shape == (6, 48, 64, 3)
    assert np.abs(shown.astype(int) - frames(GOOD)).mean() < 8.0  # of 255; chroma is halved


def test_a_sheet_shows_at_most_twelve_frames():
    with Image.open(io.BytesIO(encode_png(GOOD))) as image:
        assert image.size == (4 * 74 + 10, 2 * 74 + 10)
        pixels = np.array(image)
    np.testing.assert_array_equal(pixels[10:58, 10:74], frames(GOOD)[0])
    assert (pixels[:, 3 * 74 :][90:] == 255).all()  # two places of the last row are empty
    with Image.open(io.BytesIO(encode_png(animation(30, padding=0)))) as image:
        assert image.size == (4 * 74 + 10, 3 * 74 + 10)


def test_encoders_repeat_themselves():
    for encode in (encode_gif, encode_mp4, encode_png):
        assert encode(GOOD) == encode(GOOD)


@st.composite
def animations(draw):
    num_frames, num_sprites = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    places = st.floats(-8, 9, width=32)

    def floats(shape, last, low, high):
        array = draw(hnp.arrays(np.float32, shape, elements=places))
        array[..., last] = draw(st.floats(low, high, width=32))
        return array

    return animation(
        sprites=draw(hnp.arrays(np.int32, (num_frames, num_sprites), elements=st.integers(-1, 1))),
        poses=floats((num_frames, num_sprites, 4), 2, 0.125, 4),
        cameras=floats((num_frames, 3), 2, 0.125, 20),
        scenes=draw(hnp.arrays(np.int32, num_frames, elements=st.integers(0, 1))),
        length=np.array(draw(st.integers(0, num_frames)), np.int32),
    )


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(animations())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = works.save(original, tmp_path_factory.mktemp("animations") / "one.json")
    back = works.load(path)
    assert jax.tree.structure(back) == jax.tree.structure(original)
    for one, other in zip(jax.tree.leaves(back), jax.tree.leaves(original), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_what_has_no_frame_is_json_alone():
    empty = GOOD.replace(length=np.array(0, np.int32))
    assert works.suffixes(empty) == [".json"]
    assert works.suffixes(GOOD) == [".gif", ".mp4", ".png", ".json"]
    assert summary(empty) == "0 frames of 64 x 48 pixels, 0.0 s, 2 sprites"
    with pytest.raises(ValueError, match="it has no frame yet; take a step"):
        encode_gif(empty)
    assert "0 frames" in empty._repr_html_() and "<img" not in empty._repr_html_()


def test_a_card_is_the_moving_picture():
    assert works.text(GOOD) == "6 frames of 64 x 48 pixels, 0.5 s, 2 sprites, scenes 1, 2"
    page = GOOD._repr_html_()
    assert page.count("data:image/gif;base64,") == 1 and works.text(GOOD) in page
    batch = jax.tree.map(lambda leaf: np.stack([leaf] * 9), GOOD)
    assert batch._repr_html_().count("<img") == 8 and "1 more" in batch._repr_html_()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"length": np.array(9, np.int32)}, r"length must be in 0\.\.8, got 9"),
        ({"sprites": np.full((8, 2), 2, np.int32)}, r"sprites must be in -1\.\.1, got 2"),
        ({"sprites": np.zeros((8, 2), np.float32)}, r"sprites must be integer .*, got float32"),
        ({"poses": np.zeros((8, 2, 4), np.float32)}, r"radii in poses must be in .*, got 0\.0"),
        ({"poses": np.full((8, 2, 4), np.nan, np.float32)}, "places in poses must be .* got nan"),
        ({"poses": np.ones((8, 1, 4), np.float32)}, r"poses must be .* \[8, 2, 4\], got .* \[8, 1"),
        ({"cameras": np.zeros((8, 3), np.float32)}, r"zooms of cameras must be in 0\.05\.\.20\.0"),
        ({"scenes": np.full(8, 2, np.int32)}, r"scenes must be in 0\.\.1, got 2"),
        ({"shapes": np.array([0, 6], np.int32)}, r"shapes must be in 0\.\.5, got 6"),
        ({"colours": np.zeros((2, 3), np.int32)}, r"colours must be uint8 of the shape \[2, 3\]"),
        ({"backdrops": np.zeros((0, 2, 3), np.uint8)}, r"scenes must be in 0\.\.-1"),
        ({"height": 47}, r"height must be an even number of pixels in 16\.\.2048, got 47"),
        ({"rate": 0}, r"rate must be whole frames a second in 1\.\.60, got 0"),
    ],
)
def test_what_is_no_animation_is_refused_and_nothing_written(tmp_path, change, line):
    for suffix in (".gif", ".json"):
        with pytest.raises(ValueError, match=f"Animation: .*{line}") as bad:
            works.save(GOOD.replace(**change), tmp_path / f"bad{suffix}")
        assert "\n" not in str(bad.value)
    assert not list(tmp_path.iterdir())


def test_json_names_what_is_wrong(tmp_path):
    path = works.save(GOOD, tmp_path / "one.json")
    path.write_text(re.sub(r'"rate": 12', '"rate": 120', path.read_text()))
    with pytest.raises(ValueError, match=r"one\.json: Animation: rate must be whole .* got 120"):
        works.load(path)


def test_other_sizes_are_drawn_anew():
    assert frames(GOOD, 96, 128).shape == (6, 96, 128, 3)
    with pytest.raises(ValueError, match=r"height and width must be in 16\.\.2048, got \(8, 64\)"):
        frames(GOOD, 8)


def test_a_work_of_device_arrays_is_checked_on_the_host():
    checked = on_host(jax.tree.map(jax.numpy.asarray, GOOD))
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(checked))
