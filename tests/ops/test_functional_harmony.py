"""Degrees, functions and distances of chords by hand, and all of them against a plain search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import chords as plain

from creative_rl.ops import functional_harmony as functional
from creative_rl.ops.harmony import NUM_CHORDS, chord_code

CODES = jnp.arange(NUM_CHORDS, dtype=jnp.int32)
KEYS = jnp.arange(functional.NUM_TONALITIES, dtype=jnp.int32)
C_MAJOR, A_MAJOR, A_MINOR, EB_MINOR = 0, 9, 21, 15


def of_key(fn, key, *symbols):
    """`fn` of the chords in a key, in one call."""
    codes = jnp.array([chord_code(symbol) if symbol else 0 for symbol in symbols], jnp.int32)
    return jax.vmap(fn, (0, None))(codes, jnp.int32(key)).tolist()


@pytest.mark.parametrize(
    ("key", "symbols", "degrees"),
    [
        (C_MAJOR, ("C", "Dm", "Em7", "F", "G7", "Am", "Bdim"), [1, 2, 3, 4, 5, 6, 7]),
        (C_MAJOR, ("", "Cm", "C7", "E7", "Bb", "D", "F#dim"), [0] * 7),
        (A_MAJOR, ("A", "Bm", "C#m", "D", "E7", "F#m7", "Abdim"), [1, 2, 3, 4, 5, 6, 7]),
        (A_MINOR, ("Am", "Bdim", "C", "Dm", "Em", "F", "G"), [1, 2, 3, 4, 5, 6, 7]),
        (A_MINOR, ("Am7", "Dm7", "E", "E7", "Em7", "G7", "Abdim"), [1, 4, 5, 5, 5, 7, 7]),
        (A_MINOR, ("A", "D", "A7", "Bm", "C7", "Gdim"), [0] * 6),
        (EB_MINOR, ("Ebm", "Bb7", "Db", "Ddim"), [1, 5, 7, 7]),
    ],
)
def test_degrees(key, symbols, degrees):
    assert of_key(functional.degree, key, *symbols) == degrees
    assert of_key(functional.is_in_key, key, *symbols) == [degree > 0 for degree in degrees]


def test_functions_are_those_of_the_degrees():
    names = of_key(functional.harmonic_function, C_MAJOR, "C", "Dm", "Em", "F", "G", "Am", "Bdim")
    assert "".join(functional.FUNCTION_NAMES[name][0] for name in names) == "tstsdtd"
    assert of_key(functional.harmonic_function, C_MAJOR, "", "E7") == [0, 0]


@pytest.mark.parametrize(
    ("before", "after", "worth"),
    [("C", "F", 1), ("F", "G7", 1), ("G7", "C", 1), ("C", "G", 0.5), ("F", "C", 0.5),
     ("G", "F", -1), ("G", "Dm", -1), ("G", "Am", 0.5), ("G", "Em7", 0), ("F", "Am", 0.25),
     ("Em", "F", 1), ("C", "Am", 0), ("Dm", "F", 0),
     ("G", "G7", 0), ("C", "E7", 0), ("E7", "C", 0), ("", "C", 0)],
)  # fmt: skip
def test_worth_of_progressions(before, after, worth):
    codes = [jnp.int32(chord_code(symbol) if symbol else 0) for symbol in (before, after)]
    assert functional.progression_worth(*codes, jnp.int32(C_MAJOR)) == worth


@pytest.mark.parametrize(
    ("first", "second", "semitones"),
    [
        ("C", "C", 0), ("C", "Em", 1), ("C", "Am", 2), ("C", "Cm", 1),
        ("C", "F", 3), ("C", "G", 3), ("C", "F#", 6), ("G", "G7", 2),  # G, doubled, to F
        ("G7", "C", 4),  # F to E, B to C, D to C or E, G stays: 1 + 1 + 2
        ("C", "Am7", 2),  # C, doubled, with a tone to A: 3, or G, doubled, to A: 2
        ("", "C", 0), ("C", "", 0),
    ],
)  # fmt: skip
def test_movement_by_hand(first, second, semitones):
    codes = [chord_code(symbol) if symbol else 0 for symbol in (first, second)]
    for pair in (codes, codes[::-1]):
        assert functional.movement(*(jnp.int32(code) for code in pair)) == semitones


def test_all_chords_and_keys_against_the_plain_search():
    found = jax.jit(jax.vmap(jax.vmap(functional.harmonic_function, (None, 0)), (0, None)))(
        CODES, KEYS
    )
    expected = [
        ["TSD".find(plain.function(chord, key) or "x") + 1 for key in range(24)]
        for chord in range(NUM_CHORDS)
    ]
    np.testing.assert_array_equal(found, expected)
    tonics = jax.vmap(functional.is_tonic_triad, (None, 0))(jnp.int32(chord_code("Ebm")), KEYS)
    assert np.flatnonzero(tonics).tolist() == [EB_MINOR]
    worths = jax.vmap(jax.vmap(functional.progression_worth, (None, 0, None)), (0, None, None))
    for key in (EB_MINOR, A_MAJOR):
        found = jax.jit(worths)(CODES, CODES, jnp.int32(key))
        plainly = [[plain.worth(a, b, key) for b in range(NUM_CHORDS)] for a in range(NUM_CHORDS)]
        np.testing.assert_array_equal(found, plainly)
    firsts = jnp.array([0, *range(1, NUM_CHORDS, 12)], jnp.int32)  # all qualities on C
    moved = jax.jit(jax.vmap(jax.vmap(functional.movement, (None, 0)), (0, None)))(firsts, CODES)
    plainly = [[plain.movement(a, b) for b in range(NUM_CHORDS)] for a in firsts.tolist()]
    np.testing.assert_array_equal(moved, plainly)
    assert moved.max() == functional.MOST_MOVEMENT and moved.dtype == jnp.int32
    # The same in all keys: E to C# as C to A, 4 semitones lower.
    assert functional.movement(jnp.int32(5), jnp.int32(2)) == moved[1, 10]
