"""Levels: what is refused, their files, which bring them back, and their pictures."""

import io
import re
import sys

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from creative_rl import works
from creative_rl.works import level_picture, level_tiles, pillow
from creative_rl.works.level import Level, summary, text

NAMES = ("empty", "solid", "player", "crate", "target")
CHARACTERS = "-#@$."


def level(rows, moves=(), padding=0, names=NAMES, characters=CHARACTERS):
    tiles = np.array([[characters.index(c) for c in row] for row in rows], np.uint8)
    played = np.zeros(len(moves) + padding, np.int8)
    played[: len(moves)] = moves
    return Level(tiles, played, np.array(len(moves), np.int32), names, characters)


PUZZLE = level(["@$.", "--#"], [1])


@st.composite
def levels(draw):
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    numbers = st.lists(st.integers(0, 4), min_size=height * width, max_size=height * width)
    moves = draw(st.lists(st.integers(0, 3), max_size=12))
    tiles = np.array(draw(numbers), np.uint8).reshape(height, width)
    return Level(tiles, np.array(moves, np.int8), np.array(len(moves), np.int32), NAMES, CHARACTERS)


def assert_same(left, right):
    assert (left.names, left.characters) == (right.names, right.characters)
    for name in ("tiles", "moves", "length"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype


@pytest.mark.parametrize("suffix", [".json", ".txt", ".png"])
@hypothesis.settings(deadline=None, max_examples=15)
@hypothesis.given(original=levels())
def test_every_file_brings_it_back(tmp_path_factory, suffix, original):
    path = tmp_path_factory.mktemp("level") / f"level{suffix}"
    assert_same(works.load(works.save(original, path)), original)


def test_text_by_hand():
    lines = "Level: - empty, # solid, @ player, $ crate, . target\n@$.\n--#"
    assert text(PUZZLE) == works.text(PUZZLE) == lines + "\nMoves: r"
    assert text(level(["@$.", "--#"])) == lines
    assert text(level(["@$."], [0, 1, 2, 3], padding=3)).endswith("\nMoves: urdl")
    told = "3 x 2 tiles: 2 empty, 1 solid, 1 player, 1 crate, 1 target"
    assert summary(PUZZLE) == f"{told}; solved in 1 move"
    assert summary(level(["--"], [3, 3])) == "2 x 1 tiles: 2 empty; solved in 2 moves"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"tiles": np.zeros((2, 3, 3), np.uint8)}, r"a batch .* works\.unbatch first"),
        ({"tiles": np.full((2, 2), 5, np.uint8)}, r"tiles must be in 0\.\.4, got 5"),
        ({"tiles": np.zeros((0, 2), np.uint8)}, r"sides must be in 1\.\.256, got \(0, 2\)"),
        ({"tiles": np.zeros((2, 2), np.float32)}, "must be integers, got float32"),
        ({"moves": np.array([4], np.int8)}, r"moves must be in 0\.\.3, got 4"),
        ({"length": np.array(2, np.int32)}, r"length in 0\.\.L, .* \(1,\) and 2"),
        ({"names": NAMES[:4]}, r"characters must be 4 that differ and print, got '-#@\$\.'"),
        ({"names": (*NAMES[:4], "a, b")}, "words without commas, got"),
        ({"names": (*NAMES[:4], NAMES[0])}, "names must differ, got"),
        ({"names": "empty"}, "words without commas, got 'empty'"),
        ({"characters": "-#@$-"}, "must be 5 that differ"),
        ({"characters": " #@$."}, "must be 5 that differ and print"),
    ],
)
def test_what_is_no_level_is_refused(tmp_path, change, line):
    for suffix in (".json", ".txt", ".png"):
        with pytest.raises(ValueError, match=line) as caught:
            works.save(PUZZLE.replace(**change), tmp_path / f"level{suffix}")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("Level: nothing\n--", r"its first line must be like \"Level: \. empty"),
        ("Level: - empty, # solid\n--\n-", "got rows of other lengths"),
        ("Level: - empty, # solid\n-x", "of the characters -#, .*; got 'x'"),
        ("Level: - empty, # solid\n--\nMoves: up", "moves of urdl; got 'p'"),
        ("Level: - empty, - solid\n--", "must be 2 that differ"),
        ("Level: - empty\n", "got rows of other lengths"),
    ],
)
def test_damaged_text_is_refused_in_one_line(tmp_path, written, line):
    path = tmp_path / "level.txt"
    path.write_text(written)
    with pytest.raises(ValueError, match=rf"level\.txt is not a level: .*{line}") as caught:
        works.load(path)
    assert "\n" not in str(caught.value)


def test_other_pictures_are_canvases_and_damaged_levels_are_refused(tmp_path):
    path = tmp_path / "level.png"
    image = level_picture.draw(PUZZLE)
    path.write_bytes(pillow.png(image))
    assert type(works.load(path)) is works.Canvas
    path.write_bytes(pillow.png(image, {level_picture._KEY: '{"work": "Level"}'}))
    with pytest.raises(ValueError, match=r"level\.png has no level in it, as it says: 'arrays'"):
        works.load(path)


# Pictures.


def test_every_tile_has_a_look_of_its_own():
    names = tuple(level_tiles.DRAWINGS)
    characters = "abcdefghij"
    tiles = np.arange(len(names), dtype=np.uint8)[None]
    shown = Level(tiles, np.zeros(0, np.int8), np.array(0, np.int32), names, characters)
    image = np.asarray(level_picture.draw(shown))
    side = level_picture._SIDE * pillow.PIXELS
    assert image.shape == (side, len(names) * side, 3)
    looks = {image[:, k * side : (k + 1) * side].tobytes() for k in range(len(names))}
    assert len(looks) == len(names)


def test_a_tile_without_a_drawing_shows_its_character():
    shown = [
        level(["o."], names=("odd", "empty"), characters="o."),
        level(["x."], names=("odd", "empty"), characters="x."),
    ]
    first, second = (np.asarray(level_picture.draw(one)) for one in shown)
    half = first.shape[1] // 2
    assert (first[:, :half] != second[:, :half]).any()
    assert (first[:, half:] == second[:, half:]).all()


@pytest.mark.parametrize("size", [1, 256])
def test_extremes_draw(size):
    image = Image.open(io.BytesIO(level_picture.encode_png(level(["-" * size] * 2))))
    assert image.width <= 2 * 1024 and image.width / image.height == size / 2


def test_a_level_shows_its_picture_and_a_batch_its_first_eight(monkeypatch):
    assert re.search(r"data:image/png;base64,\w", PUZZLE._repr_html_())
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, 2, *leaf.shape)), PUZZLE)
    page = batch._repr_html_()
    assert page.count("<img") == 8 and "2 more" in page
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert PUZZLE._repr_html_() == f"<pre>{text(PUZZLE)}</pre>"
    with pytest.raises(ImportError, match="creative_rl"):
        level_picture.encode_png(PUZZLE)
