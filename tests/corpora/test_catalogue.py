"""What there is to book: screenings by rule, and CSV files, good and bad."""

import numpy as np
import pytest

from creative_rl import corpora
from creative_rl.corpora import catalogue

GOOD = 'name,food,area\n"Chez Nous, the new",french,\nBao,asian,north\n\nBao,,south\n'


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "places.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_screenings_are_distinct_and_follow_their_rule():
    table = corpora.load_catalogue(num_rows=300, seed=4)
    assert table.slots[-1] == "people" and table.codes.shape == (300, 10)
    assert len({tuple(row) for row in table.codes.tolist()}) == 300
    assert (table.codes[:, -1] == -1).all() and (table.codes[:, :-1] >= 0).all()
    for left, right in (("theater", "city"), ("movie", "genre"), ("movie", "rating")):
        pairs = table.codes[:, [table.slots.index(left), table.slots.index(right)]]
        assert len(np.unique(pairs, axis=0)) == len(np.unique(pairs[:, 0]))
    again = corpora.load_catalogue(num_rows=300, seed=4)
    np.testing.assert_array_equal(table.codes, again.codes)
    assert (table.codes != corpora.load_catalogue(num_rows=300, seed=5).codes).any()


def test_a_file_gives_slots_words_and_codes(written):
    table = corpora.load_catalogue(written("\ufeff" + GOOD))
    assert table.slots == ("name", "food", "area", "people")
    assert table.words[:3] == (
        ("Bao", "Chez Nous, the new"), ("asian", "french"), ("north", "south")
    )  # fmt: skip
    assert table.codes.tolist() == [[1, 1, -1, -1], [0, 0, 0, -1], [0, -1, 1, -1]]
    assert table.knowledge_base().is_free.tolist() == [False, False, False, True]


def test_a_file_that_changes_is_read_again(written):
    assert len(corpora.load_catalogue(written(GOOD)).codes) == 3
    assert len(corpora.load_catalogue(written(GOOD + "Cafe,,west\n")).codes) == 4


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "a row of slot names and at least one thing, got 0 rows"),
        ("name,food\n", "got 1 rows"),
        ("name,\nBao,asian\n", "row 1: column 2 has no name; give it one"),
        ("name,name\nBao,asian\n", "row 1: the slot 'name' is there twice; rename one"),
        ("name,people\nBao,2\n", "row 1: 'people' is a slot of every dialogue by itself"),
        ("name,food\nBao\n", "row 2: it has 1 cells, but there are 2 slots, name, food; leave"),
        ("name,food\nBao,asian,north\n", "row 2: it has 3 cells"),
        ("name,food\nBao,asian\n,\n", "row 3: it has no value; leave the row out"),
        ("name,food\nBao,asian\nA,b\nBao, asian\n", "row 4: it is the same as row 2; leave one"),
        ("name,food\nBao,\n", "no row has a value for 'food'; leave the column out"),
        ('name,food\n"Bao,asian\n', "row 2: unexpected end of data"),
        (b"name,food\nBa\xff,asian\n", r"is not in UTF-8 \(byte 12\); save it as UTF-8"),
        (f"name\n{'x' * 81}\n", "row 2: a value must be at most 80 printable characters"),
        ("name\nB\x07\n", "row 2: a value must be at most 80 printable characters"),
        (",".join(f"s{i}" for i in range(25)) + "\nx\n", "row 1: there must be 1 to 24 slots"),
    ],
)
def test_what_is_no_table_is_one_line_with_file_and_row(written, text, line):
    with pytest.raises(ValueError, match=rf"places\.csv.*{line}") as caught:
        corpora.load_catalogue(written(text))
    assert "\n" not in str(caught.value)


def test_too_many_things_are_refused(written, monkeypatch):
    monkeypatch.setattr(catalogue, "MAX_ROWS", 2)
    with pytest.raises(ValueError, match="there may be 2 things at most, got 3"):
        corpora.load_catalogue(written(GOOD))


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="a catalogue is movies or a CSV file, got 'moves'"):
        corpora.load_catalogue("moves")
    with pytest.raises(ValueError, match=r"num_rows must be in 1\.\.4096 and seed at least 0"):
        corpora.load_catalogue(num_rows=0)
