"""A corpus of text: any UTF-8 file or folder of them, as windows of characters or subwords."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from creative_rl.corpora import split, subwords
from creative_rl.corpora.poem import LAMB, TYGER
from creative_rl.stores.sequences import Sequences, with_start
from creative_rl.works.vocabulary import Vocabulary
from creative_rl.works.writing import decode_utf8

SUFFIX = ".txt"
_SHORT = 100
"""Windows in a text that is cut at every word."""


class Document(NamedTuple):
    """A file, or a part of one."""

    name: str
    text: str


@dataclasses.dataclass(frozen=True, eq=False)
class TextCorpus:
    """Texts to learn from.

    Attributes:
      sequences: `train` and `held_out`, unsigned integers [N, length + 1]: a line's end (token 0
        where there is none), then tokens.
      vocabulary: what the tokens are.
      train_names: documents, or parts of one, in `sequences.train`.
      train_pieces: the same whole, int32[L] tokens each.
      held_out_names: those in `sequences.held_out`.
      num_skipped: with `ends`, lines that are longer than a text.
      source: what was asked for.
    """

    sequences: Sequences
    vocabulary: Vocabulary
    train_names: tuple[str, ...]
    train_pieces: tuple[np.ndarray, ...]
    held_out_names: tuple[str, ...]
    num_skipped: int
    source: str

    def __repr__(self) -> str:
        return (
            f"TextCorpus({self.source!r}: {len(self.vocabulary)} tokens, "
            f"{len(self.sequences.train)} windows to train on, "
            f"{len(self.sequences.held_out)} held out)"
        )


def load_text(
    source: str | os.PathLike = "default",
    *,
    length: int = 64,
    num_subwords: int | None = None,
    ends: bool = False,
    held_out: float = 0.1,
    seed: int = 0,
) -> TextCorpus:
    """Texts as windows of tokens.

    Windows begin where a line or a word does (in text without spaces anywhere), from one to the
    next at least half a window on, or at every word where the text is shorter than 100 windows. Of
    several files some are held out whole, those with the same words together; of one file a
    stretch is, and no window reaches over its edges. Held-out windows that stand in the rest token
    by token, such as refrains, are left out.

    Args:
      source: a UTF-8 file, a folder of .txt files in it and below, or `default`: two poems of
        William Blake, in lower case.
      length: tokens to predict in a window.
      num_subwords: tokens that byte-pair encoding makes of the characters (Sennrich et al. 2016);
        None for the characters themselves.
      ends: every line is a text by itself, ended by a token of its own and filled up with it.
      held_out: share of the text that is held out, in [0, 1).
      seed: another one gives another split.

    Raises:
      ValueError: an argument is out of range; the file is not UTF-8, is empty, has one character
        only or is shorter than a window; there is none. The line names the file.
      ImportError: subwords need tokenizers.

    Example:
      >>> corpus = load_text(length=32)
      >>> corpus.vocabulary.decode(corpus.sequences.train[0, 1:].tolist())
      'tyger tyger, burning bright,\\nin '
    """
    _check_arguments(length, held_out)
    documents = _documents(source)
    train, kept_back = _split(documents, held_out, seed)
    everything = "".join(document.text for document in documents)
    if len(kinds := set(everything)) < 2:
        raise ValueError(
            f"{source}: a text is made of two characters or more, got {len(kinds)} that differ"
        )
    if num_subwords is None:
        vocabulary, encode = _of_characters(source, kinds)
    else:
        learned_from = [document.text for document in train]
        vocabulary, encode = subwords.learn(learned_from, sorted(kinds), num_subwords)
    if ends:
        pieces = (*vocabulary.pieces, "")
        vocabulary = Vocabulary(pieces, end=len(pieces) - 1)
    start = vocabulary.number("\n") or 0
    cut = _Cutter(vocabulary, length, ends)
    parts, pieces_of = [], []
    for part in (train, kept_back):
        encoded = [np.array(encode(document.text), np.int32) for document in part]
        windows = cut(encoded)
        parts.append(with_start(windows, start, len(vocabulary)))
        pieces_of.append(encoded)
    if not len(parts[0]):
        longest = max(map(len, pieces_of[0]))
        what = "no line fits into" if ends else f"{longest} tokens are fewer than"
        raise ValueError(
            f"{source}: {what} a window of {length}; give more text, or a smaller length "
            "(--env-length)"
        )
    parts[1] = _unseen(*parts)
    if held_out > 0 and not len(parts[1]):
        raise ValueError(
            f"{source}: too little text to hold {held_out:.0%} of it out in windows of {length} "
            "that are not in the rest; give more text, or a smaller length (--env-length)"
        )
    return TextCorpus(
        sequences=Sequences(*map(jnp.asarray, parts)),
        vocabulary=vocabulary,
        train_names=tuple(document.name for document in train),
        train_pieces=tuple(pieces_of[0]),
        held_out_names=tuple(document.name for document in kept_back),
        num_skipped=cut.num_skipped,
        source=str(source),
    )


def _check_arguments(length: int, held_out: float) -> None:
    if length < 1:
        raise ValueError(f"load_text: length must be at least 1 token, got {length}")
    if not 0 <= held_out < 1:
        raise ValueError(f"load_text: held_out is a share of the text in [0, 1), got {held_out}")


def _documents(source: str | os.PathLike) -> list[Document]:
    if source == "default":
        return [Document("default", "\n".join((*TYGER, *LAMB)) + "\n")]
    path = pathlib.Path(source).expanduser()
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() == SUFFIX)
        if not found:
            raise ValueError(f"{path}: there is no .txt file in this folder or below; give one")
        return [Document(file.relative_to(path).as_posix(), _read(file)) for file in found]
    return [Document(path.name, _read(path))]


def _read(path: pathlib.Path) -> str:
    """A file's characters, lines ended by a line feed alone."""
    try:
        text = decode_utf8(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"a corpus of text is default, a UTF-8 file or a folder of .txt files, got "
            f"{str(path)!r} ({error.strerror})"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{path}: the file is empty; give one with text, or take it away")
    return text


def _split(
    documents: list[Document], held_out: float, seed: int
) -> tuple[list[Document], list[Document]]:
    """Those to train on, and those kept back."""
    first_with: dict[str, str] = {}
    family_of = {
        name: first_with.setdefault(" ".join(text.split()), name) for name, text in documents
    }
    if held_out == 0:
        return documents, []
    if len(set(family_of.values())) > 1:
        names = split.held_out_names(family_of, held_out, seed)
        return (
            [document for document in documents if document.name not in names],
            [document for document in documents if document.name in names],
        )
    name, text = documents[0]
    size = max(1, round(held_out * len(text)))
    first = _next_line(text, int(split.draw(name, seed) * (len(text) - size)))
    last = _next_line(text, first + size) or len(text)
    places = ((0, first, "before"), (first, last, "held out"), (last, len(text), "behind"))
    before, kept_back, behind = (
        [Document(f"{name} ({what})", text[a:b])] if b > a else [] for a, b, what in places
    )
    return before + behind, kept_back


def _next_line(text: str, place: int) -> int:
    """Where the next line begins, or the next word where that is near; the place itself if none."""
    for mark, far in (("\n", 400), (" ", 100)):
        found = text.find(mark, place, place + far)
        if found >= 0:
            return found + 1
    return place


def _of_characters(
    source: str | os.PathLike, kinds: set[str]
) -> tuple[Vocabulary, Callable[[str], list[int]]]:
    try:
        vocabulary = Vocabulary(sorted(kinds))
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return vocabulary, vocabulary.encode


class _Cutter:
    """Cuts documents' tokens into windows, int32[N, length]."""

    def __init__(self, vocabulary: Vocabulary, length: int, ends: bool):
        self._vocabulary, self._length, self._ends = vocabulary, length, ends
        self.num_skipped = 0

    def __call__(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        is_short = sum(map(len, documents)) < _SHORT * self._length
        stride = 1 if is_short else max(1, self._length // 2)
        rows = [
            row
            for tokens in documents
            for row in (self._lines(tokens) if self._ends else self._windows(tokens, stride))
        ]
        return np.array(rows, np.int32).reshape(-1, self._length)

    def _windows(self, tokens: np.ndarray, stride: int) -> list[np.ndarray]:
        pieces, windows, free, late = self._vocabulary.pieces, [], 0, 0
        for place in range(len(tokens) - self._length + 1):
            before = pieces[tokens[place - 1]][-1:] if place else "\n"
            piece = pieces[tokens[place]]
            begins = (before.isspace() and not piece[:1].isspace()) or (
                len(piece) > 1 and piece[0] == " "
            )
            if (place >= free and begins) or place >= late + self._length > self._length:
                windows.append(tokens[place : place + self._length])
                free, late = place + stride, place + stride
        return windows

    def _lines(self, tokens: np.ndarray) -> list[np.ndarray]:
        text = self._vocabulary.decode
        line_end, rows, line = self._vocabulary.number("\n"), [], []
        for token in [*tokens.tolist(), line_end]:
            if token != line_end:
                line.append(token)
                continue
            if len(line) > self._length:
                self.num_skipped += 1
            elif text(line).strip():
                fill = [self._vocabulary.end] * (self._length - len(line))
                rows.append(np.array(line + fill, np.int32))
            line = []
        return rows


def _unseen(train: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The held-out windows that are not in the rest, token by token, each once."""
    known = {row.tobytes() for row in train}
    fresh = {row.tobytes(): row for row in held_out}
    rows = [row for key, row in fresh.items() if key not in known]
    return np.array(rows, held_out.dtype).reshape(-1, held_out.shape[1])
