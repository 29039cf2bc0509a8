"""Chords as sets of pitch classes, unbatched.

A chord is a code: 0 for none, else `1 + 12 * quality + root`, with the qualities in the order of
`QUALITIES` and the root's pitch class, C = 0. A set of pitch classes is a mask: bit c stands for
pitch class c, so a note's membership is a shift, and common tones are a population count.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from creative_rl.typing import Array

QUALITIES = ("", "m", "dim", "7", "m7")
"""Suffixes of chord symbols: major, minor, diminished, dominant seventh, minor seventh."""
INTERVALS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 7, 10), (0, 3, 7, 10))
"""Semitones above the root, by quality."""
NUM_CHORDS = 1 + 12 * len(QUALITIES)

_MASKS = np.array(
    [0]
    + [
        sum(1 << (root + interval) % 12 for interval in intervals)
        for intervals in INTERVALS
        for root in range(12)
    ],
    np.int32,
)


def chord_mask(code: Int[Array, ""]) -> Int[Array, ""]:
    """The chord's pitch classes as the lowest 12 bits of an int32; 0 for no chord.

    Args:
      code: 0..`NUM_CHORDS - 1`; others count as the nearest of these.

    Example:
      >>> bin(chord_mask(jnp.int32(1)))  # C major: C, E, G
      '0b10010001'
    """
    return jnp.asarray(_MASKS)[jnp.clip(code, 0, NUM_CHORDS - 1)]


def root(code: Int[Array, ""]) -> Int[Array, ""]:
    """Pitch class of the chord's root, int32 in 0..11; -1 for no chord.

    Example:
      >>> int(root(jnp.int32(1 + 12 * 4 + 9)))  # Am7
      9
    """
    return jnp.where(code > 0, (code - 1) % 12, -1).astype(jnp.int32)
