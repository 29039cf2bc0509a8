"""The user's own files: images in every mode, folders, IDX, .npy and .npz, whole and damaged."""

import gzip
import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from creative_rl.corpora import load_pictures, picture_files


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def load(path, size=8, channels=1):
    return load_pictures(str(path), size, size, channels)


def refused(path, line, size=8):
    with pytest.raises(ValueError, match=line) as caught:
        load(path, size)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


# Images


def test_an_image_comes_back_as_it_was_saved(tmp_path):
    grey, colour = noise(8, 8), noise(8, 8, 3)
    path = saved(tmp_path / "a.png", Image.fromarray(grey))
    np.testing.assert_array_equal(load(path), grey[None, ..., None])
    np.testing.assert_array_equal(load(path, channels=3), grey[None, ..., None].repeat(3, -1))
    path = saved(tmp_path / "b.bmp", Image.fromarray(colour))
    np.testing.assert_array_equal(load(path, channels=3), colour[None])
    np.testing.assert_array_equal(
        load_pictures(path, 8, 8, 3), colour[None], "a path object is a path"
    )


def palette(with_transparency):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50, 255, 255, 255])
    image.putpixel((0, 0), 2)
    return image, {"transparency": bytes([255, 255, 0])} if with_transparency else {}


@pytest.mark.parametrize(("transparent", "corner"), [(False, 255), (True, 0)])
def test_palettes_with_and_without_transparency(transparent, corner, tmp_path):
    image, options = palette(transparent)
    found = load(saved(tmp_path / "p.png", image, **options), channels=3)[0]
    assert found[1, 1].tolist() == [200, 100, 50] and found[0, 0].tolist() == [corner] * 3


def test_what_is_transparent_lies_on_black(tmp_path):
    image = Image.new("RGBA", (8, 8), (200, 100, 50, 51))  # a fifth
    found = load(saved(tmp_path / "a.png", image), channels=3)
    np.testing.assert_allclose(found[0, 0, 0].astype(int), [40, 20, 10], atol=1)
    image = Image.new("LA", (8, 8), (200, 128))
    np.testing.assert_allclose(load(saved(tmp_path / "b.png", image)), 100, atol=1)
    image = Image.new("RGB", (8, 8), (9, 8, 7))
    found = load(saved(tmp_path / "c.png", image, transparency=(9, 8, 7)))
    assert found.max() == 0


def test_sixteen_bits_one_bit_floats_and_print_colours(tmp_path):
    deep = (np.arange(64).reshape(8, 8) * 1000 + 257).astype(np.uint16)
    expected = np.rint(deep / 257).astype(np.uint8)
    for name in ("deep.png", "deep.tif", "deep.pgm"):
        found = load(saved(tmp_path / name, Image.fromarray(deep)))
        np.testing.assert_array_equal(found[0, ..., 0], expected)
    bits = noise(8, 8) > 128
    found = load(saved(tmp_path / "bits.png", Image.fromarray(bits)))
    np.testing.assert_array_equal(found[0, ..., 0], bits * 255)
    floats = (np.arange(64).reshape(8, 8) / 63).astype(np.float32)
    found = load(saved(tmp_path / "floats.tif", Image.fromarray(floats)))
    np.testing.assert_array_equal(found[0, ..., 0], np.rint(floats * 255))
    found = load(saved(tmp_path / "ink.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0))), 8, 3)
    np.testing.assert_allclose(found[0, 4, 4].astype(int), [255, 0, 0], atol=4)


def test_levels_beyond_sixteen_bits_are_refused(tmp_path):
    refused(
        saved(tmp_path / "deep.tif", Image.fromarray(np.full((4, 4), 70_000, np.int32))),
        r"its levels are 70000\.\.70000, at most 16 bits",
    )
    refused(
        saved(tmp_path / "floats.tif", Image.fromarray(np.full((4, 4), 7, np.float32))),
        r"floats lie in 0\.\.1, got 7\.\.7",
    )


def test_the_cameras_orientation_is_applied(tmp_path):
    picture = noise(8, 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right for looking at
    path = saved(tmp_path / "a.png", Image.fromarray(picture), exif=exif)
    np.testing.assert_array_equal(load(path)[0, ..., 0], np.rot90(picture, -1))


def test_an_animation_gives_its_first_picture(tmp_path):
    frames = [Image.new("L", (8, 8), level) for level in (200, 10)]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert np.unique(load(path)).tolist() == [200]


def test_one_pixel_fills_the_canvas(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (1, 1), (10, 20, 30)))
    found = load_pictures(str(path), 5, 3, 3)
    np.testing.assert_array_equal(found, np.broadcast_to(np.uint8([10, 20, 30]), (1, 5, 3, 3)))


def test_an_oblong_picture_is_cut_around_its_middle(tmp_path):
    stripes = np.zeros((8, 16), np.uint8)
    stripes[:, 4:12] = 255
    assert load(saved(tmp_path / "a.png", Image.fromarray(stripes))).min() == 255


def test_shrinking_averages_areas(tmp_path):
    picture = noise(50, 40, 3)
    path = saved(tmp_path / "a.png", Image.fromarray(picture))
    # 40 pixels in 16: each doubled, then five in one.
    doubled = picture[5:45].repeat(2, axis=0).repeat(2, axis=1)
    exact = doubled.reshape(16, 5, 16, 5, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(load(path, 16, 3)[0], exact, atol=0.501)
    box = Image.fromarray(picture).resize((10, 10), Image.Resampling.BOX, box=(0, 5, 40, 45))
    np.testing.assert_allclose(load(path, 10, 3)[0].astype(int), np.asarray(box), atol=1)


def test_no_picture_truncated_or_damaged(tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    refused(text, "text.png: it is not a picture in a format that Pillow reads")
    whole = saved(tmp_path / "a.png", Image.fromarray(noise(64, 64, 3))).read_bytes()
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(cut, "cut.png: it is a damaged picture .*truncated")
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    refused(empty, "not a picture")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.new("1", (300, 200)))
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 59_999)
    refused(path, "it has 300 x 200 pixels, at most 59999 are read")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)  # Pillow's own refusal, at twice that
    refused(path, "it has too many pixels, at most 59999 are read")
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 60_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)  # its warning is not passed on
    assert load(path).max() == 0


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_no_damage_crashes_or_takes_more_than_one_line(data, tmp_path_factory):
    suffix = data.draw(st.sampled_from(["PNG", "GIF", "TIFF", "JPEG", "BMP", "WEBP", "PPM"]))
    buffer = io.BytesIO()
    Image.fromarray(noise(12, 12, 3)).save(buffer, suffix)
    spoilt = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"spoilt.{suffix.lower()}"
    path.write_bytes(spoilt)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from Pillow's metadata readers
        try:
            assert load(path).shape == (1, 8, 8, 1)
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)


# Folders


def test_a_folder_gives_its_pictures_in_order_of_name(tmp_path):
    for name, level in (("b.PNG", 2), ("a.jpg", 1), ("c.gif", 3)):
        saved(tmp_path / name, Image.new("L", (4 + level, 9), level * 50))
    (tmp_path / "notes.txt").write_text("not one of them")
    (tmp_path / "._a.png").write_text("what a Mac leaves")
    (tmp_path / "folder.png").mkdir()
    found = load(tmp_path)
    assert found.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), [50, 100, 150], atol=1)


def test_folders_without_pictures_and_with_a_bad_one(tmp_path):
    refused(tmp_path, "this folder holds nothing; put pictures into it, files that end in .png")
    (tmp_path / "notes.txt").write_text("a")
    refused(tmp_path, "this folder holds no picture among its 1 entries")
    saved(tmp_path / "a.png", Image.new("L", (4, 4)))
    (tmp_path / "b.png").write_text("text")
    with pytest.raises(ValueError, match=r"b\.png: it is not a picture"):
        load(tmp_path)


def test_an_unreadable_file_is_one_line(tmp_path, monkeypatch):
    def deny(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = saved(tmp_path / "a.png", Image.new("L", (4, 4)))
    monkeypatch.setattr(picture_files, "read", deny)
    refused(path, r"a\.png: it cannot be read \(Permission denied\)")
    monkeypatch.setattr(picture_files, "find", deny)
    refused(tmp_path, r"it cannot be read \(Permission denied\)")


# IDX


def idx(pictures, magic=0x803):
    return struct.pack(">IIII", magic, *pictures.shape) + pictures.tobytes()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("train-images-idx3-ubyte", bytes),
        ("train-images-idx3-ubyte.gz", gzip.compress),
        ("emnist.gz", gzip.compress),
        ("unpacked.idx", bytes),
        ("named-wrongly-ubyte.gz", bytes),
    ],
)
def test_idx_plain_and_gzipped(name, pack, tmp_path):
    pictures = noise(5, 28, 28)
    (tmp_path / name).write_bytes(pack(idx(pictures)))
    np.testing.assert_array_equal(load(tmp_path / name, 28)[..., 0], pictures)
    np.testing.assert_array_equal(load(tmp_path / name, 14)[:, 0, 0, 0] > 0, True)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (idx(noise(2, 4, 4), magic=0x801), "these are labels in IDX"),
        (idx(noise(2, 4, 4), magic=0xD03), "begin with 0x00000803 and three sizes, got 0x00000d03"),
        (b"text", "got 0x74657874"),
        (b"", "got 0x$"),
        (idx(noise(2, 4, 4))[:9], "and three sizes"),
        (idx(noise(2, 4, 4))[:-1], "announces 32 bytes of pixels, 31 follow"),
        (idx(noise(2, 4, 4)) + b"x", "announces 32 bytes of pixels, more follow"),
        (struct.pack(">IIII", 0x803, *[2**32 - 1] * 3), "announces .* bytes of pixels, 0 follow"),
        (idx(noise(0, 4, 4)), r"it holds no pixels, its shape is \[0, 4, 4, 1\]"),
        (gzip.compress(idx(noise(2, 4, 4)), mtime=0)[:-9], "its compression is damaged"),
        (b"\x1f\x8b and not gzip at all", "its compression is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_damaged_idx_is_refused(data, line, tmp_path):
    (tmp_path / "ubyte").write_bytes(data)
    refused(tmp_path / "ubyte", line)


# NumPy's files


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (noise(3, 8, 8), (3, 8, 8, 1)),
        (noise(3, 8, 8, 1), (3, 8, 8, 1)),
        (noise(3, 64), (3, 8, 8, 1)),
        (noise(3, 8, 8, 3), (3, 8, 8, 3)),
    ],
)
def test_arrays_in_every_layout(array, shape, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "b.npz", array)
    np.savez_compressed(tmp_path / "c.npz", labels=np.arange(3), x_train=array, x_test=array[:1])
    np.save(tmp_path / "fortran.npy", np.asfortranarray(array))
    for path in tmp_path.iterdir():
        found = load(path, channels=shape[-1])
        np.testing.assert_array_equal(found, array.reshape(shape))


def test_floats_are_levels_of_255(tmp_path):
    array = np.linspace(0, 1, 64, dtype=np.float16).reshape(1, 8, 8)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(load(tmp_path / "a.npy")[..., 0], np.rint(array * 255.0))


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.array([{"a": 1}], object), "it holds Python objects, which are not read"),
        (np.full((1, 4, 4), np.nan), "got one that is not finite"),
        (np.full((1, 4, 4), 255.0), r"floats lie in 0\.\.1, got 255\.\.255"),
        (np.full((1, 4, 4), 255), "uint8, bool or floats in 0..1, got int64"),
        (np.array([["a"] * 4]), "uint8, bool or floats in 0..1, got <U1"),
        (noise(4), r"or \[N, D\] with D a square number, got \[4\]"),
        (noise(4, 8), r"got \[4, 8\]"),
        (noise(2, 4, 4, 4), r"got \[2, 4, 4, 4\]"),
        (noise(2, 4, 4, 1, 1), r"got \[2, 4, 4, 1, 1\]"),
        (noise(0, 4, 4), r"it holds no pixels, its shape is \[0, 4, 4, 1\]"),
        (noise(3, 0), "it holds no pixels"),
    ],
)
def test_other_arrays_are_refused(array, line, tmp_path):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    refused(tmp_path / "a.npy", line)
    np.savez(tmp_path / "a.npz", array)
    refused(tmp_path / "a.npz", line)


def test_several_arrays_without_the_names_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", b=noise(1, 4, 4), a=noise(1, 4, 4))
    refused(tmp_path / "a.npz", "it has the arrays a, b; call the one with the pictures pictures")
    np.savez(tmp_path / "b.npz")
    refused(tmp_path / "b.npz", r"it has the arrays \(none\)")


def test_damaged_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", noise(4, 8, 8))
    whole = (tmp_path / "a.npy").read_bytes()
    path = tmp_path / "b.npy"
    for data, line in (
        (whole[:200], "b.npy: "),
        (whole[:20], "b.npy: "),
        (b"", "it does not begin as an .npy file does"),
        (b"text, a long one, and longer than a header", "it does not begin"),
        (whole.replace(b"(4, 8, 8)", b"(4, 8, 99999999999)"), "b.npy: "),
    ):
        path.write_bytes(data)
        refused(path, line)
    np.savez(tmp_path / "a.npz", noise(4, 8, 8))
    whole = (tmp_path / "a.npz").read_bytes()
    path = tmp_path / "b.npz"
    for data in (whole[:200], b"", b"text", whole[:100] + bytes(99) + whole[199:]):
        path.write_bytes(data)
        refused(path, "b.npz: ")
