"""Walks: what is refused, their files, their text and their map."""

import base64
import io
import json
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
from creative_rl.works import pillow, walk_map
from creative_rl.works.walk import Walk, has_arrived, summary, text

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), (0, 0))


def pixel(size, row, column):
    """The middle of a cell."""
    x, y = walk_map._Frame(size).centre(row, column)
    return round(x * pillow.PIXELS), round(y * pillow.PIXELS)


def walk(places, size=3, goal=None, padding=0):
    cells = np.zeros((len(places) + padding, 2), np.int32)
    cells[: len(places)] = places
    goal = np.array(goal or (size - 1, size - 1), np.int32)
    return Walk(cells, np.array(len(places) - 1, np.int32), goal, size=size)


@st.composite
def walks(draw):
    size = draw(st.integers(1, 12))
    place = [draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))]
    places = [tuple(place)]
    for move in draw(st.lists(st.sampled_from(MOVES), max_size=30)):
        place = [min(max(a + b, 0), size - 1) for a, b in zip(place, move, strict=True)]
        places.append(tuple(place))
    goal = (draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1)))
    return walk(places, size, goal, draw(st.integers(0, 3)))


def assert_same(left, right):
    assert left.size == right.size
    for name in ("cells", "length", "goal"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(walks())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("json") / "walk.json"
    assert_same(works.load(works.save(original, path)), original)


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".txt", b"0 1 .\n"), (".json", b"{")]
)
def test_the_suffix_decides(tmp_path, suffix, start):
    path = works.save(walk([(0, 0), (0, 1)]), tmp_path / f"walk{suffix}")
    assert path.read_bytes().startswith(start)
    with pytest.raises(ValueError, match=r"a Walk is written as \.png, \.txt, \.json, got"):
        works.save(walk([(0, 0)]), tmp_path / "walk.mid")


@pytest.mark.parametrize("way", [[(0, 0)], [(0, 0), (0, 1)], [(0, 0), (0, 1), (0, 0)] * 4])
def test_its_text_is_for_people_and_no_text_comes_back(tmp_path, way):
    path = works.save(walk(way), tmp_path / "walk.txt")
    words = r"walk\.txt is the text of a Walk, which does not hold all of it; save the"
    with pytest.raises(ValueError, match=words):
        works.load(path)
    for line in (
        "2 steps to the goal",
        ". .\n2 steps to the goal",
        "a b\nc d\n2 steps to the goal",
    ):
        path.write_text(line)
        assert works.text(works.load(path)) == line


def test_text_by_hand():
    way = [(0, 0), (0, 1), (0, 0), (0, 0), (1, 0)]
    assert text(walk(way)) == "3 1 .\n4 . .\n. . *\n4 steps, not at the goal"
    assert text(walk(way, goal=(1, 0))) == "3 1 .\n4 . .\n. . .\n4 steps to the goal"
    long = walk([(0, 0), (0, 1)] * 6, size=2)
    assert text(long) == "10 11\n .  *\n11 steps, not at the goal"
    assert summary(walk([(0, 0), (1, 0)], goal=(1, 0))) == "1 step to the goal"
    assert has_arrived(walk([(1, 1)], goal=(1, 1)))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"cells": np.zeros((2, 3, 2), np.int32)}, r"a batch .* works\.unbatch first"),
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"size": 0}, r"size must be a whole number in 1\.\.256, got 0"),
        ({"size": "3"}, r"size must be .* got '3'"),
        ({"size": 2}, r"cells must be in 0\.\.1, got 2"),
        (
            {"cells": np.array([[0, 0], [-1, 0], [0, 0]], np.int32)},
            r"cells must be in 0\.\.2, got -1",
        ),
        ({"goal": np.array([0, 3], np.int32)}, r"goal must be in 0\.\.2, got 3"),
        ({"goal": np.array([0], np.int32)}, r"pairs of row and column, .* \(1,\)"),
        ({"cells": np.zeros((3, 2), np.float32)}, "must be integers, got float32"),
        ({"length": np.int32(3)}, r"length must be in 0\.\.2, got 3"),
        ({"length": np.int32(-1)}, r"length must be in 0\.\.2, got -1"),
        (
            {"cells": np.array([[0, 0], [0, 1], [1, 2]], np.int32)},
            r"step 2 goes from \[0, 1\] to \[1, 2\]",
        ),
    ],
)
def test_what_is_no_walk_leaves_what_was_there(tmp_path, change, line):
    good = walk([(0, 0), (0, 1), (0, 2)])
    path = works.save(good, tmp_path / "walk.json")
    for suffix in (".json", ".png", ".txt"):
        with pytest.raises(ValueError, match=line) as caught:
            works.save(good.replace(**change), tmp_path / f"walk{suffix}")
        assert "\n" not in str(caught.value)
    assert_same(works.load(path), good)
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_json_is_refused_in_one_line(tmp_path):
    path = works.save(walk([(0, 0), (0, 1)]), tmp_path / "walk.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "goal": [0, 9]}))
    with pytest.raises(ValueError, match=r"walk\.json: Walk: goal must be in 0\.\.2, got 9"):
        works.load(path)


# The map.


def test_the_way_and_the_visits_are_where_they_belong():
    places = [(0, 0), (0, 1), (1, 1), (0, 1), (0, 2)]
    image = walk_map.draw(walk(places, size=4))

    def colour(row, column, right=0.0, down=0.0):
        x, y = pixel(4, row, column)
        reach = walk_map._CELL * pillow.PIXELS
        return image.getpixel((x + round(right * reach), y + round(down * reach)))

    def is_way(pixel):
        return max(pixel) - min(pixel) > 70

    for place, right, down in (((0, 0), 0.5, 0), ((0, 1), 0, 0.5), ((0, 1), 0.5, 0)):
        assert is_way(colour(*place, right, down))
    for place, right, down in (((0, 0), 0, 0.5), ((1, 0), 0.5, 0), ((1, 2), 0, 0.5)):
        assert not is_way(colour(*place, right, down))
    corners = {visits: colour(*at, 0.3, 0.3) for visits, at in enumerate([(3, 0), (0, 0), (0, 1)])}
    assert corners[0] == walk_map._CELL_COLOUR
    assert sum(corners[0]) > sum(corners[1]) > sum(corners[2])  # the darker the more visits
    assert colour(0, 0) == (255, 255, 255)  # the ring at the start


def test_the_star_is_golden_where_it_was_reached():
    for goal, is_golden in (((0, 1), True), ((2, 2), False)):
        image = walk_map.draw(walk([(0, 0), (0, 1)], goal=goal))
        red, _, blue = image.getpixel(pixel(3, *goal))
        assert (red - blue > 100) == is_golden


@pytest.mark.parametrize("size", [1, 2, 64, 256])
def test_extremes_draw(size):
    corner = size - 1
    for places in ([(corner, corner)], [(corner, 0)] * 50):
        image = Image.open(io.BytesIO(walk_map.encode_png(walk(places, size))))
        assert image.format == "PNG" and image.width <= 2 * 660


# In a notebook.


def test_a_walk_shows_its_map_and_a_batch_its_first_eight(monkeypatch):
    one = walk([(0, 0), (0, 1)])
    page = one._repr_html_()
    picture = re.search(r"data:image/png;base64,([^\"]+)", page)[1]
    assert Image.open(io.BytesIO(base64.b64decode(picture))).format == "PNG"
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, 2, *leaf.shape)), one)
    page = batch._repr_html_()
    assert page.count("<img") == 8 and "2 more" in page
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert one._repr_html_() == f"<pre>{text(one)}</pre>"
    with pytest.raises(ImportError, match="creative_rl"):
        walk_map.encode_png(one)


def test_what_is_no_walk_yet_shows_its_fields():
    shown = []

    @jax.jit
    def trace(work):
        shown.append(work._repr_html_())
        return work

    trace(walk([(0, 0)]))
    shown.append(jax.eval_shape(trace, walk([(0, 0)]))._repr_html_())
    shown.append(walk([(0, 0), (2, 2)])._repr_html_())
    assert all(page.startswith("<pre>Walk(") for page in shown)
