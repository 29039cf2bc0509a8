"""Valence and arousal of melodies by hand, and their ranges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.ops import affect

REST, HOLD = 0, 1
C, D, EB, E, G, AB, C2 = (2 + 12 + k for k in (0, 2, 3, 4, 7, 8, 12))


@jax.jit
def felt(events):
    def step(stats, event):
        return affect.update_affect(stats, event), None

    stats, _ = jax.lax.scan(step, affect.init_affect(), events)
    return affect.valence(stats), affect.arousal(stats)


def of(*events):
    return [float(value) for value in felt(jnp.array(events, jnp.int32))]


def test_silence_is_neutral_and_calm():
    assert of(REST, HOLD, HOLD, HOLD) == [0.0, -1.0]


@pytest.mark.parametrize(
    ("events", "valence"),
    [
        ((C, E, G, C2), 0.75 * 1 + 0.25 * 1),  # one telling note, of major; all consonant
        ((C, EB, G, AB), 0.75 * -1 + 0.25 * (2 * 2 / 3 - 1)),  # G to A flat is dissonant
        ((C, E, EB, C), 0.75 * 0 + 0.25 * (2 * 2 / 3 - 1)),  # one of each; E to E flat
        ((C, HOLD, REST, C2), 0.25 * 1),  # nothing tells the mode; an octave across a rest
        ((D, HOLD, HOLD, HOLD), 0.0),
        ((2, 9, HOLD, HOLD), 0.25 * 1),  # a fifth above the lowest note of all
    ],
)
def test_valence_is_mode_and_consonance(events, valence):
    assert of(*events)[0] == pytest.approx(valence, abs=1e-6)


@pytest.mark.parametrize(
    ("events", "arousal"),
    [
        ((2, 2, 2, 2), 0.75 * 1 + 0.25 * -1),  # as fast and as low as can be
        ((37, 37, 37, 37), 1.0),
        ((37, HOLD, HOLD, HOLD), 0.75 * (2 / 4 - 1) + 0.25),
        ((C, HOLD, C2, REST), 0.75 * 0 + 0.25 * (2 * 18 / 35 - 1)),
    ],
)
def test_arousal_is_density_and_register(events, arousal):
    assert of(*events)[1] == pytest.approx(arousal, abs=1e-6)


@settings(deadline=None)  # the first compiles
@given(st.lists(st.integers(0, 37), min_size=8, max_size=8))
def test_both_stay_in_the_square(events):
    values = np.array(of(*events))
    assert (np.abs(values) <= 1 + 1e-6).all()


def test_valence_of_a_chord_is_told_by_its_quality():
    chords = [0, 1, 1 + 11, 1 + 12 + 2, 1 + 24 + 11, 1 + 36 + 7, 1 + 48]
    found = [float(affect.chord_valence(jnp.int32(chord))) for chord in chords]
    assert found == [0, 1, 1, -0.5, -1, 0.5, -0.25]


@pytest.mark.parametrize(
    ("strikes", "register", "arousal"),
    [(0, 0, -1), (0b11111111, 1, 1), (0b00010001, 0.5, -0.25), (0b11110000, 0.5, 0), (0, 1, 0)],
)
def test_arousal_of_chords_is_density_and_register(strikes, register, arousal):
    assert float(affect.chord_arousal(jnp.uint32(strikes), jnp.float32(register))) == arousal
