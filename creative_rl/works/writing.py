"""A text, token by token, as a work: what it is, its check, and its files."""

import os
import pathlib
from typing import Any

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array
from creative_rl.works import json_file
from creative_rl.works.batches import check_single
from creative_rl.works.vocabulary import Vocabulary


class Text(flax.struct.PyTreeNode):
    """Tokens of a vocabulary, which knows how they read.

    A batch of texts has leading axes on every array, and one vocabulary.
    """

    tokens: Array | np.ndarray
    """int32[L]; entries from `length` on are 0 and mean nothing"""
    length: Array | np.ndarray
    """int32: tokens written so far"""
    vocabulary: Vocabulary = flax.struct.field(pytree_node=False)
    """what the tokens are"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the text as it reads; the first eight of a batch."""
        from creative_rl.works.writing_card import writing_html

        return writing_html(self)


def on_host(written: Text) -> Text:
    """One text with numpy leaves, checked against the ranges of its fields.

    A vocabulary in the form of `Vocabulary.to_plain` becomes one.

    Raises:
      ValueError: it is a batch, a field is out of range, or there is no vocabulary.
    """
    tokens, length = (np.asarray(leaf) for leaf in jax.device_get((written.tokens, written.length)))
    check_single("Text", "tokens", tokens, 1, length)
    vocabulary = _as_vocabulary(written.vocabulary)
    if not all(np.issubdtype(field.dtype, np.integer) for field in (tokens, length)):
        raise ValueError(
            f"Text: tokens and length must be integers, got {tokens.dtype} and {length.dtype}"
        )
    if not 0 <= length <= len(tokens):
        raise ValueError(f"Text: length must be in 0..{len(tokens)}, got {length}")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(vocabulary):
        wrong = tokens[(tokens < 0) | (tokens >= len(vocabulary))][0]
        raise ValueError(f"Text: tokens must be in 0..{len(vocabulary) - 1}, got {wrong}")
    return Text(tokens=tokens, length=length, vocabulary=vocabulary)


def _as_vocabulary(given: Any) -> Vocabulary:
    if isinstance(given, Vocabulary):
        return given
    if not isinstance(given, dict):
        raise ValueError(f"Text: vocabulary must be a Vocabulary, got {given!r}")
    try:
        return Vocabulary(**given)
    except TypeError as error:
        raise ValueError(f"Text: the vocabulary is none: {error}") from None


def text(written: Text) -> str:
    """The characters of a text.

    Example:
      >>> letters = Vocabulary("ab")
      >>> text(Text(np.array([1, 0, 0], np.int32), np.int32(2), letters))
      'ba'
    """
    written = on_host(written)
    return written.vocabulary.decode(written.tokens[: int(written.length)].tolist())


def from_characters(characters: str) -> Text:
    """A text of characters, its vocabulary those that occur in it.

    Raises:
      ValueError: fewer than two characters occur.
    """
    kinds = sorted(set(characters))
    if len(kinds) < 2:
        raise ValueError(f"a text is made of two characters or more, got {len(kinds)} that differ")
    vocabulary = Vocabulary(kinds)
    tokens = np.array(vocabulary.encode(characters), np.int32)
    return Text(tokens, np.array(len(tokens), np.int32), vocabulary)


def encode_txt(written: Text) -> bytes:
    """What it reads as, in UTF-8 and nothing else."""
    return text(written).encode()


def read_txt(path: str | os.PathLike) -> Text:
    """A text of the file's characters.

    It reads as the one that was written; which tokens it was of, only JSON keeps.

    Raises:
      ValueError: the file is not UTF-8, or has fewer than two characters that differ.
      FileNotFoundError: there is no such file.
    """
    try:
        return from_characters(decode_utf8(pathlib.Path(path).read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def decode_utf8(data: bytes) -> str:
    """Bytes of UTF-8 as characters.

    Raises:
      ValueError: they are none; the line names the row and the byte.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"row {row}, byte {error.start + 1} of the file is not UTF-8 "
            f"(0x{data[error.start]:02x}); save it as UTF-8"
        ) from None


def encode_json(written: Text) -> bytes:
    """Every field, the vocabulary as its pieces."""
    plain: Any = written.vocabulary.to_plain()
    return json_file.encode_json(written.replace(vocabulary=plain))
