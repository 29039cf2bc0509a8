"""Terms for chord progressions, by hand; whole episodes are compared with a plain loop in
tests/envs/test_chords.py."""

from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from creative_rl.ops.harmony import chord_code
from creative_rl.rewards import chords as rewards
from creative_rl.typing import Transition

C_MAJOR, A_MINOR = 0, 21


def code(symbol):
    return chord_code(symbol) if symbol else 0


def paid(term, *, chords=("", "C", "C"), key=C_MAJOR, lasted=1, step=3, heard=(0, 0)):
    """The term's value: what sounded before, what did at the state, and what does after it."""
    first, now, then = (jnp.int32(code(symbol)) for symbol in chords)
    states = [
        SimpleNamespace(
            tonality=jnp.int32(key),
            chord=chord,
            before=before,
            lasted=jnp.int32(lasted),
            step=jnp.int32(step),
            heard=(jnp.uint32(bits), jnp.uint32(1)),
            actions=SimpleNamespace(length=8),
        )
        for before, chord, bits in (
            (first, now, heard[0]),
            (first if now == then else now, then, heard[1]),
        )
    ]
    params = SimpleNamespace(longest=jnp.int32(4))
    value = term.fn(Transition(states[0], jnp.int32(0), states[1], params))
    assert value.dtype == jnp.float32 and value.shape == ()
    return float(value)


@pytest.mark.parametrize(
    ("now", "then", "value"),
    [("C", "F", 1), ("Dm7", "G7", 1), ("Bdim", "C", 1), ("C", "G", 0.5), ("F", "C", 0.5),
     ("G7", "F", -1), ("C", "C", 0), ("C", "Am", 0), ("C", "E7", 0), ("", "C", 0), ("", "", 0)],
)  # fmt: skip
def test_function(now, then, value):
    assert paid(rewards.FUNCTION, chords=("", now, then)) == value


def test_function_depends_on_the_key():
    assert paid(rewards.FUNCTION, chords=("", "E7", "Am"), key=A_MINOR) == 1
    assert paid(rewards.FUNCTION, chords=("", "E7", "Am"), key=C_MAJOR) == 0
    assert paid(rewards.FUNCTION, chords=("", "F", "C"), key=A_MINOR) == 0  # both are tonics


@pytest.mark.parametrize(
    ("chord", "in_c", "in_a_minor"),
    [("C", 0, 0), ("G7", 0, 0), ("E7", -1, 0), ("Am", 0, 0), ("A", -1, -1), ("", -1, -1)],
)
def test_in_key(chord, in_c, in_a_minor):
    found = [paid(rewards.IN_KEY, chords=("", "C", chord), key=key) for key in (C_MAJOR, A_MINOR)]
    assert found == [in_c, in_a_minor]


@pytest.mark.parametrize(
    ("now", "then", "semitones"),
    [("C", "C", 0), ("C", "Am", 2), ("C", "F", 3), ("G7", "C", 4), ("C", "F#", 6), ("", "C", 0)],
)
def test_voice_leading(now, then, semitones):
    found = paid(rewards.VOICE_LEADING, chords=("", now, then))
    assert found == pytest.approx(-semitones / 7)


@pytest.mark.parametrize(
    ("chords", "key", "step", "value"),
    [
        (("", "", "C"), C_MAJOR, 1, 0.5),
        (("", "", "C"), A_MINOR, 1, 0),
        (("", "", "G"), C_MAJOR, 1, 0),
        (("", "", "C"), C_MAJOR, 2, 0),
        (("F", "G7", "C"), C_MAJOR, 8, 1),
        (("G", "C", "C"), C_MAJOR, 8, 1),  # it may sound already
        (("F", "Bdim", "C"), C_MAJOR, 8, 1),
        (("G", "F", "C"), C_MAJOR, 8, 0.5),
        (("Dm", "E7", "Am"), A_MINOR, 8, 1),
        (("Dm", "E7", "Am7"), A_MINOR, 8, 0),  # no triad
        (("Dm", "E7", "C"), A_MINOR, 8, 0),
        (("F", "G7", "C"), C_MAJOR, 7, 0),
        (("", "C", "C"), C_MAJOR, 8, 0),  # nothing else ever sounded
    ],
)
def test_cadence(chords, key, step, value):
    assert paid(rewards.CADENCE, chords=chords, key=key, step=step) == value


def test_repetition_is_lasting_longer_than_the_params_say():
    assert [paid(rewards.REPETITION, lasted=steps) for steps in (1, 4, 5, 30)] == [0, 0, -1, -1]


def test_variety_is_a_chord_that_was_not_heard_before():
    assert paid(rewards.VARIETY, heard=(0b0101, 0b0111)) == 1
    assert paid(rewards.VARIETY, heard=(0b0101, 0b0101)) == 0
    assert paid(rewards.VARIETY, heard=(0, 1 << 29)) == 1
