"""Trees of arrays as rows of memory: what is read at random must lie together.

A batch of a thousand random steps is a thousand waits for memory, whatever their size; stored leaf
by leaf there are as many waits again for every leaf, action, reward and flags. So all leaves of a
step lie side by side in one row of 32-bit words, bit for bit, and a row starts at a cache line: it
is padded to whole lines of 64 bytes, or to a power of two below that. Pictures and other leaves of
small numbers, where they fill a line, have a matrix of bytes of their own, because taking words
apart into bytes costs more than a second read.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import Array, PyTree

LINE = 64
"""Bytes of a cache line."""
_WORD, _BYTE = np.dtype(np.uint32), np.dtype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the leaves of one item lie in its row; static and hashable.

    Attributes:
      treedef: the structure of an item.
      shapes: of its leaves.
      dtypes: of its leaves.
    """

    treedef: jax.tree_util.PyTreeDef
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype, ...]

    @classmethod
    def of(cls, item: PyTree) -> "Layout":
        """The layout of items like this one.

        Raises:
          ValueError: a leaf is not of booleans, integers or floats of 8 to 64 bits.
        """
        leaves, treedef = jax.tree.flatten(item)
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        for leaf in leaves:
            is_number = any(jnp.issubdtype(leaf.dtype, kind) for kind in (jnp.bool_, jnp.number))
            is_complex = jnp.issubdtype(leaf.dtype, jnp.complexfloating)
            if not is_number or is_complex or leaf.dtype.name.endswith(("int2", "int4")):
                raise ValueError(
                    "rows hold booleans, integers and floats of 8 to 64 bits; "
                    f"got a leaf of {leaf.dtype.name}: store it in one of those"
                )
        return cls(
            treedef, tuple(leaf.shape for leaf in leaves), tuple(leaf.dtype for leaf in leaves)
        )

    @property
    def num_bytes(self) -> int:
        """Bytes of the leaves whose numbers are smaller than a word."""
        return sum(self._bytes(index) for index in self._members(is_small=True))

    @property
    def has_bytes(self) -> bool:
        """Whether these have a matrix of their own."""
        return self.num_bytes >= LINE

    @property
    def num_words(self) -> int:
        """Words of all that is not in the matrix of bytes."""
        words = sum(self._bytes(index) // 4 for index in self._members(is_small=False))
        return words if self.has_bytes else words + -(-self.num_bytes // 4)

    def zeros(self, num: int) -> dict[str, Array]:
        """`num` rows of zeros: `words`, uint32[num, W], and `bytes`, uint8[num, V], where any."""
        rows = {}
        if self.num_words:
            rows["words"] = jnp.zeros((num, _padded(self.num_words, LINE // 4)), _WORD)
        if self.has_bytes:
            rows["bytes"] = jnp.zeros((num, _padded(self.num_bytes, LINE)), _BYTE)
        return rows

    def pack(self, items: PyTree, lead: tuple[int, ...]) -> dict[str, Array]:
        """The rows of items with leaves [*lead, ...]: as `zeros(prod(lead))`, bits unchanged.

        Raises:
          ValueError: the items have another structure, shape or dtype than the layout.
        """
        leaves = self._checked(items, lead)
        num = math.prod(lead)
        words = [_cut(leaves[i], num, _WORD) for i in self._members(is_small=False)]
        small = [_cut(leaves[i], num, _BYTE) for i in self._members(is_small=True)]
        rows = {}
        if self.has_bytes:
            rows["bytes"] = _beside(small, num, _padded(self.num_bytes, LINE), _BYTE)
        elif small:
            quads = _beside(small, num, -(-self.num_bytes // 4) * 4, _BYTE)
            words.append(jax.lax.bitcast_convert_type(quads.reshape(num, -1, 4), _WORD))
        if self.num_words:
            rows["words"] = _beside(words, num, _padded(self.num_words, LINE // 4), _WORD)
        return rows

    def unpack(self, rows: dict[str, Array]) -> PyTree:
        """Items with leaves [*lead, ...] from rows of [*lead, W] and [*lead, V]."""
        leaves: list[Array | None] = [None] * len(self.shapes)
        start = 0
        for index in self._members(is_small=False):
            stop = start + self._bytes(index) // 4
            leaves[index] = self._shaped(index, rows["words"][..., start:stop])
            start = stop
        small = self._members(is_small=True)
        if self.has_bytes:
            pieces = rows["bytes"]
        elif small and self.num_bytes:
            quads = rows["words"][..., start : self.num_words]
            pieces = jax.lax.bitcast_convert_type(quads, _BYTE)
            pieces = pieces.reshape(*quads.shape[:-1], 4 * quads.shape[-1])
        else:  # leaves without elements
            pieces = jnp.zeros((*jax.tree.leaves(rows)[0].shape[:-1], 0), _BYTE)
        start = 0
        for index in small:
            stop = start + self._bytes(index)
            leaves[index] = self._shaped(index, pieces[..., start:stop])
            start = stop
        return jax.tree.unflatten(self.treedef, leaves)

    def _members(self, is_small: bool) -> list[int]:
        return [i for i, dtype in enumerate(self.dtypes) if (dtype.itemsize < 4) == is_small]

    def _bytes(self, index: int) -> int:
        return math.prod(self.shapes[index]) * self.dtypes[index].itemsize

    def _shaped(self, index: int, pieces: Array) -> Array:
        """A leaf from its words or bytes [*lead, n]."""
        shape, dtype = self.shapes[index], self.dtypes[index]
        lead, ratio = pieces.shape[:-1], dtype.itemsize // pieces.dtype.itemsize
        if ratio > 1:
            pieces = pieces.reshape(*lead, pieces.shape[-1] // ratio, ratio)
        if dtype.kind == "b":
            return (pieces != 0).reshape(*lead, *shape)
        return jax.lax.bitcast_convert_type(pieces, dtype).reshape(*lead, *shape)

    def _checked(self, items: PyTree, lead: tuple[int, ...]) -> list[Array]:
        leaves, treedef = jax.tree.flatten(items)
        if treedef != self.treedef:
            raise ValueError(f"items must have the structure {self.treedef}, got {treedef}")
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        paths = jax.tree_util.tree_leaves_with_path(items)
        for (path, _), leaf, shape, dtype in zip(
            paths, leaves, self.shapes, self.dtypes, strict=True
        ):
            if leaf.shape != (*lead, *shape) or leaf.dtype != dtype:
                raise ValueError(
                    f"items{jax.tree_util.keystr(path)} must be {dtype}{[*lead, *shape]}, "
                    f"got {leaf.dtype}{list(leaf.shape)}"
                )
        return leaves


def _padded(width: int, line: int) -> int:
    """No row straddles more lines than it must."""
    return -(-width // line) * line if width > line else 1 << (width - 1).bit_length()


def _cut(leaf: Array, num: int, dtype: np.dtype) -> Array:
    """The bits of a leaf [*lead, ...] as words or bytes [num, n]."""
    if leaf.dtype.kind == "b":
        leaf = leaf.astype(_BYTE)
    return jax.lax.bitcast_convert_type(leaf, dtype).reshape(num, -1)


def _beside(pieces: list[Array], num: int, width: int, dtype: np.dtype) -> Array:
    """The pieces side by side in rows of `width`, the rest zeros."""
    rest = width - sum(piece.shape[1] for piece in pieces)
    if rest:
        pieces = [*pieces, jnp.zeros((num, rest), dtype)]
    return jnp.concatenate(pieces, axis=1)
