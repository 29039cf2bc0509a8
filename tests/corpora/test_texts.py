"""Texts as windows: nothing leaks, subwords join to the text again, bad files are one line."""

import numpy as np
import pytest

from creative_rl.corpora import load_text, texts

LINES = [f"line {i} of {'abcdefghij'[i % 10] * (i % 7 + 1)}" for i in range(60)]
TEXT = "\n".join(LINES) + "\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my.txt"
    path.write_text(TEXT)
    return path


def read(corpus, part):
    return [corpus.vocabulary.decode(row[1:].tolist()) for row in np.asarray(part)]


def test_windows_of_one_file_share_no_place_with_those_held_out(file):
    corpus = load_text(file, length=20)
    assert corpus.sequences.train.dtype == np.uint8
    assert "".join(corpus.vocabulary.pieces) == "".join(sorted(set(TEXT)))
    train, held_out = (
        read(corpus, part) for part in (corpus.sequences.train, corpus.sequences.held_out)
    )
    pieces = [corpus.vocabulary.decode(piece.tolist()) for piece in corpus.train_pieces]
    assert all(any(window in piece for piece in pieces) for window in train)
    assert not any(window in piece for piece in pieces for window in held_out)
    assert 0.05 * len(TEXT) < len(TEXT) - sum(map(len, pieces)) < 0.2 * len(TEXT)
    assert all(window in TEXT for window in held_out) and len(held_out) > 3
    # Windows begin with lines and words, and what is before them is a line's end.
    starts = [TEXT.index(window) for window in train]
    assert all(place == 0 or TEXT[place - 1] in " \n" for place in starts)
    assert (corpus.sequences.train[:, 0] == corpus.vocabulary.number("\n")).all()
    again = load_text(file, length=20)
    np.testing.assert_array_equal(again.sequences.train, corpus.sequences.train)
    other = load_text(file, length=20, seed=1)
    assert read(other, other.sequences.held_out) != held_out


def test_long_texts_are_cut_half_a_window_apart(tmp_path):
    (tmp_path / "a.txt").write_text("ab cd ef gh " * 400 + "x" * 40 + "yz" * 30)
    corpus = load_text(tmp_path / "a.txt", length=16, held_out=0)
    assert corpus.sequences.held_out.shape == (0, 17)
    num = len(corpus.sequences.train)
    assert 4800 / 12 < num < 4900 / 8 + 5
    # Where there is no space, a window begins where it must.
    assert any(window == "x" * 16 for window in read(corpus, corpus.sequences.train))


def test_files_are_held_out_whole_and_copies_together(tmp_path):
    (tmp_path / "deep").mkdir()
    for number in range(8):
        (tmp_path / "deep" / f"{number}.TXT").write_text(TEXT.replace("line", f"verse {number}"))
    (tmp_path / "copy.txt").write_text(TEXT.replace("line", "verse  7"))
    corpus = load_text(tmp_path, length=20, held_out=0.3)
    train, held_out = set(corpus.train_names), set(corpus.held_out_names)
    assert train | held_out == {f"deep/{i}.TXT" for i in range(8)} | {"copy.txt"}
    assert not train & held_out and train and held_out
    assert ("copy.txt" in train) == ("deep/7.TXT" in train)


def test_what_is_the_same_on_both_sides_is_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("over and over again and\n" * 50)
    with pytest.raises(ValueError, match=r"a\.txt: too little text to hold 10% of it out"):
        load_text(tmp_path / "a.txt", length=12)
    assert len(load_text(tmp_path / "a.txt", length=12, held_out=0).sequences.train) > 9


def test_subwords_join_to_the_text_again(file):
    pytest.importorskip("tokenizers")
    corpus = load_text(file, length=8, num_subwords=60, held_out=0)
    assert 40 < len(corpus.vocabulary) <= 60
    assert any(len(piece) > 2 for piece in corpus.vocabulary.pieces)
    assert corpus.vocabulary.decode(corpus.train_pieces[0].tolist()) == TEXT
    for piece in corpus.vocabulary.pieces:
        assert "\n" not in piece or piece == "\n"
    with pytest.raises(ValueError, match=r"num_subwords must be more than the \d+ characters"):
        load_text(file, length=8, num_subwords=20)


def test_with_ends_every_line_is_a_text(file):
    corpus = load_text(file, length=15, ends=True, held_out=0)
    end = corpus.vocabulary.end
    assert end == len(corpus.vocabulary) - 1
    assert read(corpus, corpus.sequences.train) == [line for line in LINES if len(line) <= 15]
    assert corpus.num_skipped == sum(len(line) > 15 for line in LINES) > 0
    row = np.asarray(corpus.sequences.train[0, 1:])
    assert (row[len(LINES[0]) :] == end).all() and (row[: len(LINES[0])] != end).all()


def test_marks_of_other_systems_are_no_characters(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffone two\r\nthree four\rfive\r\n".encode())
    corpus = load_text(tmp_path / "a.txt", length=6, held_out=0)
    assert not {"\r", "\ufeff"} & set(corpus.vocabulary.pieces)
    assert corpus.vocabulary.decode(corpus.train_pieces[0].tolist()).count("\n") == 3


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"one\ntwo \xe9\n", r"row 2, byte 9 of the file is not UTF-8 \(0xe9\)"),
        (b"aaaa" * 50, "a text is made of two characters or more, got 1 that differ"),
        (b"short", "fewer than a window of 64; give more text, or a smaller length"),
    ],
)
def test_what_is_no_text_is_one_line_with_its_place(tmp_path, content, line):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    for source in (path, tmp_path):
        with pytest.raises(ValueError, match=rf"^{tmp_path}.*: .*{line}") as error:
            load_text(source)
        assert "\n" not in str(error.value)


def test_what_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"none\.txt' \(No such file or directory\)"):
        load_text(tmp_path / "none.txt")
    with pytest.raises(ValueError, match=r"there is no \.txt file in this folder or below"):
        load_text(tmp_path)
    with pytest.raises(ValueError, match="length must be at least 1 token, got 0"):
        load_text(length=0)
    with pytest.raises(ValueError, match=r"a share of the text in \[0, 1\), got 1"):
        load_text(held_out=1)


def test_the_default_is_there_without_a_file():
    corpus = load_text(length=32)
    assert len(corpus.sequences.train) > 128 and len(corpus.sequences.held_out) > 10
    assert repr(corpus).startswith("TextCorpus('default': 33 tokens, ")
    assert texts.load_text(length=32, num_subwords=None).num_skipped == 0
