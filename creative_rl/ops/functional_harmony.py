"""What a chord is in a key, and how far two chords are apart, unbatched.

A key, `tonality` in code, is 0..11 for the major keys on C, C#, ..., B and 12..23 for the minor
ones; chords are codes of `ops.harmony`. The chords of a key, by degree, with the sevenths that
`ops.harmony` has:

| degree | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
|---|---|---|---|---|---|---|---|
| major | I | ii ii7 | iii iii7 | IV | V V7 | vi vi7 | vii° |
| minor | i i7 | ii° | III | iv iv7 | v v7 V V7 | VI | VII VII7 vii° |

In minor these are the chords of the natural scale, and V, V7 and vii° with its raised leading tone.

Sources: Riemann, "Vereinfachte Harmonielehre" (1893), for the three functions; Kostka and Payne,
"Tonal Harmony", the chapter on harmonic progression, for what usually follows what; Tymoczko, "The
Geometry of Musical Chords" (Science 313, 2006), for the distance of chords.
"""

import functools
import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from creative_rl.ops.harmony import INTERVALS, NUM_CHORDS
from creative_rl.typing import Array

NUM_TONALITIES = 24
NO_FUNCTION, TONIC, SUBDOMINANT, DOMINANT = range(4)
FUNCTION_NAMES = ("none", "tonic", "subdominant", "dominant")
MOST_MOVEMENT = 7
"""Semitones between the two chords of `ops.harmony` that are furthest apart."""

_MAJOR, _MINOR, _DIMINISHED, _SEVENTH, _MINOR_SEVENTH = range(len(INTERVALS))
_Degrees = dict[int, dict[int, tuple[int, ...]]]
_OF_MAJOR: _Degrees = {
    1: {0: (_MAJOR,)},
    2: {2: (_MINOR, _MINOR_SEVENTH)},
    3: {4: (_MINOR, _MINOR_SEVENTH)},
    4: {5: (_MAJOR,)},
    5: {7: (_MAJOR, _SEVENTH)},
    6: {9: (_MINOR, _MINOR_SEVENTH)},
    7: {11: (_DIMINISHED,)},
}
"""By degree: semitones of the root above the tonic, and the qualities of the chords on it."""
_OF_MINOR: _Degrees = {
    1: {0: (_MINOR, _MINOR_SEVENTH)},
    2: {2: (_DIMINISHED,)},
    3: {3: (_MAJOR,)},
    4: {5: (_MINOR, _MINOR_SEVENTH)},
    5: {7: (_MINOR, _MINOR_SEVENTH, _MAJOR, _SEVENTH)},
    6: {8: (_MAJOR,)},
    7: {10: (_MAJOR, _SEVENTH), 11: (_DIMINISHED,)},
}
_FUNCTIONS = np.array(
    [NO_FUNCTION, TONIC, SUBDOMINANT, TONIC, SUBDOMINANT, DOMINANT, TONIC, DOMINANT], np.int32
)
"""By degree, 0 for a chord outside of the key."""
_BY_FUNCTION = np.array(
    [  # to none, tonic, subdominant, dominant
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.5],
        [0.0, 0.5, 0.0, 1.0],
        [0.0, 1.0, -1.0, 0.0],
    ],
    np.float32,
)
_ARRIVAL = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.5, 1.0], np.float32)
"""By degree: of the tonics only the first is one in full, the third is nowhere to arrive."""
_WORTH = _BY_FUNCTION[_FUNCTIONS[:, None], _FUNCTIONS] * _ARRIVAL
"""float32[8, 8], by degrees."""


def _degree_table() -> np.ndarray:
    """int32[2, C]: degrees in C major and in C minor."""
    table = np.zeros((2, NUM_CHORDS), np.int32)
    for mode, degrees in enumerate((_OF_MAJOR, _OF_MINOR)):
        for degree, roots in degrees.items():
            for root, qualities in roots.items():
                for quality in qualities:
                    table[mode, 1 + 12 * quality + root] = degree
    return table


_DEGREES = _degree_table()


def degree(chord: Int[Array, ""], tonality: Int[Array, ""]) -> Int[Array, ""]:
    """int32 in 1..7: the chord's degree in the key; 0 for no chord and for one outside of it.

    Example:
      In C major G7 is a fifth degree, E7 is none:

      >>> int(degree(jnp.int32(44), jnp.int32(0))), int(degree(jnp.int32(41), jnp.int32(0)))
      (5, 0)
    """
    quality, root = (chord - 1) // 12, (chord - 1) % 12
    in_c = 1 + 12 * quality + (root - tonality % 12) % 12
    return jnp.asarray(_DEGREES)[tonality // 12, jnp.where(chord > 0, in_c, 0)]


def is_in_key(chord: Int[Array, ""], tonality: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether it is a chord of the key; no chord is not."""
    return degree(chord, tonality) > 0


def is_tonic_triad(chord: Int[Array, ""], tonality: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether it is the key's own triad, major or minor as the key is.

    >>> [bool(is_tonic_triad(jnp.int32(22), jnp.int32(key))) for key in (21, 0)]  # Am
    [True, False]
    """
    return chord == 1 + tonality  # minor keys count from 12, as minor triads count from 13


def harmonic_function(chord: Int[Array, ""], tonality: Int[Array, ""]) -> Int[Array, ""]:
    """int32: 1 tonic (degrees 1, 3, 6), 2 subdominant (2, 4), 3 dominant (5, 7), 0 none.

    >>> FUNCTION_NAMES[harmonic_function(jnp.int32(15), jnp.int32(0))]  # D minor in C major
    'subdominant'
    """
    return jnp.asarray(_FUNCTIONS)[degree(chord, tonality)]


def progression_worth(
    before: Int[Array, ""], after: Int[Array, ""], tonality: Int[Array, ""]
) -> Float[Array, ""]:
    """float32 in -1..1: how usual it is that one chord follows another in a key.

    1 for the way from tonic to subdominant to dominant to tonic; 0.5 for tonic to dominant, and
    subdominant to tonic; -1 for dominant to subdominant, the retrogression; 0 for two chords of one
    function, and where either has none. Where the sixth degree is the tonic that is reached, as in
    a deceptive cadence, half of it; where the third is, which seldom follows anything, nothing.

    >>> float(progression_worth(jnp.int32(8), jnp.int32(1), jnp.int32(0)))  # G to C, in C major
    1.0
    """
    return jnp.asarray(_WORTH)[degree(before, tonality), degree(after, tonality)]


def movement(before: Int[Array, ""], after: Int[Array, ""]) -> Int[Array, ""]:
    """int32 in 0..`MOST_MOVEMENT`: the fewest semitones in which one chord becomes another.

    Every tone moves to a tone the shorter way round, each tone is reached, and the semitones of all
    are added up. A triad that leads to a chord of four tones, or comes from one, doubles whichever
    tone makes the sum least. 0 where either is no chord.

    >>> int(movement(jnp.int32(1), jnp.int32(22)))  # C to Am: G to A
    2
    """
    (old, first), (new, second) = (jnp.divmod(jnp.maximum(c - 1, 0), 12) for c in (before, after))
    semitones = jnp.asarray(_movements())[old, new, (second - first) % 12]
    return jnp.where((before > 0) & (after > 0), semitones, 0)


@functools.cache
def _movements() -> np.ndarray:
    """int32[Q, Q, 12]: between chords of two qualities, by the second root above the first."""
    num = len(INTERVALS)
    table = np.zeros((num, num, 12), np.int32)
    for old, new, root in np.ndindex(num, num, 12):
        table[old, new, root] = _least(
            INTERVALS[old], tuple(root + interval for interval in INTERVALS[new])
        )
    return table


def _least(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """The least sum over all ways to lead the one chord's tones into the other's."""
    few, many = sorted((first, second), key=len)
    doubled = itertools.combinations_with_replacement(few, len(many) - len(few))
    return min(
        sum(min((low - high) % 12, (high - low) % 12) for low, high in zip(way, many, strict=True))
        for extra in doubled
        for way in itertools.permutations(few + extra)
    )
