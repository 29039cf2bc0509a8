"""A table of things to choose from, asked by sets of its rows: a bit a row, 32 in a word.

A question is a value for each slot. The rows with a value are a set that is made once, so a
question costs a word of 32 rows at a time, and no comparison with every row.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from creative_rl.typing import Array

UNKNOWN = -1
"""Of a code: nothing is said of the slot; in a row, the value is missing."""
ANY = -2
"""Of a code in a question: every value will do, a missing one too."""
MAX_ROWS, MAX_SLOTS, MAX_VALUES = 4096, 32, 4096


class KnowledgeBase(flax.struct.PyTreeNode):
    """R rows of S slots; build one with `KnowledgeBase.create`. W = R / 32, rounded up."""

    codes: Array
    """int32[R, S]: values by number, -1 missing"""
    num_values: Array
    """int32[S]: the codes of a slot are below"""
    sets: Array
    """uint32[S, V + 2, W]: rows that a code allows, ANY first, then UNKNOWN, then 0, 1, ..."""
    shares: Array
    """float32[S, V + 2]: of all rows, those that a code allows"""
    present: Array
    """uint32[S, W]: rows that have a value"""

    @classmethod
    def create(cls, codes: np.ndarray, num_values: tuple[int, ...]) -> "KnowledgeBase":
        """From codes int[R, S]; a slot without any value in it is free: every row fits every value.

        Raises:
          ValueError: sizes or codes are out of range.

        Example:
          >>> base = KnowledgeBase.create(np.array([[0, 1], [1, -1]]), (2, 2))
          >>> base.rows(jnp.array([-1, 1], jnp.int32)).tolist()
          [[3], [1]]
        """
        codes = np.asarray(codes)
        _check(codes, num_values)
        most = max(num_values)
        wanted = np.arange(-2, most)[None, :, None]
        fits = codes.T[:, None, :] == wanted  # [S, V + 2, R]
        fits[:, :2] = True
        is_free = (codes < 0).all(axis=0)
        fits[is_free] = True
        return cls(
            codes=jnp.asarray(codes, jnp.int32),
            num_values=jnp.asarray(num_values, jnp.int32),
            sets=jnp.asarray(_packed(fits)),
            shares=jnp.asarray(fits.sum(axis=-1) / codes.shape[0], jnp.float32),
            present=jnp.asarray(_packed(codes.T >= 0)),
        )

    @property
    def num_slots(self) -> int:
        return self.codes.shape[1]

    @property
    def is_free(self) -> Bool[Array, " slots"]:
        """bool[S]: slots of which no row has a value."""
        return (self.present == 0).all(axis=1)

    def rows(self, question: Int[Array, " slots"]) -> UInt32[Array, "slots words"]:
        """For each slot the set of rows that its code allows."""
        slots = jnp.arange(self.num_slots, dtype=jnp.int32)
        return self.sets.at[slots, question + 2].get(mode="promise_in_bounds")

    def fitting(
        self, rows: UInt32[Array, "slots words"], which: Bool[Array, " slots"]
    ) -> UInt32[Array, " words"]:
        """The rows that are in every one of the sets that count."""
        found = self.sets[0, 0]  # all
        for slot in range(self.num_slots):
            found &= jnp.where(which[slot], rows[slot], self.sets[0, 0])
        return found

    def slot_shares(self, question: Int[Array, " slots"]) -> Float[Array, " slots"]:
        """For each slot how many of all rows its code allows, 0 .. 1."""
        slots = jnp.arange(self.num_slots, dtype=jnp.int32)
        return self.shares.at[slots, question + 2].get(mode="promise_in_bounds")

    def share(self, rows: UInt32[Array, " words"]) -> Float[Array, ""]:
        """How large a set is, over all rows."""
        count = jax.lax.population_count(rows).sum(dtype=jnp.uint32)
        return count.astype(jnp.float32) / self.codes.shape[0]


def first(rows: UInt32[Array, " words"]) -> Int[Array, ""]:
    """int32: the first row of a set, of an empty one 0."""
    place = jnp.argmax(rows != 0).astype(jnp.int32)
    word = rows[place]
    bit = jax.lax.population_count((word & -word) - 1).astype(jnp.int32)
    return jnp.where(word != 0, 32 * place + bit, 0)


def _packed(flags: np.ndarray) -> np.ndarray:
    """uint32[..., W] of bool[..., R]."""
    num_words = -(-flags.shape[-1] // 32)
    padded = np.zeros((*flags.shape[:-1], 32 * num_words), np.uint32)
    padded[..., : flags.shape[-1]] = flags
    bits = padded.reshape(*flags.shape[:-1], num_words, 32) << np.arange(32, dtype=np.uint32)
    return bits.sum(axis=-1, dtype=np.uint32)


def _check(codes: np.ndarray, num_values: tuple[int, ...]) -> None:
    if codes.ndim != 2 or not np.issubdtype(codes.dtype, np.integer):
        raise ValueError(
            f"KnowledgeBase: codes must be integers [rows, slots], got {codes.dtype}"
            f"{list(codes.shape)}"
        )
    for what, size, low, high in (
        ("rows", codes.shape[0], 1, MAX_ROWS),
        ("slots", codes.shape[1], 2, MAX_SLOTS),
        ("values of a slot", max(num_values, default=0), 1, MAX_VALUES),
    ):
        if not low <= size <= high:
            raise ValueError(f"KnowledgeBase: {what} must be {low} to {high}, got {size}")
    if len(num_values) != codes.shape[1] or min(num_values) < 1:
        raise ValueError(
            f"KnowledgeBase: num_values must be {codes.shape[1]} sizes of at least 1, got "
            f"{num_values}"
        )
    wrong = (codes < UNKNOWN) | (codes >= np.asarray(num_values))
    if wrong.any():
        row, slot = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"KnowledgeBase: codes of slot {slot} must be -1 (missing) or below "
            f"{num_values[slot]}, got {codes[row, slot]} in row {row}"
        )
