"""Texts: what they read as, their files, and what is refused."""

import copy
import pickle

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl import works
from creative_rl.atomic import write_json
from creative_rl.experiment.report import write_report
from creative_rl.works import Text, Vocabulary, writing
from creative_rl.works.vocabulary import numbered

WORDS = Vocabulary(["", "the ", "tyger", "\n"], end=0)


def written(*tokens, length=None, vocabulary=WORDS):
    length = len(tokens) if length is None else length
    return Text(np.array(tokens, np.int32), np.int32(length), vocabulary)


def assert_same(found, expected):
    assert found.vocabulary == expected.vocabulary
    for name in ("tokens", "length"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_a_vocabulary_reads_and_hashes_by_what_is_in_it():
    assert WORDS.decode([1, 2, 3, 2, 0, 1]) == "the tyger\ntyger"
    assert numbered(12).decode([3, 11]) == "3 11" and numbered(12) is numbered(12)
    other = Vocabulary(["", "the ", "tyger", "\n"], end=0)
    assert other == WORDS and hash(other) == hash(WORDS) and other is not WORDS
    assert Vocabulary(WORDS.pieces) != WORDS and WORDS != 3
    assert pickle.loads(pickle.dumps(WORDS)) == WORDS and copy.deepcopy(WORDS) is WORDS
    assert Vocabulary(**WORDS.to_plain()) == WORDS
    assert (len(WORDS), WORDS.number("tyger"), WORDS.number("lamb")) == (4, 2, None)
    assert repr(WORDS) == "Vocabulary(4 tokens from '', end=0)"
    with pytest.raises(AttributeError, match="a Vocabulary is frozen"):
        WORDS.end = 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((["a"],), "there must be 2 to 65536 tokens, got 1"),
        ((["a", "b", "a"],), "tokens must differ, but 'a' is there twice"),
        ((["a", 3],), "tokens must be strings, got 3"),
        ((["a", "b"], "", 2), r"end must be a token in 0\.\.1 or None, got 2"),
        ((["a", "b"], "", True), "end must be a token .* got True"),
    ],
)
def test_what_is_no_vocabulary_is_refused(arguments, line):
    with pytest.raises(ValueError, match=f"^Vocabulary: {line}"):
        Vocabulary(*arguments)


def test_a_character_that_is_not_in_it_is_named():
    with pytest.raises(ValueError, match=r"the character 'c' \(place 3\) is none of .* 2 tokens"):
        Vocabulary("ab").encode("abc")


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(
    st.lists(st.integers(0, 3), max_size=12).flatmap(
        lambda tokens: st.tuples(st.just(tokens), st.integers(0, len(tokens)))
    )
)
def test_json_comes_back_the_same(tmp_path_factory, drawn):
    original = written(*drawn[0], length=drawn[1])
    path = works.save(original, tmp_path_factory.mktemp("json") / "text.json")
    assert_same(works.load(path), original)


def test_txt_is_what_it_reads_as(tmp_path):
    original = written(1, 2, 3, 2, 1, length=4)
    path = works.save(original, tmp_path / "text.txt")
    assert path.read_bytes() == b"the tyger\ntyger"
    read = works.load(path)
    assert works.text(read) == works.text(original) == "the tyger\ntyger"
    # Of characters it is the same work.
    assert_same(works.load(works.save(read, tmp_path / "again.txt")), read)
    assert works.suffixes(original) == [".txt", ".json"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "two characters or more, got 0 that differ"),
        (b"aaa", "two characters or more, got 1 that differ"),
        (b"ab\nc\xffd", r"row 2, byte 5 of the file is not UTF-8 \(0xff\); save it as UTF-8"),
    ],
)
def test_a_txt_that_is_no_text_is_one_line(tmp_path, data, line):
    (tmp_path / "text.txt").write_bytes(data)
    with pytest.raises(ValueError, match=rf"text\.txt: .*{line}") as error:
        works.load(tmp_path / "text.txt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (written(1, 4), r"tokens must be in 0\.\.3, got 4"),
        (written(1, -1), r"tokens must be in 0\.\.3, got -1"),
        (written(1, length=2), r"length must be in 0\.\.1, got 2"),
        (Text(np.zeros(2), np.int32(0), WORDS), "must be integers, got float64 and int32"),
        (written(1, vocabulary="ab"), "vocabulary must be a Vocabulary, got 'ab'"),
        (written(1, vocabulary={"letters": "ab"}), "the vocabulary is none: .*letters"),
        (Text(np.zeros((2, 3), np.int32), np.zeros(2, np.int32), WORDS), r"works\.unbatch first"),
    ],
)
def test_what_is_no_text_is_refused(text, line):
    with pytest.raises(ValueError, match=f"^Text: .*{line}"):
        works.text(text)


def test_a_batch_from_the_device_shows_itself():
    batch = Text(jnp.array([[1, 2], [3, 2]], jnp.int32), jnp.array([2, 2], jnp.int32), WORDS)
    first, second = works.unbatch(batch)
    assert (works.text(first), works.text(second)) == ("the tyger", "\ntyger")
    page = batch._repr_html_()
    assert page.count("<blockquote") == 2 and ">the tyger<" in page
    assert "&lt;" in written(0, 1, vocabulary=Vocabulary("<b"))._repr_html_()
    jax.eval_shape(lambda work: work._repr_html_() and work, batch)  # a tracer raises nothing


def test_the_report_shows_it_as_it_reads(tmp_path):
    vocabulary = Vocabulary(["<b>", "tyger", "\n"])
    (tmp_path / "works").mkdir()
    text = written(1, 2, 0, vocabulary=vocabulary)
    files = {form: works.save(text, tmp_path / f"works/a.{form}").name for form in ("txt", "json")}
    entry = {"name": "a", "group": "best", "title": "a", "work": "Text", "files": files}
    write_json(tmp_path / "works/index.json", [entry])
    write_json(tmp_path / "config.json", {})
    page = write_report(tmp_path).read_text()
    assert "<blockquote>tyger\n&lt;b&gt;</blockquote>" in page
    assert writing.text(text) == "tyger\n<b>"
