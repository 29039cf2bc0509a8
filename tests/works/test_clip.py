"""Clips: the right frames, in files that others read, and JSON that comes back the same."""

import io

import av
import jax
import numpy as np
import pytest
from PIL import Image

from creative_rl import works
from creative_rl.works import Clip
from creative_rl.works.clip import summary
from creative_rl.works.clip_film import encode_gif, encode_png


def clip(num_frames=6, height=16, width=24, padding=2, **fields):
    """A white square that goes right over a blue ground; its last frames are not there."""
    frames = np.zeros((num_frames + padding, height, width, 3), np.uint8)
    frames[:num_frames, ..., 2] = 200
    for number in range(num_frames):
        frames[number, 4:8, 2 * number : 2 * number + 4] = 255
    return Clip(**{"frames": frames, "length": np.array(num_frames, np.int32), **fields})


GOOD = clip()


def test_a_gif_plays_every_frame_at_the_rate():
    with Image.open(io.BytesIO(encode_gif(GOOD))) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (6, (192, 128), 0)
        durations = []
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
            shown = np.array(image.convert("RGB"))[4::8, 4::8]
            assert np.abs(shown.astype(int) - GOOD.frames[number]).max() < 12
    assert sum(durations) == 500


def test_a_film_has_every_frame_and_even_sides(tmp_path):
    path = works.save(clip(height=15, width=15), tmp_path / "film.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (210, 210, 12)
        shown = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    wanted = clip(height=15, width=15).frames[:6].repeat(14, axis=1).repeat(14, axis=2)
    assert np.abs(shown.astype(int) - wanted).mean() < 8.0


def test_a_sheet_shows_its_frames():
    with Image.open(io.BytesIO(encode_png(GOOD))) as image:
        assert image.size == (4 * 34 + 10, 2 * 42 + 10)
        np.testing.assert_array_equal(np.array(image)[10:26, 10:34], GOOD.frames[0])


def test_json_comes_back_the_same(tmp_path):
    back = works.load(works.save(GOOD, tmp_path / "one.json"))
    assert type(back) is Clip and back.rate == GOOD.rate
    jax.tree.map(np.testing.assert_array_equal, back, GOOD)


def test_what_has_no_frame_is_json_alone():
    empty = GOOD.replace(length=np.array(0, np.int32))
    assert works.suffixes(empty) == [".json"]
    assert works.suffixes(GOOD) == [".gif", ".mp4", ".png", ".json"]
    with pytest.raises(ValueError, match="it has no frame yet; take a step"):
        encode_gif(empty)
    assert "0 frames" in empty._repr_html_() and "<img" not in empty._repr_html_()


def test_a_card_is_the_moving_picture():
    assert works.text(GOOD) == summary(GOOD) == "6 frames of 24 x 16 pixels, 0.5 s"
    page = GOOD._repr_html_()
    assert page.count("data:image/gif;base64,") == 1 and works.text(GOOD) in page
    batch = jax.tree.map(lambda leaf: np.stack([leaf] * 9), GOOD)
    assert batch._repr_html_().count("<img") == 8 and "1 more" in batch._repr_html_()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"length": np.array(9, np.int32)}, r"length must be in 0\.\.8, got 9"),
        ({"frames": np.zeros((8, 16, 24, 3), np.float32)}, "frames must be uint8 .*, got float32"),
        ({"frames": np.zeros((8, 16, 24, 1), np.uint8)}, r"\[T, H, W, 3\] .* \(8, 16, 24, 1\)"),
        ({"frames": np.zeros((8, 2, 24, 3), np.uint8)}, r"H and W in 4\.\.2048, got .*\(8, 2, 24"),
        ({"rate": 0}, r"rate must be whole frames a second in 1\.\.60, got 0"),
        ({"rate": True}, r"rate must be whole frames a second in 1\.\.60, got True"),
    ],
)
def test_what_is_no_clip_is_refused_and_nothing_written(tmp_path, change, line):
    for suffix in (".gif", ".json"):
        with pytest.raises(ValueError, match=f"Clip: .*{line}") as bad:
            works.save(GOOD.replace(**change), tmp_path / f"bad{suffix}")
        assert "\n" not in str(bad.value)
    assert not list(tmp_path.iterdir())
