"""Named reward terms for accompaniments.

The terms read a transition whose states carry `melody_pitch` and `bass` (MIDI, -1 for silence;
chords have their root for a bass), `chord` (a code of `ops.harmony`), `lasted` (frames that chord
and bass have been what they are), `step`, and `actions`, a register as long as the piece, and whose
params carry `longest`. All are in -1..1.
"""

import jax.numpy as jnp

from creative_rl.ops.harmony import chord_mask
from creative_rl.typing import Array, PyTree, Term, Transition

_FIFTH, _OCTAVE, _TRITONE = 7, 12, 6
C_MAJOR, A_MINOR = 1, 1 + 12 + 9
_CONSONANCE = (0.5, 0, 0, 1, 1, 0, 0, 0.5, 1, 1, 0, 0)
"""By semitones above the bass, octaves left out."""
_RULES = "rules of two-part counterpoint, after Fux, Gradus ad Parnassum (1725)"


def _note_in_chord(seen: Transition) -> Array:
    """1 where a melody note sounds and its pitch class is in the chord."""
    after = seen.next_state
    is_in = (chord_mask(after.chord) >> (after.melody_pitch % 12)) & 1
    return ((after.melody_pitch >= 0) & (is_in == 1)).astype(jnp.float32)


def _consonance(seen: Transition) -> Array:
    """1 for thirds and sixths with the melody, 0.5 for octaves and fifths, else 0; 0 in silence."""
    after = seen.next_state
    worth = jnp.asarray(_CONSONANCE, jnp.float32)[(after.melody_pitch - after.bass) % 12]
    return jnp.where(_both_sound(after), worth, 0.0)


def _root_leading(seen: Transition) -> Array:
    """-0.5 for a root a tritone from the last one, -0.5 for parallels with the melody."""
    distance = jnp.abs(seen.next_state.bass - seen.state.bass)
    return _led(seen, distance == _TRITONE)


def _voice_leading(seen: Transition) -> Array:
    """-0.5 for a leap of a tritone, or above a fifth and no octave; -0.5 for parallels."""
    distance = jnp.abs(seen.next_state.bass - seen.state.bass)
    return _led(seen, (distance == _TRITONE) | ((distance > _FIFTH) & (distance != _OCTAVE)))


def _led(seen: Transition, leaps: Array) -> Array:
    before, after = seen.state, seen.next_state
    leaps &= (before.bass >= 0) & (after.bass >= 0)
    interval = (after.melody_pitch - after.bass) % 12
    kept = interval == (before.melody_pitch - before.bass) % 12
    moved = (before.bass != after.bass) & (before.melody_pitch != after.melody_pitch)
    perfect = (interval == 0) | (interval == _FIFTH)
    parallel = kept & moved & perfect & _both_sound(before) & _both_sound(after)
    return -0.5 * (leaps.astype(jnp.float32) + parallel.astype(jnp.float32))


def _range(seen: Transition) -> Array:
    """-1 where the voice sounds above the melody."""
    after = seen.next_state
    crosses = _both_sound(after) & (after.bass > after.melody_pitch)
    return -crosses.astype(jnp.float32)


def _repetition(seen: Transition) -> Array:
    """-1 where a chord, a pitch or a silence has lasted more than `longest` frames."""
    return -(seen.next_state.lasted > seen.params.longest).astype(jnp.float32)


def _chord_cadence(seen: Transition) -> Array:
    """1 on the last frame if the chord is C major or A minor, the tonic triads."""
    chord = seen.next_state.chord
    return _at_the_end(seen.next_state, (chord == C_MAJOR) | (chord == A_MINOR))


def _voice_cadence(seen: Transition) -> Array:
    """1 on the last frame if the voice sounds a C or an A, the tonics."""
    bass = seen.next_state.bass
    return _at_the_end(seen.next_state, (bass >= 0) & ((bass % 12 == 0) | (bass % 12 == 9)))


def _at_the_end(after: PyTree, reached: Array) -> Array:
    return ((after.step == after.actions.length) & reached).astype(jnp.float32)


def _both_sound(state: PyTree) -> Array:
    return (state.melody_pitch >= 0) & (state.bass >= 0)


NOTE_IN_CHORD = Term("note_in_chord", _note_in_chord, source="GAPT's note-in-chord ratio, by frame")
CONSONANCE = Term("consonance", _consonance, source=_RULES)
ROOT_LEADING = Term("voice_leading", _root_leading, source=_RULES)
VOICE_LEADING = Term("voice_leading", _voice_leading, source=_RULES)
RANGE = Term("range", _range, source=_RULES)
REPETITION = Term("repetition", _repetition, source="RL-Duet, arXiv 2002.03082: repeated notes")
CHORD_CADENCE = Term("cadence", _chord_cadence, 4.0, "the tonic ends a piece")
VOICE_CADENCE = Term("cadence", _voice_cadence, 4.0, "the tonic ends a piece")

CHORD_TERMS = (NOTE_IN_CHORD, ROOT_LEADING, REPETITION, CHORD_CADENCE)
VOICE_TERMS = (CONSONANCE, VOICE_LEADING, RANGE, REPETITION, VOICE_CADENCE)
