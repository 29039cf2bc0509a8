"""Texts as what is counted of them: tokens, and n-grams."""

from typing import NamedTuple

import numpy as np

from creative_rl.works.writing import Text


class Tokens(NamedTuple):
    """The tokens of many texts, end to end; a text without one has no place here."""

    codes: np.ndarray
    """int64[K]: tokens plus one, so that none is 0"""
    owners: np.ndarray
    """int64[K]: the text that the token is in, increasing"""

    def grams(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Every run of `n` tokens in one text as a number.

        Returns:
          int64[G], equal for equal runs of this n, and int64[G] the tokens that they start from.
        """
        if len(self.codes) < n:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        starts = np.flatnonzero(self.owners[n - 1 :] == self.owners[: len(self.owners) - n + 1])
        numbers = np.zeros(len(starts), np.int64)
        for place in range(n):
            _, numbers = np.unique(
                numbers * (self.codes.max() + 1) + self.codes[starts + place], return_inverse=True
            )
        return numbers, starts


def batch_of(texts: Text, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The tokens [N, L] of a batch, 0 from each text's length on, and the lengths [N].

    Raises:
      ValueError: no batch of texts; the line begins with `name`.
    """
    tokens, lengths = np.asarray(texts.tokens), np.asarray(texts.length)
    if tokens.ndim != 2 or tokens.shape[0] < 1 or lengths.shape != tokens.shape[:1]:
        raise ValueError(
            f"{name}: texts must be a batch with tokens [N, L] and lengths [N], N at least 1, such "
            f"as a rollout's works, got {list(tokens.shape)} and {list(lengths.shape)}"
        )
    return np.where(np.arange(tokens.shape[1]) < lengths[:, None], tokens, 0), lengths


def of_works(texts: Text, name: str) -> tuple[Tokens, int]:
    """The tokens of a batch, and N; see `batch_of`."""
    tokens, lengths = batch_of(texts, name)
    is_written = np.arange(tokens.shape[1]) < lengths[:, None]
    owners, places = np.nonzero(is_written)
    return Tokens(tokens[owners, places].astype(np.int64) + 1, owners), len(tokens)
