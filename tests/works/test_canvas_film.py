"""The making of a canvas: the right strokes in the right frames, in files that others read."""

import io
import itertools

import av
import jax
import numpy as np
import pytest
from PIL import Image
from works.canvases import canvas, random_strokes, stroke

from creative_rl import works
from creative_rl.ops import raster
from creative_rl.works.canvas_film import encode_gif, encode_mp4, film

render = jax.jit(raster.render, static_argnums=(1, 2, 3))
LEFT = stroke((0.25, 0.1), (0.25, 0.5), (0.25, 0.9), radius=0.1)
RIGHT = stroke((0.75, 0.1), (0.75, 0.5), (0.75, 0.9), radius=0.1)


def test_a_frame_a_stroke_from_the_empty_canvas():
    making = film(canvas([LEFT, RIGHT], (28, 28), padding=3, background=0.2))
    assert making.frames.shape == (3, 280, 280, 1)
    assert making.ticks.tolist() == [8, 8, 38]
    assert (making.frames[0] == 51).all()
    left, right = making.frames[:, 140, 70, 0], making.frames[:, 140, 210, 0]
    assert left.tolist() == [51, 255, 255] and right.tolist() == [51, 51, 255]


def test_many_strokes_share_frames():
    strokes = random_strokes(seed=0, num=240)
    making = film(canvas(list(strokes[:205]), (8, 6), padding=35))
    # 240 rows in at most 119 groups: three a frame.
    assert making.frames.shape == (70, 256, 192, 3)
    assert making.ticks.tolist() == [1] * 69 + [38]
    for frame, num in ((10, 30), (68, 204), (69, 205)):
        painted = np.asarray(render(strokes[:num], 256, 192, 0.0)).astype(int)
        assert np.abs(making.frames[frame] - painted).max() <= 1


@pytest.mark.parametrize(
    ("size", "enlarged"),
    [
        ((28, 28), (280, 280)),
        ((128, 64), (256, 128)),
        ((300, 200), (300, 200)),
        ((87, 40), (348, 160)),  # three times would be odd
        ((1, 257), (2, 514)),
    ],
)
def test_sides_are_whole_multiples_and_even(size, enlarged):
    assert film(canvas([LEFT], size)).frames.shape[1:3] == enlarged


@pytest.mark.parametrize("num_channels", [1, 3])
def test_a_gif_shows_the_making_and_rests_on_the_picture(num_channels):
    strokes = list(random_strokes(seed=1, num=9, num_channels=num_channels))
    work = canvas(strokes, (32, 48), background=1.0)
    work = work.replace(pixels=np.asarray(render(np.stack(strokes), 32, 48, 1.0)))
    making = film(work)
    with Image.open(io.BytesIO(encode_gif(work))) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (10, (288, 192), 0)
        durations, frames = [], []
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
            frames.append(np.array(image.convert("RGB")).astype(int))
    assert durations == [320] * 9 + [1520]
    tolerance = 0.0 if num_channels == 1 else 6.0
    assert all(
        np.abs(shown - frame).mean() <= tolerance
        for shown, frame in zip(frames, making.frames, strict=True)
    )
    shrunk = frames[-1].reshape(32, 6, 48, 6, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - work.pixels).mean() < 8.0  # of 255


@pytest.mark.parametrize("num_channels", [1, 3])
def test_a_film_shows_the_making_and_rests_on_the_picture(tmp_path, num_channels):
    strokes = list(random_strokes(seed=2, num=5, num_channels=num_channels))
    work = canvas(strokes, (27, 45), padding=1)
    making = film(work)
    path = works.save(work, tmp_path / "making.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 25
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == making.ticks.sum() == 5 * 8 + 38
    assert frames[0].shape == (162, 270, 3)
    for number in range(6):
        shown = frames[8 * number + 4].astype(int)
        assert np.abs(shown - making.frames[number]).mean() < 5.0  # of 255
    assert np.abs(frames[-1].astype(int) - making.frames[-1]).mean() < 5.0


def test_makings_of_one_size_share_a_program():
    from creative_rl.works.canvas_film import _paint

    film(canvas([LEFT, RIGHT], padding=3))
    before = _paint._cache_size()
    film(canvas([RIGHT], padding=4, background=0.7))
    assert _paint._cache_size() == before


def test_a_gif_of_one_palette_keeps_what_is_painted():
    strokes = list(random_strokes(seed=3, num=40, most=0.05))
    with Image.open(io.BytesIO(encode_gif(canvas(strokes, (64, 64))))) as image:
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.array(image.convert("RGB")))
    changed = [(a != b).any(axis=-1) for a, b in itertools.pairwise(frames)]
    making = film(canvas(strokes, (64, 64))).frames
    touched = [(a != b).any(axis=-1) for a, b in itertools.pairwise(making)]
    assert all((now <= may).all() for now, may in zip(changed, touched, strict=True))


def test_encoders_repeat_themselves():
    work = canvas([LEFT, RIGHT])
    assert encode_gif(work) == encode_gif(work)
    assert encode_mp4(work) == encode_mp4(work)
