"""Chords as sets of pitch classes, unbatched.

A chord is a code: 0 for none, else `1 + 12 * quality + root`, with the qualities in the order of
`QUALITIES` and the root's pitch class, C = 0. A set of pitch classes is a mask: bit c stands for
pitch class c, so a note's membership is a shift, and common tones are a population count.
"""

import re

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from creative_rl.typing import Array

QUALITIES = ("", "m", "dim", "7", "m7")
"""Suffixes of chord symbols: major, minor, diminished, dominant seventh, minor seventh."""
INTERVALS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 7, 10), (0, 3, 7, 10))
"""Semitones above the root, by quality."""
NUM_CHORDS = 1 + 12 * len(QUALITIES)

ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""Names of roots in chord symbols, by pitch class: of each pair the one with fewer accidentals."""

NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Pitch classes of the white keys."""
_SYMBOL = re.compile(rf"([A-G])([#b]?)({'|'.join(QUALITIES)})")
PITCH_CLASSES = np.array(
    [[False] * 12]
    + [
        [(pitch_class - root) % 12 in intervals for pitch_class in range(12)]
        for intervals in INTERVALS
        for root in range(12)
    ]
)
"""bool[NUM_CHORDS, 12]: which pitch classes are in the chord of a code."""

_MASKS = (PITCH_CLASSES << np.arange(12)).sum(axis=1).astype(np.int32)


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


def symbol(code: int) -> str:
    """The chord as it is written above a staff, on the host; "" for no chord.

    Raises:
      ValueError: no chord has this code.

    Example:
      >>> symbol(0), symbol(1), symbol(1 + 12 * 4 + 9)
      ('', 'C', 'Am7')
    """
    if not 0 <= code < NUM_CHORDS:
        raise ValueError(f"symbol: chords are codes in 0..{NUM_CHORDS - 1}, got {code}")
    quality, pitch_class = divmod(int(code) - 1, 12)
    return ROOTS[pitch_class] + QUALITIES[quality] if code else ""


def chord_code(symbol: str) -> int:
    """The code of a chord symbol, on the host; roots may have a sharp or a flat.

    Raises:
      ValueError: it is no root with a quality of `QUALITIES`.

    Example:
      >>> chord_code("Am7") == 1 + 12 * 4 + 9, chord_code("Db") == chord_code("C#")
      (True, True)
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(
            "chord_code: a chord symbol is a root such as C, F# or Bb with one of "
            f"{', '.join(map(repr, QUALITIES))}, got {symbol!r}"
        )
    pitch_class = (NATURALS[match[1]] + {"": 0, "#": 1, "b": -1}[match[2]]) % 12
    return 1 + 12 * QUALITIES.index(match[3]) + pitch_class
