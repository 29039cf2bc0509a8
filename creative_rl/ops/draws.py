"""Many small random numbers from one key, cheaply.

A threefry word costs some ten nanoseconds of a core, and an environment that draws thirty numbers a
step does little else. Here two such words seed a counter, whose values are mixed by the finaliser
of MurmurHash3 (Appleby, public domain), twice, each time with one of the words: every number
depends on all 64 bits of the seed.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int, UInt32

from creative_rl.typing import Array, Key

_GOLDEN = 0x9E3779B9
"""2**32 over the golden ratio: the counter's steps."""


def words(key: Key, num: int) -> UInt32[Array, " num"]:
    """uint32[num], uniform and independent for all practical purposes; consumes the key.

    Example:
      >>> words(jax.random.key(0), 3).shape
      (3,)
    """
    seed = jax.random.bits(key, (2,), jnp.uint32)
    counter = jnp.arange(num, dtype=jnp.uint32) * jnp.uint32(_GOLDEN)
    return _mixed(_mixed(counter + seed[0]) ^ seed[1])


def uniform(words: UInt32[Array, "*num"]) -> Float[Array, "*num"]:
    """float32 in 0 .. 1, below 1, in steps of 2**-24."""
    return (words >> 8).astype(jnp.float32) * jnp.float32(2.0**-24)


def normal(words: UInt32[Array, " num"]) -> Float[Array, " num"]:
    """float32, standard normal, from -5.3 to 5.3."""
    middle = (words >> 9).astype(jnp.float32) * jnp.float32(2.0**-22)
    return jnp.float32(2.0**0.5) * jax.lax.erf_inv(middle + jnp.float32(2.0**-23 - 1.0))


def integers(words: UInt32[Array, " num"], below: int) -> Int[Array, " num"]:
    """int32 in 0 .. below - 1, of `below` up to 256, as `spaces.Discrete.sample` makes them."""
    return (((words >> 8) * jnp.uint32(below)) >> 24).astype(jnp.int32)


def _mixed(word: Array) -> Array:
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)
