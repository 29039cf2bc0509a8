"""The last few small integers, packed into machine words.

Stepping thousands of melodies is memory traffic: a register of `length` codes of `bits` bits is
a handful of 32-bit words, each a scalar leaf, so that under `vmap` the batch axis is the only
axis and every operation runs over whole vector registers.
"""

import flax.struct
import jax.numpy as jnp

from creative_rl.typing import Array


class ShiftRegister(flax.struct.PyTreeNode):
    """Codes by age; build one with `ShiftRegister.create`, filled with zeros."""

    words: tuple[Array, ...]
    """uint32 scalars, the newest codes in the low bits of the first."""
    bits: int = flax.struct.field(pytree_node=False)
    """Width of a code."""
    length: int = flax.struct.field(pytree_node=False)
    """Codes remembered."""

    @classmethod
    def create(cls, length: int, num_codes: int) -> "ShiftRegister":
        """An all-zero register for `length` codes in `0 .. num_codes - 1`."""
        if length < 1 or not 2 <= num_codes <= 1 << 16:
            raise ValueError(
                "ShiftRegister: length must be at least 1 and num_codes in 2..65536, "
                f"got length={length}, num_codes={num_codes}"
            )
        bits = (num_codes - 1).bit_length()
        num_words = -(-length // (32 // bits))
        return cls(tuple(jnp.uint32(0) for _ in range(num_words)), bits, length)

    @property
    def codes_per_word(self) -> int:
        return 32 // self.bits

    def push(self, code: Array) -> "ShiftRegister":
        """Add the newest code; the oldest falls out. Of a code too wide the low bits are kept."""
        used = self.codes_per_word * self.bits
        carry = _low_bits(code.astype(jnp.uint32), self.bits)
        words = []
        for word in self.words:
            words.append(_low_bits((word << self.bits) | carry, used))
            carry = word >> (used - self.bits)
        return self.replace(words=tuple(words))

    def lag(self, age: int) -> Array:
        """The code pushed `age` pushes before the newest, as int32; zero where none was."""
        if not 0 <= age < self.length:
            raise ValueError(f"ShiftRegister: age must be in 0..{self.length - 1}, got {age}")
        word, place = divmod(age, self.codes_per_word)
        return _low_bits(self.words[word] >> (place * self.bits), self.bits).astype(jnp.int32)

    def newest(self, count: int) -> Array:
        """int32[count]: the last codes, oldest first; zeros where none were pushed."""
        return jnp.stack([self.lag(age) for age in reversed(range(count))])

    def array(self) -> Array:
        """int32[length], oldest first."""
        return self.newest(self.length)

    def from_start(self, num_pushed: Array) -> tuple[Array, Array]:
        """All codes in the order of their pushes, int32[length], and which there are, bool[length].

        Args:
          num_pushed: int32, at most `length`: how often `push` was called.
        """
        places = jnp.arange(self.length, dtype=jnp.int32)
        return jnp.roll(self.array(), num_pushed - self.length), places < num_pushed


def _low_bits(word: Array, count: int) -> Array:
    return word if count == 32 else word & jnp.uint32((1 << count) - 1)
