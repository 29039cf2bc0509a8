"""Terms for accompaniments and moods, by hand; whole episodes are compared with a plain loop in
tests/envs/test_accompaniment.py."""

from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from creative_rl.rewards import accompaniment as rewards
from creative_rl.rewards import mood
from creative_rl.typing import Transition

C, D, DM, G7, AM, BDIM = 1, 3, 15, 44, 22, 36
C2, D2, G2, C3, CS3, A3 = 36, 38, 43, 48, 49, 57
C5, D5, G5 = 72, 74, 79
SILENT = -1


def paid(term, *, note=(C5, C5), bass=(C3, C3), chord=C, lasted=1, step=5):
    """The term's value where note and bass went from the first to the second."""
    states = [
        SimpleNamespace(
            melody_pitch=jnp.int32(note[i]),
            bass=jnp.int32(bass[i]),
            chord=jnp.int32(chord),
            lasted=jnp.int32(lasted),
            step=jnp.int32(step),
            actions=SimpleNamespace(length=8),
        )
        for i in (0, 1)
    ]
    params = SimpleNamespace(longest=jnp.int32(8))
    value = term.fn(Transition(states[0], jnp.int32(0), states[1], params))
    assert value.dtype == jnp.float32 and value.shape == ()
    return float(value)


@pytest.mark.parametrize(
    ("note", "chord", "value"),
    [(C5, C, 1), (G5, C, 1), (D5, C, 0), (D5, G7, 1), (77, G7, 1), (77, G7 + 12, 1), (C5, AM, 1),
     (G5, AM, 0), (77, BDIM, 1), (C5, 0, 0), (SILENT, C, 0), (SILENT, BDIM, 0)],
)  # fmt: skip
def test_note_in_chord(note, chord, value):
    # F is the seventh of G7 and of Gm7; B, the pitch class of silence's number, is in Bdim.
    assert paid(rewards.NOTE_IN_CHORD, note=(C5, note), chord=chord) == value


@pytest.mark.parametrize(
    ("note", "bass", "value"),
    [(C5, C3, 0.5), (G5, C3, 0.5), (76, C3, 1), (75, C3, 1), (69, C3, 1), (68, C3, 1), (D5, C3, 0),
     (77, C3, 0), (78, C3, 0), (70, C3, 0), (C5, A3, 1), (SILENT, C3, 0), (C5, SILENT, 0)],
)  # fmt: skip
def test_consonance(note, bass, value):
    assert paid(rewards.CONSONANCE, note=(C5, note), bass=(C3, bass)) == value


@pytest.mark.parametrize(
    ("note", "bass", "of_voice", "of_root"),
    [
        ((C5, D5), (C3, C3), 0, 0),  # held
        ((C5, D5), (C3, C3 + 7), 0, 0),  # a fifth up
        ((C5, C5), (C3, C3 + 6), -0.5, -0.5),  # a tritone
        ((C5, C5), (C3, C3 + 8), -0.5, 0),  # a sixth
        ((C5, C5), (C3, C3 + 12), 0, 0),  # an octave
        ((C5, C5), (C3, C3 - 13), -0.5, 0),
        ((C5, D5), (C3, C3 + 2), -0.5, -0.5),  # parallel octaves
        ((G5, G5 + 2), (C3, C3 + 2), -0.5, -0.5),  # parallel fifths
        ((76, 78), (C3, C3 + 2), 0, 0),  # parallel thirds
        ((C5, C5 + 9), (C3, C3 + 9), -1, -0.5),  # a leap in parallel octaves
        ((C5, C5 + 6), (C3, C3 + 6), -1, -1),
        ((C5, C5 + 12), (C3, C3), 0, 0),  # the bass stays
        ((SILENT, D5), (C3, D2), -0.5, 0),  # a minor seventh down
        ((C5, D5), (SILENT, A3), 0, 0),  # comes out of silence
        ((C5, D5), (A3, SILENT), 0, 0),
    ],
)
def test_voice_leading(note, bass, of_voice, of_root):
    assert paid(rewards.VOICE_LEADING, note=note, bass=bass) == of_voice
    assert paid(rewards.ROOT_LEADING, note=note, bass=bass) == of_root


def test_range_is_crossing_above_the_melody():
    assert paid(rewards.RANGE, note=(C5, C3), bass=(C3, CS3)) == -1
    assert paid(rewards.RANGE, note=(C5, C3), bass=(C3, C3)) == 0
    assert paid(rewards.RANGE, note=(C5, SILENT), bass=(C3, CS3)) == 0
    assert paid(rewards.RANGE, note=(C5, C3), bass=(C3, SILENT)) == 0


def test_repetition_is_lasting_longer_than_the_params_say():
    assert [paid(rewards.REPETITION, lasted=frames) for frames in (1, 8, 9, 30)] == [0, 0, -1, -1]


def test_cadence_is_the_tonic_on_the_last_frame():
    chords = (0, C, C + 12, G7, AM, AM - 12)
    found = [paid(rewards.CHORD_CADENCE, chord=chord, step=8) for chord in chords]
    assert found == [0, 1, 0, 0, 1, 0]
    assert paid(rewards.CHORD_CADENCE, chord=C, step=7) == 0
    found = [paid(rewards.VOICE_CADENCE, bass=(C3, to), step=8) for to in (C2, A3, G2, CS3, SILENT)]
    assert found == [1, 1, 0, 0, 0]
    assert paid(rewards.VOICE_CADENCE, step=7) == 0


# Moods.


def test_matches_fall_linearly_with_the_distance():
    before = SimpleNamespace(curve=jnp.int32(1), step=jnp.int32(2))
    after = SimpleNamespace(
        chord=jnp.int32(DM), strikes=jnp.uint32(0b11), register=jnp.float32(0.5)
    )
    curves = jnp.zeros((2, 4), jnp.float32)
    params = SimpleNamespace(valence=curves.at[1, 2].set(0.5), arousal=curves.at[1, 2].set(-0.25))
    seen = Transition(before, jnp.int32(0), after, params)
    assert float(mood.VALENCE_MATCH.fn(seen)) == 1 - 1.0 / 2  # -0.5 where 0.5 is wanted
    assert float(mood.AROUSAL_MATCH.fn(seen)) == 1  # 2/8 + 0.5 - 1
    other = SimpleNamespace(valence=curves.at[1, 2].set(1), arousal=curves.at[1, 2].set(1))
    seen = seen._replace(params=other)
    assert float(mood.VALENCE_MATCH.fn(seen)) == 1 - 1.5 / 2
    assert float(mood.AROUSAL_MATCH.fn(seen)) == 1 - 1.25 / 2
