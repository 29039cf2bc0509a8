"""Which tokens a text is made of, and how they read."""

import functools
from collections.abc import Iterable
from typing import Any

LARGEST = 1 << 16
"""Most tokens of a vocabulary."""


class Vocabulary:
    """Tokens as they read, by their number; frozen and hashable, its hash computed once.

    Attributes:
      pieces: of every token its characters.
      joiner: what stands between two tokens that are read.
      end: the token that ends a text and reads as nothing; None where there is none.

    Raises:
      ValueError: fewer than two tokens, two that are alike, or an end that is no token.

    Example:
      >>> letters = Vocabulary(["a", "b", ""], end=2)
      >>> letters.decode([1, 0, 0, 2, 1]), letters.encode("ab")
      ('baa', [0, 1])
    """

    __slots__ = ("_hash", "_numbers", "end", "joiner", "pieces")
    pieces: tuple[str, ...]
    joiner: str
    end: int | None
    _hash: int
    _numbers: dict[str, int]

    def __init__(self, pieces: Iterable[str], joiner: str = "", end: int | None = None):
        pieces = tuple(pieces)
        for piece in (*pieces, joiner):
            if not isinstance(piece, str):
                raise ValueError(f"Vocabulary: tokens must be strings, got {piece!r}")
        if not 2 <= len(pieces) <= LARGEST:
            raise ValueError(f"Vocabulary: there must be 2 to {LARGEST} tokens, got {len(pieces)}")
        numbers = {piece: number for number, piece in enumerate(pieces)}
        if len(numbers) < len(pieces):
            twice = next(piece for i, piece in enumerate(pieces) if numbers[piece] != i)
            raise ValueError(f"Vocabulary: tokens must differ, but {twice!r} is there twice")
        if end is not None and not (type(end) is int and 0 <= end < len(pieces)):
            raise ValueError(
                f"Vocabulary: end must be a token in 0..{len(pieces) - 1} or None, got {end!r}"
            )
        values = {"pieces": pieces, "joiner": joiner, "end": end, "_numbers": numbers}
        for name, value in {**values, "_hash": hash((pieces, joiner, end))}.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Vocabulary is frozen; make another one to change {name}")

    def __len__(self) -> int:
        return len(self.pieces)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary) or self._hash != other._hash:
            return self is other
        mine, theirs = ((one.pieces, one.joiner, one.end) for one in (self, other))
        return self is other or mine == theirs

    def __reduce__(self) -> tuple[Any, ...]:
        return Vocabulary, (self.pieces, self.joiner, self.end)

    def __deepcopy__(self, memo: dict) -> "Vocabulary":
        return self

    def __repr__(self) -> str:
        end = "" if self.end is None else f", end={self.end}"
        return f"Vocabulary({len(self)} tokens from {self.pieces[0]!r}{end})"

    def decode(self, tokens: Iterable[int]) -> str:
        """The characters of tokens in `0 .. len(self) - 1`, up to the first that ends a text."""
        read = []
        for token in tokens:
            if token == self.end:
                break
            read.append(self.pieces[token])
        return self.joiner.join(read)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text of a vocabulary of characters.

        Raises:
          ValueError: a character is not in it; the line names the first and its place.
        """
        try:
            return [self._numbers[character] for character in text]
        except KeyError as error:
            place = text.index(error.args[0])
            raise ValueError(
                f"the character {error.args[0]!r} (place {place + 1}) is none of the vocabulary's "
                f"{len(self)} tokens"
            ) from None

    def number(self, piece: str) -> int | None:
        """The token that reads as `piece`, None where there is none."""
        return self._numbers.get(piece)

    def to_plain(self) -> dict[str, Any]:
        """JSON values, of which `Vocabulary(**values)` is the same."""
        return {"pieces": list(self.pieces), "joiner": self.joiner, "end": self.end}


@functools.cache
def numbered(num: int) -> Vocabulary:
    """Tokens that read as their numbers, with spaces between.

    >>> numbered(5000).decode([17, 4999])
    '17 4999'
    """
    return Vocabulary(map(str, range(num)), joiner=" ")
