"""A level of a game, tile by tile, as a work: what it is, its check, and its text."""

import os
import pathlib
import re

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array
from creative_rl.works.batches import check_single

LARGEST_SIZE = 256
TITLE = "Level: "
"""What a level's text starts with."""

_MOVES = "urdl"
_SOLUTION = "Moves: "


class Level(flax.struct.PyTreeNode):
    """A map of tiles and, of a puzzle, a solution. A batch has leading axes on every array."""

    tiles: Array | np.ndarray
    """uint8[H, W]: numbers of the tiles, from the upper left"""
    moves: Array | np.ndarray
    """int8[L]: moves of the player that solve it, 0 up, 1 right, 2 down, 3 left; entries from
    `length` on are 0 and mean nothing; L = 0 where there is nothing to solve"""
    length: Array | np.ndarray
    """int32: how many moves; 0 where no solution is known"""
    names: tuple[str, ...] = flax.struct.field(pytree_node=False)
    """of the tiles by their numbers; those of `level_tiles.DRAWINGS` have pictures of their own"""
    characters: str = flax.struct.field(pytree_node=False)
    """of the tiles by their numbers, in text"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the level's picture; the first eight of a batch."""
        from creative_rl.works.level_card import level_html

        return level_html(self)


def on_host(level: Level) -> Level:
    """One level with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, or a field is out of range.
    """
    leaves = jax.device_get((level.tiles, level.moves, level.length))
    tiles, moves, length = (np.asarray(leaf) for leaf in leaves)
    check_single("Level", "tiles", tiles, 2, length)
    names = _checked_names(level.names, level.characters)
    if not all(np.issubdtype(field.dtype, np.integer) for field in (tiles, moves, length)):
        raise ValueError(
            "Level: tiles, moves and length must be integers, got "
            f"{tiles.dtype}, {moves.dtype} and {length.dtype}"
        )
    if not 1 <= min(tiles.shape) <= max(tiles.shape) <= LARGEST_SIZE:
        raise ValueError(f"Level: sides must be in 1..{LARGEST_SIZE}, got {tiles.shape}")
    if not 0 <= tiles.min() <= tiles.max() < len(names):
        wrong = tiles[(tiles < 0) | (tiles >= len(names))][0]
        raise ValueError(f"Level: tiles must be in 0..{len(names) - 1}, got {wrong}")
    if moves.ndim != 1 or not 0 <= length <= len(moves):
        raise ValueError(
            f"Level: moves are [L] and length in 0..L, got the shape {moves.shape} and {length}"
        )
    if moves.size and not 0 <= moves.min() <= moves.max() < len(_MOVES):
        raise ValueError(f"Level: moves must be in 0..3, got {moves[(moves < 0) | (moves > 3)][0]}")
    return level.replace(tiles=tiles, moves=moves, length=length, names=names)


def summary(level: Level) -> str:
    """One line: the size, how many there are of each tile, and how many moves solve it."""
    level = on_host(level)
    height, width = level.tiles.shape
    counts = np.bincount(level.tiles.reshape(-1), minlength=len(level.names))
    told = [f"{n} {name}" for n, name in zip(counts.tolist(), level.names, strict=True) if n]
    line = f"{width} x {height} tiles: {', '.join(told)}"
    num = int(level.length)
    return f"{line}; solved in {num} move{'s' * (num != 1)}" if num else line


def text(level: Level) -> str:
    """What the characters mean, the map, and the moves that solve it where they are known.

    Example:
      >>> tiles = np.array([[2, 3, 4], [0, 0, 1]], np.uint8)
      >>> names = ("empty", "solid", "player", "crate", "target")
      >>> print(text(Level(tiles, np.array([1], np.int8), np.int32(1), names, "-#@$.")))
      Level: - empty, # solid, @ player, $ crate, . target
      @$.
      --#
      Moves: r
    """
    level = on_host(level)
    pairs = zip(level.characters, level.names, strict=True)
    lines = [TITLE + ", ".join(f"{character} {name}" for character, name in pairs)]
    lines += ["".join(level.characters[tile] for tile in row) for row in level.tiles.tolist()]
    if level.length:
        moves = level.moves[: int(level.length)].tolist()
        lines.append(_SOLUTION + "".join(_MOVES[move] for move in moves))
    return "\n".join(lines)


def encode_text(level: Level) -> bytes:
    """`text` as the bytes of a file."""
    return f"{text(level)}\n".encode()


def read_text(path: str | os.PathLike) -> Level:
    """The level in a file that `encode_text` wrote; its moves are as many as solve it.

    Raises:
      ValueError: the file is no such text; the line names file and reason.
      FileNotFoundError: there is no such file.
    """
    try:
        return _parse(pathlib.Path(path).read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a level: {error}") from None


def _parse(written: str) -> Level:
    title, *rows = written.splitlines()
    pairs = [re.fullmatch(r"(\S) (\S.*)", pair) for pair in title.removeprefix(TITLE).split(", ")]
    if not title.startswith(TITLE) or None in pairs:
        raise ValueError(f'its first line must be like "{TITLE}. empty, # solid", got {title!r}')
    characters = "".join(pair[1] for pair in pairs if pair)
    names = tuple(pair[2] for pair in pairs if pair)
    moves = ""
    if rows and rows[-1].startswith(_SOLUTION):
        moves = rows.pop().removeprefix(_SOLUTION)
    unknown = {*"".join(rows)} - {*characters} or {*moves} - {*_MOVES}
    if not rows or len({len(row) for row in rows}) > 1 or unknown:
        raise ValueError(
            f"its rows must be of one length, of the characters {characters}, and its moves of "
            f"{_MOVES}; got {', '.join(map(repr, sorted(unknown))) or 'rows of other lengths'}"
        )
    return on_host(
        Level(
            tiles=np.array([[characters.index(c) for c in row] for row in rows], np.uint8),
            moves=np.array([_MOVES.index(move) for move in moves], np.int8),
            length=np.array(len(moves), np.int32),
            names=names,
            characters=characters,
        )
    )


def _checked_names(names: tuple[str, ...], characters: str) -> tuple[str, ...]:
    """The names, a list in files of JSON, as a tuple."""
    are_words = isinstance(names, tuple | list) and all(
        isinstance(name, str) and re.fullmatch(r"[^\s,]([^,]*[^\s,])?", name) and name.isprintable()
        for name in names
    )
    if not are_words or not 1 <= len(names) <= 256:
        raise ValueError(f"Level: names must be 1 to 256 words without commas, got {names!r}")
    if len({*names}) < len(names):
        raise ValueError(f"Level: names must differ, got {names!r}")
    is_one_each = isinstance(characters, str) and len({*characters}) == len(characters)
    if not is_one_each or len(characters) != len(names) or not _are_marks(characters):
        raise ValueError(
            f"Level: characters must be {len(names)} that differ and print, got {characters!r}"
        )
    return tuple(names)


def _are_marks(characters: str) -> bool:
    return characters.isprintable() and not any(mark.isspace() for mark in characters)
