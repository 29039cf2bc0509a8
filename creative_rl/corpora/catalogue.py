"""What dialogues book from: a table of things, one a row, with a value in each slot."""

import csv
import functools
import io
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from creative_rl.corpora import screenings
from creative_rl.stores.knowledge_base import MAX_ROWS, KnowledgeBase

MOVIES = "movies"
PEOPLE = "people"
"""The last slot, of which no row has a value: for how many the booking is."""
MAX_COLUMNS = 24
_MAX_LETTERS = 80
_MOST_PEOPLE = 8


class Catalogue(NamedTuple):
    """A table of R things and how many people they are for."""

    slots: tuple[str, ...]
    """S names, the last one `people`"""
    words: tuple[tuple[str, ...], ...]
    """of each slot the values by number"""
    codes: np.ndarray
    """int32[R, S]: numbers of values, -1 where a row has none"""

    def knowledge_base(self) -> KnowledgeBase:
        """To ask it on the device."""
        return KnowledgeBase.create(self.codes, tuple(len(words) for words in self.words))


def load_catalogue(
    source: str | os.PathLike = MOVIES, *, num_rows: int = 128, seed: int = 0
) -> Catalogue:
    """Read or make what there is to book.

    Args:
      source: `movies`, screenings of films made by a rule (`corpora.screenings`); or a CSV file in
        UTF-8: its first row names the slots, the name of a thing first, and every other row is a
        thing; an empty cell says that it has no value there.
      num_rows: of the screenings, 1 to 4096.
      seed: of the screenings.

    Raises:
      ValueError: an argument is out of range, or the file is no such table; the line names the file
        and the row.
      FileNotFoundError: there is no such file.

    Example:
      >>> load_catalogue(num_rows=40).codes.shape
      (40, 10)
    """
    if str(source) == MOVIES:
        if not 1 <= num_rows <= MAX_ROWS or seed < 0:
            raise ValueError(
                f"load_catalogue: num_rows must be in 1..{MAX_ROWS} and seed at least 0, got "
                f"{num_rows} and {seed}"
            )
        return _made(num_rows, seed)
    path = pathlib.Path(source).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"a catalogue is {MOVIES} or a CSV file, got {str(source)!r}: there is no such file"
        )
    stat = path.stat()
    return _read(path.resolve(), stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=8)
def _made(num_rows: int, seed: int) -> Catalogue:
    return _catalogue(screenings.SLOTS, screenings.screenings(num_rows, seed))


@functools.lru_cache(maxsize=8)
def _read(path: pathlib.Path, changed: int, size: int) -> Catalogue:
    """The file as it was at that time."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8 (byte {error.start}); save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    table: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if row:
                table.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise ValueError(f"{path}, row {reader.line_num}: {error}") from None
    if len(table) < 2:
        raise ValueError(
            f"{path}: a catalogue has a row of slot names and at least one thing, got "
            f"{len(table)} rows"
        )
    slots = _checked_slots(path, table[0][1])
    rows = _checked_rows(path, slots, table[1:])
    for place, slot in enumerate(slots):
        if not any(row[place] for row in rows):
            raise ValueError(f"{path}: no row has a value for {slot!r}; leave the column out")
    return _catalogue(slots, rows)


def _checked_slots(path: pathlib.Path, names: Sequence[str]) -> tuple[str, ...]:
    if not 1 <= len(names) <= MAX_COLUMNS:
        raise ValueError(f"{path}, row 1: there must be 1 to {MAX_COLUMNS} slots, got {len(names)}")
    for place, name in enumerate(names):
        _check_word(path, 1, name)
        if not name:
            raise ValueError(f"{path}, row 1: column {place + 1} has no name; give it one")
        if name in names[:place]:
            raise ValueError(f"{path}, row 1: the slot {name!r} is there twice; rename one")
        if name in (PEOPLE, "ticket"):
            raise ValueError(
                f"{path}, row 1: {name!r} is a slot of every dialogue by itself; rename the column"
            )
    return tuple(names)


def _checked_rows(
    path: pathlib.Path, slots: Sequence[str], table: Sequence[tuple[int, list[str]]]
) -> list[tuple[str, ...]]:
    if len(table) > MAX_ROWS:
        raise ValueError(f"{path}: there may be {MAX_ROWS} things at most, got {len(table)}")
    seen: dict[tuple[str, ...], int] = {}
    for line, row in table:
        if len(row) != len(slots):
            raise ValueError(
                f"{path}, row {line}: it has {len(row)} cells, but there are {len(slots)} slots, "
                f"{', '.join(slots)}; leave a cell empty where there is no value"
            )
        for cell in row:
            _check_word(path, line, cell)
        if not any(row):
            raise ValueError(f"{path}, row {line}: it has no value; leave the row out")
        first = seen.setdefault(tuple(row), line)
        if first != line:
            raise ValueError(f"{path}, row {line}: it is the same as row {first}; leave one out")
    return list(seen)


def _check_word(path: pathlib.Path, line: int, word: str) -> None:
    if len(word) > _MAX_LETTERS or not word.isprintable():
        raise ValueError(
            f"{path}, row {line}: a value must be at most {_MAX_LETTERS} printable characters, got "
            f"{word[:_MAX_LETTERS]!r}"
        )


def _catalogue(slots: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Catalogue:
    """Values are numbered in order of their words."""
    columns = list(zip(*rows, strict=True))
    words = [tuple(sorted({cell for cell in column if cell})) for column in columns]
    numbers = [{word: number for number, word in enumerate(known)} for known in words]
    codes = [
        [number.get(cell, -1) for number, cell in zip(numbers, row, strict=True)] + [-1]
        for row in rows
    ]
    people = tuple(str(number) for number in range(1, _MOST_PEOPLE + 1))
    return Catalogue((*slots, PEOPLE), (*words, people), np.array(codes, np.int32))
