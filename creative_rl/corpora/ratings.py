"""Ratings in MovieLens' formats, and the users and items that they tell of as latent factors."""

import contextlib
import csv
import math
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple, TextIO

import numpy as np

_COLUMNS = ("userId", "movieId", "rating")
_TITLES = ("movieId", "title")
_LEAST_RATING, _MOST_RATING = 0.5, 5.0


class Ratings(NamedTuple):
    """`N` ratings of `I` items by `U` users."""

    users: np.ndarray
    """int32[N], 0 .. U - 1"""
    items: np.ndarray
    """int32[N], 0 .. I - 1"""
    values: np.ndarray
    """float32[N], 0.5 .. 5"""
    user_ids: tuple[str, ...]
    """as the file has them, in the order of their first rating"""
    item_ids: tuple[str, ...]
    names: tuple[str, ...]
    """of the items: their titles, else their ids"""


class Factors(NamedTuple):
    """Users and items such that a rating is about `mean + users[u] . items[i]`."""

    users: np.ndarray
    """float32[U, rank]"""
    items: np.ndarray
    """float32[I, rank]"""
    mean: float
    low: float
    """least rating"""
    high: float
    """largest rating"""
    error: float
    """root of the mean squared error, of the ratings that were learned from"""
    names: tuple[str, ...]
    """of the items"""


def load_ratings(path: str | os.PathLike, titles: str | os.PathLike | None = None) -> Ratings:
    """Ratings from `ratings.csv` (a header with userId, movieId, rating) or `u.data` (tabs, no
    header: user, item, rating); a later rating of the same item by the same user counts.

    Args:
      path: the file.
      titles: `movies.csv` (a header with movieId, title), where there is one.

    Raises:
      ValueError: a column is missing, a rating is no number in 0.5..5, an item has no title, or
        there is no rating; the line names file and row.
      FileNotFoundError: there is no such file.
    """
    path = pathlib.Path(path)
    known = None if titles is None else _titles(pathlib.Path(titles))
    found: dict[tuple[str, str], float] = {}
    for number, user, item, text in _rows(path):
        value = _rating(f"{path}, row {number}", text)
        if known is not None and item not in known:
            raise ValueError(
                f"{path}, row {number}: movieId must be one of {titles}, got {item!r}; add its "
                "title, or leave titles out"
            )
        found[user, item] = value
    if not found:
        raise ValueError(f"{path}: there must be at least one rating, got none")
    users = {user: index for index, user in enumerate(dict.fromkeys(user for user, _ in found))}
    items = {item: index for index, item in enumerate(dict.fromkeys(item for _, item in found))}
    return Ratings(
        users=np.array([users[user] for user, _ in found], np.int32),
        items=np.array([items[item] for _, item in found], np.int32),
        values=np.array(list(found.values()), np.float32),
        user_ids=tuple(users),
        item_ids=tuple(items),
        names=tuple(items if known is None else (known[item] for item in items)),
    )


def factorise(
    ratings: Ratings, rank: int = 8, *, num_rounds: int = 15, penalty: float = 0.1, seed: int = 0
) -> Factors:
    """Factors by alternating least squares, the penalty times the number of ratings.

    Source: Zhou et al., "Large-Scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM
    2008), section 3.

    Args:
      ratings: to explain.
      rank: factors of each user and item.
      num_rounds: solutions for all users, and then for all items.
      penalty: lambda of the source.
      seed: of the first items.

    Raises:
      ValueError: rank or num_rounds is below 1, or the penalty is not above 0.
    """
    if rank < 1 or num_rounds < 1 or not 0 < penalty < math.inf:
        raise ValueError(
            "factorise: rank and num_rounds must be at least 1 and penalty above 0, got "
            f"{rank}, {num_rounds} and {penalty}"
        )
    num_users, num_items = len(ratings.user_ids), len(ratings.item_ids)
    mean = float(ratings.values.mean(dtype=np.float64))
    rest = ratings.values.astype(np.float64) - mean
    items = np.random.default_rng(seed).normal(size=(num_items, rank)) / rank**0.5
    users = np.zeros((num_users, rank))
    for _ in range(num_rounds):
        users = _solved(ratings.users, num_users, items[ratings.items], rest, penalty)
        items = _solved(ratings.items, num_items, users[ratings.users], rest, penalty)
    told = np.einsum("nr,nr->n", users[ratings.users], items[ratings.items])
    return Factors(
        users=users.astype(np.float32),
        items=items.astype(np.float32),
        mean=mean,
        low=float(min(ratings.values.min(), 1.0)),
        high=_MOST_RATING,
        error=float(np.sqrt(np.square(told - rest).mean())),
        names=ratings.names,
    )


def _solved(
    rows: np.ndarray, num_rows: int, known: np.ndarray, values: np.ndarray, penalty: float
) -> np.ndarray:
    """float64[num_rows, rank]: of every row the least squares of its values by what is known."""
    rank = known.shape[1]
    products = np.empty((num_rows, rank, rank))
    for i in range(rank):
        for j in range(i + 1):
            summed = np.bincount(rows, known[:, i] * known[:, j], num_rows)
            products[:, i, j] = products[:, j, i] = summed
    counts = np.bincount(rows, minlength=num_rows)
    products += penalty * np.maximum(counts, 1)[:, None, None] * np.eye(rank)
    right = [np.bincount(rows, known[:, i] * values, num_rows) for i in range(rank)]
    return np.linalg.solve(products, np.stack(right, axis=1)[..., None])[..., 0]


def _rows(path: pathlib.Path) -> Iterator[tuple[int, str, str, str]]:
    """Number, user, item and rating of every row, the first row being 1."""
    with _opened(path) as file:
        first = file.readline()
        file.seek(0)
        if "\t" in first:
            reader, places, start = csv.reader(file, delimiter="\t"), [0, 1, 2], 1
        else:
            reader = csv.reader(file)
            places, start = _places(path, next(reader, []), _COLUMNS), 2
        for number, row in enumerate(reader, start):
            if not row:
                continue
            if len(row) <= max(places) or not all(row[place].strip() for place in places):
                raise ValueError(
                    f"{path}, row {number}: a row must have {', '.join(_COLUMNS)}, got {row}"
                )
            user, item, rating = (row[place].strip() for place in places)
            yield number, user, item, rating


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[TextIO]:
    """A file of UTF-8, and nothing else."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8; convert it first") from error


def _titles(path: pathlib.Path) -> dict[str, str]:
    with _opened(path) as file:
        reader = csv.reader(file)
        item, title = _places(path, next(reader, []), _TITLES)
        found = {}
        for number, row in enumerate(reader, 2):
            if row and len(row) <= max(item, title):
                raise ValueError(f"{path}, row {number}: a row must have movieId, title, got {row}")
            if row:
                words = "".join(c if c.isprintable() else " " for c in row[title])
                found[row[item].strip()] = words.strip()
        return found


def _places(path: pathlib.Path, header: list[str], names: tuple[str, ...]) -> list[int]:
    header = [name.strip() for name in header]
    missing = [name for name in names if name not in header]
    if missing:
        raise ValueError(
            f"{path}, row 1: the header must have {', '.join(names)}, but {', '.join(missing)} "
            f"is missing in {header}"
        )
    return [header.index(name) for name in names]


def _rating(place: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not _LEAST_RATING <= value <= _MOST_RATING:
        raise ValueError(
            f"{place}: a rating must be a number in {_LEAST_RATING:g}..{_MOST_RATING:g}, "
            f"got {text!r}"
        )
    return value
