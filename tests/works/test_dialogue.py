"""Dialogues: their files and back, their sentences, and what is refused."""

import json
import re

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from works.damage import damaged_copies
from works.dialogues import GOOD, WORDS, dialogue, turn

from creative_rl import works
from creative_rl.ops.dialogue import ANY, BOOK, CONFIRM, INFORM, THANKS
from creative_rl.works import dialogue_words
from creative_rl.works.dialogue import is_success, on_host
from creative_rl.works.dialogue_file import read_text


@st.composite
def dialogues(draw):
    turns = []
    for number in range(draw(st.integers(0, 8))):
        most = 5 if number % 2 == 0 else 7
        values = [[draw(st.integers(-3, len(words) - 1)) for words in WORDS] for _ in range(2)]
        turns.append(
            (
                draw(st.integers(0, most)), values[0], draw(st.sets(st.integers(0, 3))),
                draw(st.integers(0, 2)), draw(st.integers(0, most)), values[1],
            )
        )  # fmt: skip
    constraints = [draw(st.integers(-2, len(words) - 1)) for words in WORDS]
    wishes = [draw(st.booleans()) for _ in WORDS]
    return dialogue(turns, constraints, wishes, draw(st.integers(0, 2)), len(turns) + 2)


def assert_same(left, right):
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert jax.tree.structure(left) == jax.tree.structure(right)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(dialogues())
def test_text_and_json_come_back_the_same(tmp_path_factory, original):
    folder = tmp_path_factory.mktemp("dialogues")
    for suffix in (".txt", ".json"):
        assert_same(works.load(works.save(original, folder / f"one{suffix}")), original)


def test_a_conversation_in_words():
    assert works.text(GOOD).splitlines() == [
        "user: I would like a ticket to Copper Sky. What is the cuisine?",
        "agent: For how many people?",
        "user: I would like a ticket for 1 person. [heard: No, that is not right. I would like a "
        "ticket with the cuisine käse.]",
        "agent: You would like a ticket to Copper Sky and with the cuisine käse; is that right?",
        "user: I would like a ticket for 1 person. Any cuisine will do.",
        "agent: The cuisine is käse.",
        "user: Please book the ticket.",
        "agent: I have booked a ticket to Copper Sky, with the cuisine käse and for 1 person.",
        "user: Thank you, that is all.",
        "agent: Goodbye.",
        "user: Thank you, that is all.",
        "success after 11 turns",
    ]
    assert is_success(GOOD)
    wanted = "wants a ticket to Copper Sky and for 3 people; asks for the cuisine"
    assert dialogue_words.goal(GOOD) == wanted


@pytest.mark.parametrize(
    ("intent", "values", "ticket", "words"),
    [
        (INFORM, (-1, -3, -1), 0, "No cuisine fits."),
        (BOOK, (-1, -1, -1), 2, "There is no ticket."),
        (CONFIRM, (ANY, -1, -1), 0, "Any ticket will do?"),
    ],
)
def test_what_an_agent_says_when_there_is_little(intent, values, ticket, words):
    work = dialogue([turn(THANKS), turn(intent, values, ticket=ticket)], outcome=0)
    assert dialogue_words.lines(work)[1].sentence == words


def test_a_card_is_a_conversation_and_text_is_escaped():
    bad = GOOD.replace(words=(("<b>", "x"), *WORDS[1:]))
    page = bad._repr_html_()
    assert page.count("align-self:flex-end") == 6 and page.count("align-self:flex-start") == 5
    assert "&lt;b&gt;" in page and "<b>" not in page and "heard: No, that is not right." in page
    batch = jax.tree.map(lambda leaf: np.stack([leaf] * 9), GOOD)
    assert batch._repr_html_().count("success after 11 turns") == 8
    assert "1 more" in batch._repr_html_()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"length": np.array(13, np.int32)}, "length is out of range"),
        ({"intents": np.full(12, 8, np.int32)}, r"intents is out of range at \[0\]: 8"),
        ({"intents": np.full(12, 6, np.int32)}, "a user neither confirms nor books"),
        ({"values": np.full((12, 3), 2, np.int32)}, r"values is out of range at \[0, 0\]: 2"),
        ({"values": np.zeros((12, 2), np.int32)}, r"values must be int32\[12, 3\], got int32"),
        ({"requests": np.zeros((12, 4), np.int32)}, r"requests must be bool\[12, 4\], got int32"),
        ({"slots": ("a", "a", "b")}, "must be distinct"),
        ({"words": (("x",), ("y",))}, "a tuple of values for each slot, got 2 for 3 slots"),
        ({"words": (("x\n",), ("y",), ("1",))}, "strings of printable characters"),
    ],
)
def test_what_is_no_dialogue_is_refused_and_nothing_written(tmp_path, change, line):
    for suffix in (".txt", ".json"):
        with pytest.raises(ValueError, match=f"Dialogue: .*{line}"):
            works.save(GOOD.replace(**change), tmp_path / f"bad{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("dialogue: ", "story: ", "it must begin with 'dialogue: '"),
        ("success after", "glory after", "is not in list|not in tuple"),
        ('"act": "confirm"', '"act": "confess"', "tuple"),
        ("agent: Goodbye.", "user: Goodbye.", "turn 10 is not the user's"),
        ("turns: 11 of 12", "turns: 12 of 12", "it has 11 turns, and says that it has 12"),
        ("turns: 11 of 12", "turns: 11 of 99999", "turns must be at most 10000"),
        ('"käse"}', '"cheese"}', "tuple"),
    ],
)
def test_damaged_text_is_refused_in_one_line(tmp_path, old, new, line):
    path = works.save(GOOD, tmp_path / "one.txt")
    data = path.read_text()
    assert old in data
    path.write_text(data.replace(old, new))
    with pytest.raises(ValueError, match=rf"one\.txt is not a dialogue in text: .*({line})") as bad:
        read_text(path)
    assert "\n" not in str(bad.value)


def test_no_damage_raises_anything_else(tmp_path):
    path = works.save(GOOD, tmp_path / "one.txt")
    for data in damaged_copies(path.read_bytes(), 200):
        path.write_bytes(data)
        try:
            on_host(read_text(path))
        except ValueError as error:
            assert re.search("is not a dialogue in text", str(error))


def test_json_names_what_is_wrong(tmp_path):
    path = works.save(GOOD, tmp_path / "one.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "outcome": 5}))
    with pytest.raises(ValueError, match=r"one\.json: Dialogue: outcome is out of range"):
        works.load(path)
