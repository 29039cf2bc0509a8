"""Sessions with a recommender: what is refused, their files, their text and their picture."""

import json
import re
import wave
import xml.etree.ElementTree

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl import works
from creative_rl.experiment.report import write_report
from creative_rl.works import slate_card
from creative_rl.works.slate import Slate, summary, text

ARRAYS = ("items", "choices", "amounts", "traits", "music", "length")


def session(slates, names=(), padding=0, music=None):
    """Of rows (items, choice, amount, trait)."""
    num, places = len(slates) + padding, len(slates[0][0])
    rows = [*slates, *[((0,) * places, 0, 0, 0)] * padding]
    items, choices, amounts, traits = zip(*rows, strict=True)
    return Slate(
        items=np.array(items, np.int16),
        choices=np.array(choices, np.int16),
        amounts=np.array(amounts, np.float16),
        traits=np.array(traits, np.float16),
        music=np.zeros((num, 0), np.int32) if music is None else np.array(music, np.int32),
        length=np.array(len(slates), np.int32),
        names=names,
    )


EVENING = session(
    [((2, 0), 1, 4, 1.5), ((1, -1), 0, 0, 0), ((1, 2), 2, 2.5, -0.5)], ("a", "<b>", "c"), padding=1
)


def assert_same(left, right):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype
    assert (left.names, left.unit, left.trait) == (right.names, right.unit, right.trait)


WORDS = ("", "a", "<&>", "[b]", "Zwölf, 12")


@st.composite
def sessions(draw):
    places, num_items = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rows = []
    for _ in range(draw(st.integers(1, 8))):
        items = draw(st.lists(st.integers(-1, num_items - 1), min_size=places, max_size=places))
        shown = [0, *(1 + place for place, item in enumerate(items) if item >= 0)]
        number = st.floats(-4, 4, width=16)
        rows.append((items, draw(st.sampled_from(shown)), draw(number), draw(number)))
    names = tuple(draw(st.lists(st.sampled_from(WORDS), min_size=num_items, max_size=num_items)))
    return session(rows, draw(st.sampled_from([(), names])), draw(st.integers(0, 2)))


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(sessions())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("json") / "slate.json"
    assert_same(works.load(works.save(original, path)), original)
    assert works.text(original) == text(works.load(path))


def test_text_by_hand():
    assert text(EVENING).splitlines() == [
        "1 | [c]    a  | 4 minutes, quality 1.50",
        "2 |  <b>   –  | nothing chosen",
        "3 |  <b>  [c] | 2.5 minutes, quality -0.50",
        "3 slates, 2 chosen from, 6.5 minutes in all, mean quality 0.50",
    ]
    nothing = session([((0,), 0, 0, 0)])
    assert text(nothing) == "1 |  item 0  | nothing chosen\n1 slate, 0 chosen from"
    assert summary(EVENING.replace(length=np.int32(0))) == "0 slates, 0 chosen from"
    assert text(EVENING.replace(length=np.int32(0))) == "0 slates, 0 chosen from"


def test_the_picture_tells_the_same():
    root = xml.etree.ElementTree.fromstring(slate_card.encode_svg(EVENING))
    space = {"s": "http://www.w3.org/2000/svg"}
    words = [element.text for element in root.findall("s:text", space)]
    assert words[:4] == ["1", "c", "a", "4 minutes, quality 1.50"]
    assert words[-1] == summary(EVENING)
    chips = [e for e in root.findall("s:rect", space) if e.get("rx") == "5"]
    colours = [chip.get("fill") for chip in chips]
    chosen = [colour == slate_card._CHOSEN for colour in colours]
    assert chosen == [True, False, False, False, False, True]
    bars = [float(e.get("width")) for e in root.findall("s:rect", space) if e.get("rx") == "2"]
    np.testing.assert_allclose(np.array(bars) / bars[0], [1, 0, 2.5 / 4], atol=0.01)
    long = session([((0,), 1, 1, 1)] * 70)
    assert "10 more" in slate_card.encode_svg(long).decode()


def test_a_session_shows_itself_and_a_batch_its_first_eight():
    page = EVENING._repr_html_()
    assert page.count("<img") == 1 and "<audio" not in page
    assert "&lt;b&gt;" in page and "<b>" not in page
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, 2, *leaf.shape)), EVENING)
    page = batch._repr_html_()
    assert page.count("<img") == 8 and "2 more" in page
    assert EVENING.replace(length=np.int32(9))._repr_html_().startswith("<pre>Slate(")


def test_what_was_chosen_is_heard_one_after_the_other(tmp_path):
    music = [[14, 1], [0, 0], [16, 1], [0, 0]]
    heard = EVENING.replace(music=np.array(music, np.int32))
    assert works.suffixes(heard) == [".svg", ".txt", ".mid", ".wav", ".json"]
    assert works.suffixes(EVENING) == [".svg", ".txt", ".json"]
    assert works.text(slate_card.playlist(heard)) == "C4 - D4 -"
    assert works.load(works.save(heard, tmp_path / "list.mid")).events.tolist() == [14, 1, 16, 1]
    with wave.open(str(works.save(heard, tmp_path / "list.wav"))) as file:
        assert file.getnframes() > 0
    assert heard._repr_html_().count("<audio") == 1
    with pytest.raises(ValueError, match="nothing to hear"):
        works.save(EVENING, tmp_path / "no.wav")


@pytest.mark.parametrize("length", [0, 1, None])
def test_its_text_is_for_people_and_no_text_comes_back(tmp_path, length):
    session = EVENING if length is None else EVENING.replace(length=np.int32(length))
    path = works.save(session, tmp_path / "one.txt")
    words = r"one\.txt is the text of a Slate, which does not hold all of it; save the"
    with pytest.raises(ValueError, match=words):
        works.load(path)
    path.write_text("1 | a | b\nThey sold 2 slates, 1 chosen from many")
    assert works.text(works.load(path)) == path.read_text()


def test_the_report_shows_what_was_shown(tmp_path):
    (tmp_path / "works").mkdir()
    (tmp_path / "config.json").write_text("{}")
    files = {"svg": "one.svg", "txt": "one.txt", "json": "one.json"}
    for name in files.values():
        works.save(EVENING, tmp_path / "works" / name)
    entry = {"title": "best", "group": "best", "work": "Slate", "files": files, "scores": {}}
    (tmp_path / "works" / "index.json").write_text(json.dumps([entry]))
    page = write_report(tmp_path).read_text()
    assert re.search(r'<div class="pictures slate">\s*<div><img src="data:image/svg\+xml', page)
    assert 'download="one.txt"' in page and 'download="one.json"' in page


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"items": np.zeros((2, 4, 2), np.int16)}, r"a batch .* works\.unbatch first"),
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"items": np.full((4, 2), 3, np.int16)}, r"items must be in -1\.\.2, got 3"),
        ({"items": np.full((4, 2), -2, np.int16)}, r"items must be in -1\.\.2, got -2"),
        ({"choices": np.full(4, 3, np.int16)}, r"choices must be in 0\.\.2, got 3"),
        ({"choices": np.full(4, 2, np.int16)}, "slate 2 has an empty place chosen"),
        ({"choices": np.zeros(3, np.int16)}, r"items are \[T, k\], .* \(3,\)"),
        ({"items": np.zeros((4, 0), np.int16)}, r"items are \[T, k\]"),
        ({"music": np.zeros((1, 2), np.int32)}, r"music \[T, L\], got .* \(1, 2\)"),
        ({"amounts": np.full(4, np.inf, np.float16)}, "amounts and traits must be finite"),
        ({"amounts": np.zeros(4, np.int32)}, "amounts and traits must be floats, got int32"),
        ({"choices": np.zeros(4, np.float32)}, "must be integers, got int16, float32"),
        ({"length": np.int32(5)}, r"length must be in 0\.\.4, got 5"),
        ({"names": (1,)}, r"names must be strings of printable characters, got \(1,\)"),
        ({"names": ("a\n", "b", "c")}, "names must be strings of printable characters"),
        ({"unit": None}, "unit must be a printable string, got None"),
    ],
)
def test_what_is_no_session_leaves_what_was_there(tmp_path, change, line):
    path = works.save(EVENING, tmp_path / "slate.json")
    for suffix in (".json", ".svg", ".txt"):
        with pytest.raises(ValueError, match=line) as caught:
            works.save(EVENING.replace(**change), tmp_path / f"slate{suffix}")
        assert "\n" not in str(caught.value)
    assert_same(works.load(path), EVENING)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "line"),
    [({"choices": [9, 0, 0, 0]}, "choices must be"), ({"names": 3}, "names must be strings")],
)
def test_damaged_json_is_refused_in_one_line(tmp_path, change, line):
    path = works.save(EVENING, tmp_path / "slate.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=rf"slate\.json: Slate: {line}"):
        works.load(path)
