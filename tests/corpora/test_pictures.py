"""Named sources, and what is common to all: arguments, sizes, channels, paths."""

import sys

import numpy as np
import pytest

from creative_rl.corpora import digits, glyphs, load_pictures, shapes

NAMES = ("shapes", "digits", "digits-train", "digits-test", "glyphs")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_name_gives_pictures_of_the_size_asked_for(name, channels):
    found = load_pictures(name, 12, 18, channels)
    assert found.dtype == np.uint8 and found.shape[1:] == (12, 18, channels)
    assert not found.flags.writeable or not np.shares_memory(found, load_pictures(name, 12, 18))
    assert (found.reshape(len(found), -1).max(axis=1) > 60).all(), "an empty picture"
    np.testing.assert_array_equal(found, load_pictures(name, 12, 18, channels))


# Digits


def test_digits_are_sklearns():
    from sklearn.datasets import load_digits

    ink, labels = load_digits(return_X_y=True)
    found, found_labels = digits.read()
    np.testing.assert_array_equal(found.reshape(-1, 64), ink)
    np.testing.assert_array_equal(found_labels, labels)
    levels = load_pictures("digits", 8, 8)
    assert levels.shape == (1797, 8, 8, 1) and levels.max() == 255
    np.testing.assert_allclose(levels.reshape(-1, 64) / 255, ink / 16, atol=0.5 / 255)


def test_the_enlarged_digits_have_the_published_squares():
    """.2289 is what a blank canvas leaves of thirty digits; with pixels' edges aligned, .2055."""
    chosen = np.random.default_rng(0).permutation(1797)[:30]
    targets = load_pictures("digits", 32, 32)[chosen] / 255
    assert round((targets**2).mean(), 4) == 0.2289


def test_enlarging_is_that_of_scipy():
    from scipy.ndimage import zoom

    small = load_pictures("digits", 8, 8)[:20, ..., 0]
    expected = np.stack([zoom(picture.astype(float), 4, order=1) for picture in small])
    found = load_pictures("digits", 32, 32)[:20, ..., 0]
    np.testing.assert_allclose(found, expected, atol=0.501)


def test_the_split_is_fixed_and_whole():
    train, test = digits.split(0)
    assert (len(train), len(test)) == (1297, 500)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(1797))
    assert train[:4].tolist() == [360, 1773, 1482, 600]
    everything = load_pictures("digits", 8, 8)
    np.testing.assert_array_equal(load_pictures("digits-train", 8, 8), everything[train])
    np.testing.assert_array_equal(load_pictures("digits-test", 8, 8), everything[test])
    assert digits.split(1)[0][:4].tolist() != train[:4].tolist()


def test_no_source_imports_the_package_that_it_reads():
    before = {"sklearn.datasets", "matplotlib.pyplot"} & set(sys.modules)
    load_pictures("digits", 8, 8)
    load_pictures("glyphs", 8, 8)
    assert {"sklearn.datasets", "matplotlib.pyplot"} & set(sys.modules) == before


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("digits", "sklearn", "data"), ("glyphs", "matplotlib", "media")],
)
def test_a_missing_package_is_one_line_with_its_extra(name, package, extra, monkeypatch):
    digits.read.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: None)
    with pytest.raises(ImportError, match=rf"pip install 'creative_rl\[{extra}\]'$"):
        load_pictures(name, 8, 8)


@pytest.mark.parametrize("name", ["glyphs", __file__])
def test_missing_pillow_is_one_line_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"need Pillow: pip install 'creative_rl\[media\]'$"):
        load_pictures(name, 8, 8)


def test_a_broken_installation_says_so(tmp_path, monkeypatch):
    digits.read.cache_clear()
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: spec)
    with pytest.raises(ImportError, match=r"digits of scikit-learn .*reinstall"):
        load_pictures("digits", 8, 8)
    with pytest.raises(ImportError, match=r"font \S+DejaVuSans.ttf \(No such file.*reinstall"):
        load_pictures("glyphs", 8, 8)


# Glyphs


def test_glyphs_are_whole_distinct_and_apart_from_the_edge():
    found = load_pictures("glyphs", 32, 32)
    assert len(found) == glyphs.NUM_PICTURES == 744
    assert found[:, [0, -1]].max() == found[:, :, [0, -1]].max() == 0
    assert found.max() == 255
    assert len(np.unique(found.reshape(744, -1), axis=0)) == 744
    # An o is the smaller, an i has its dot: the row of ink is broken in the column of its middle.
    upper, lower = (found[glyphs.CHARACTERS.index(letter)] for letter in "Oo")
    assert lower.sum() < 0.7 * upper.sum()
    i_rows = found[glyphs.CHARACTERS.index("i"), ..., 0].max(axis=1) > 128
    assert np.diff(i_rows.astype(int)).tolist().count(1) == 2


@pytest.mark.parametrize(("height", "width"), [(32, 64), (64, 32)])
def test_glyphs_on_an_oblong_canvas_are_in_its_middle_and_not_cut(height, width):
    square, oblong = load_pictures("glyphs", 32, 32), load_pictures("glyphs", height, width)
    top, left = (height - 32) // 2, (width - 32) // 2
    np.testing.assert_array_equal(oblong[:, top : top + 32, left : left + 32], square)
    assert oblong.sum() == square.sum()


# Shapes


def test_shapes_have_the_areas_of_their_formulas():
    """A disc pi, a ring pi (1 - 1/4), a triangle 3 sqrt(3) / 4, and so on, in squares of radii."""
    found = load_pictures("shapes", 256, 256) / 255
    assert len(found) == shapes.NUM_PICTURES == 40
    level = found.max(axis=(1, 2, 3))
    areas = (found.sum(axis=(1, 2, 3)) / level).reshape(8, 5) / 256**2
    bar = 4 * 0.96 * 0.28
    unit = np.array([np.pi, 0.75 * np.pi, 0.75 * np.sqrt(3), 2 * bar - 4 * 0.28**2, bar])
    radii = np.sqrt(areas / unit)
    strides = shapes._STRIDES[2]
    expected = 0.2 + 0.2 * ((0.5 + np.arange(1, 41) * strides) % 1).reshape(8, 5)
    np.testing.assert_allclose(radii, expected, rtol=0.01)
    assert level.min() >= 0.5 - 1 / 255 and level.max() > 0.95


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 64), (64, 24)])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_lie_inside_and_have_soft_edges(height, width, channels):
    found = load_pictures("shapes", height, width, channels)
    assert found[:, [0, -1]].max() == found[:, :, [0, -1]].max() == 0
    brightest = found.max(axis=(1, 2), keepdims=True)
    soft = ((found > 0) & (found < brightest)).sum(axis=(1, 2, 3))
    assert (soft > 4).all()
    assert len(np.unique(found.reshape(40, -1), axis=0)) == 40


def test_a_shape_is_the_same_at_every_size():
    large = load_pictures("shapes", 128, 128).astype(np.float64)
    small = load_pictures("shapes", 32, 32)
    averaged = large.reshape(40, 32, 4, 32, 4, 1).mean(axis=(2, 4))
    assert np.abs(averaged - small).mean() < 1.5


# Arguments and paths


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((0, 8), "height must be 1 to 2048 pixels, got 0"),
        ((8, -1), "width must be 1 to 2048 pixels, got -1"),
        ((8, 2049), "width must be 1 to 2048 pixels, got 2049"),
        ((8, 8, 2), r"channels must be 1 \(grey\) or 3 \(RGB\), got 2"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, line):
    with pytest.raises(ValueError, match=line):
        load_pictures("shapes", *arguments)


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        ("digit", ValueError, r"no source of pictures 'digit' \(did you mean digits\?\); give one"),
        ("qqqq", ValueError, "no source of pictures 'qqqq'; give one of shapes, digits"),
        ("", ValueError, "no source of pictures ''"),
        ("faces.png", FileNotFoundError, "no file or folder 'faces.png'; give"),
        ("a/b", FileNotFoundError, "no file or folder 'a/b'"),
    ],
)
def test_what_is_not_there_is_one_line(source, kind, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=line) as caught:
        load_pictures(source, 8, 8)
    assert "\n" not in str(caught.value)


def test_a_path_object_is_never_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no file or folder 'digits'"):
        load_pictures(tmp_path.joinpath("digits").relative_to(tmp_path), 8, 8)
