"""Moving shapes, and the user's own clips: whole, damaged and of other kinds."""

import io

import av
import jax
import numpy as np
import pytest
from PIL import Image
from works.damage import damaged_copies

from creative_rl.corpora import clip_files, load_clips, moving_shapes
from creative_rl.corpora.moving_shapes import MOTIONS
from creative_rl.ops.sprites import SHAPES
from creative_rl.works import film_file

NUM, FRAMES = 48, 8


@pytest.fixture(scope="module")
def drawn():
    found = moving_shapes.draw(jax.random.key(0), NUM, FRAMES, 32, 32)
    return jax.tree.map(np.asarray, found)


def test_a_key_draws_the_same_and_another_does_not(drawn):
    again = moving_shapes.draw(jax.random.key(0), NUM, FRAMES, 32, 32)
    jax.tree.map(np.testing.assert_array_equal, drawn, again)
    other = moving_shapes.draw(jax.random.key(1), NUM, FRAMES, 32, 32)
    assert (np.asarray(other.clips) != drawn.clips).any(axis=(1, 2, 3, 4)).all()
    assert set(drawn.shapes.tolist()) == set(range(len(SHAPES)))
    assert set(drawn.motions.tolist()) == set(range(len(MOTIONS)))


def test_what_is_in_a_clip_stays_the_same_and_moves_as_told(drawn):
    """The brightest colour, the size and the centre of mass of every frame."""
    assert drawn.clips.shape == (NUM, FRAMES, 32, 32, 3) and drawn.clips.dtype == np.uint8
    ink = drawn.clips.max(axis=-1).astype(float)
    # Within the picture, but for the softened tips of stars: an edge is a pixel of 32.
    assert max(ink[:, :, [0, -1]].max(), ink[:, :, :, [0, -1]].max()) < 64
    mass = ink.sum(axis=(2, 3))
    assert (mass.max(axis=1) / mass.min(axis=1)).max() < 1.15
    brightest = drawn.clips.max(axis=(2, 3)).astype(int)
    most = np.abs(brightest - drawn.colours[:, None]).max()
    assert most <= 30  # of thin parts no pixel is whole
    middles = (np.arange(32) + 0.5) / 32
    across = (ink.sum(axis=2) * middles).sum(axis=-1) / mass
    down = (ink.sum(axis=3) * middles).sum(axis=-1) / mass
    assert np.abs(across - drawn.x).max() < 0.02 and np.abs(down - drawn.y).max() < 0.02
    for name, x_moves, y_moves in (
        ("slide", True, True), ("circle", True, True), ("sway", True, False),
        ("bounce", False, True),
    ):  # fmt: skip
        rows = drawn.motions == MOTIONS.index(name)
        assert (np.ptp(drawn.x[rows], axis=1) > 0.05).all() == x_moves, name
        assert (np.ptp(drawn.y[rows], axis=1) > 0.05).all() == y_moves, name
    circles = drawn.motions == MOTIONS.index("circle")
    away = np.hypot(drawn.x[circles] - 0.5, drawn.y[circles] - 0.5)
    assert np.ptp(away, axis=1).max() < 1e-5


@pytest.mark.parametrize(
    ("sizes", "line"),
    [((0, 4, 16, 16), "num must be .* at least 1, got 0"),
     ((1, 4, 7, 16), "height must be .* at least 8, got 7")],
)  # fmt: skip
def test_bad_sizes_are_refused(sizes, line):
    with pytest.raises(ValueError, match=f"moving_shapes.draw: {line}"):
        moving_shapes.draw(jax.random.key(0), *sizes)


# Files


def film(num_frames=10, height=32, width=48, grey=60):
    """A red square that moves to the right before a grey wall."""
    frames = np.full((num_frames, height, width, 3), grey, np.uint8)
    for number in range(num_frames):
        frames[number, :16, 3 * number : 3 * number + 16] = 200, 40, 40
    return frames


def saved(path, frames):
    data = (
        film_file.gif(frames, [80] * len(frames))
        if path.suffix.lower() == ".gif"
        else film_file.mp4(frames, *frames.shape[1:3], 12)
    )
    path.write_bytes(data)
    return path


def refused(path, line, **sizes):
    with pytest.raises(ValueError, match=line) as caught:
        load_clips(str(path), **{"num_frames": 4, "height": 16, "width": 16, **sizes})
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "tolerance"), [("a.gif", 3), ("a.mp4", 8), ("A.GIF", 3)])
def test_a_film_is_cut_into_clips(name, tolerance, tmp_path):
    frames = film()
    found = load_clips(saved(tmp_path / name, frames), num_frames=4, height=32, width=48)
    assert found.shape == (2, 4, 32, 48, 3) and found.dtype == np.uint8
    away = found.reshape(8, 32, 48, 3).astype(int) - frames[:8]
    assert np.abs(away).mean() < tolerance


def test_a_folder_is_read_in_order_and_fitted(tmp_path):
    saved(tmp_path / "b.mp4", film(5))
    saved(tmp_path / "a.gif", film(4, 64, 64, grey=90))
    (tmp_path / "notes.txt").write_text("no clip")
    found = load_clips(tmp_path, num_frames=4, height=16, width=16)
    assert found.shape == (2, 4, 16, 16, 3)
    assert np.abs(found[:, :, 12, 12].astype(int) - np.array([90, 60])[:, None, None]).max() < 12


def test_what_is_transparent_lies_on_black(tmp_path):
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 100, 50, 255, 255, 255])
    image.putpixel((0, 0), 2)
    image.save(tmp_path / "t.gif", save_all=True, append_images=[image.rotate(180)],
               transparency=2, loop=0, disposal=2)  # fmt: skip
    found = load_clips(tmp_path / "t.gif", num_frames=1, height=16, width=16)
    assert found[0, 0, 0, 0].tolist() == [0, 0, 0] and found[0, 0, 5, 5].tolist() == [200, 100, 50]


def test_sound_alone_is_refused(tmp_path):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (tmp_path / "a.mp4").write_bytes(buffer.getvalue())
    refused(tmp_path / "a.mp4", "it holds no pictures, only other streams")


def test_other_files_are_refused_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "text.mp4").write_text("this is no film")
    refused(tmp_path / "text.mp4", "no clip that PyAV reads, or a damaged one")
    (tmp_path / "empty.gif").write_bytes(b"")
    refused(tmp_path / "empty.gif", "no clip that PyAV reads, or a damaged one")
    short = saved(tmp_path / "short.gif", film(3))
    refused(short, "it has 3 frames, fewer than the 4 of a clip; give fewer, or leave it out")
    refused(tmp_path, "no clip that PyAV reads")  # the folder names the file
    monkeypatch.setattr(clip_files, "MAX_FRAMES", 2)
    refused(short, "it has more than 2 frames; cut it into shorter files", num_frames=1)
    monkeypatch.setattr(clip_files, "MAX_PIXELS", 1000)
    refused(short, "it has 48 x 32 pixels, at most 1000 are read", num_frames=1)
    (tmp_path / "none").mkdir()
    refused(tmp_path / "none", "this folder holds nothing; put clips into it, .*gif")
    (tmp_path / "none/a.txt").write_text("")
    refused(tmp_path / "none", "this folder holds no clip among its 1 entries")


def test_no_damage_raises_anything_else(tmp_path):
    for name in ("one.gif", "one.mp4"):
        path = tmp_path / name
        data = saved(path, film(6)).read_bytes()
        for damaged in damaged_copies(data, 40):
            path.write_bytes(damaged)
            try:
                load_clips(path, num_frames=2, height=8, width=8)
            except ValueError as error:
                assert str(path) in str(error) and "\n" not in str(error)


def test_names_and_sizes():
    found = load_clips("moving-shapes", num_frames=2, height=8, width=8)
    assert found.shape == (256, 2, 8, 8, 3) and found.max(axis=(1, 2, 3, 4)).min() > 100
    with pytest.raises(ValueError, match=r"'moving-shape' \(did you mean moving-shapes\?\); give"):
        load_clips("moving-shape")
    with pytest.raises(FileNotFoundError, match=r"there is no file or folder 'no/such\.gif'"):
        load_clips("no/such.gif")
    with pytest.raises(ValueError, match="load_clips: height must be 8 to 2048, got 4"):
        load_clips("moving-shapes", height=4)
