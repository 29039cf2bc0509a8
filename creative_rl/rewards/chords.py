"""Named reward terms for chord progressions.

The terms read a transition whose states carry `tonality` (the key, 0..11 major, 12..23 minor),
`chord` and `before` (codes of `ops.harmony`: the one that sounds, and the one that sounded before
it), `lasted` (steps that the chord has sounded), `heard` (the chords so far, as bits), `step` and
`actions`, a register as long as the piece, and whose params carry `longest`. All are in -1..1.
"""

import jax
import jax.numpy as jnp

from creative_rl.ops import functional_harmony as functional
from creative_rl.typing import Array, PyTree, Term, Transition

_KOSTKA_PAYNE = "Kostka and Payne, Tonal Harmony: harmonic progression"


def _function(seen: Transition) -> Array:
    """Where a chord follows another: how usual that is in the key, -1..1; else 0."""
    before, after = seen.state, seen.next_state
    worth = functional.progression_worth(before.chord, after.chord, after.tonality)
    return jnp.where(before.chord == after.chord, jnp.float32(0), worth)


def _in_key(seen: Transition) -> Array:
    """-1 where no chord of the key sounds."""
    after = seen.next_state
    return -(~functional.is_in_key(after.chord, after.tonality)).astype(jnp.float32)


def _voice_leading(seen: Transition) -> Array:
    """-1..0: semitones between a chord and the one it follows, over the most that there are."""
    semitones = functional.movement(seen.state.chord, seen.next_state.chord)
    return -semitones.astype(jnp.float32) / functional.MOST_MOVEMENT


def _cadence(seen: Transition) -> Array:
    """At the start 0.5 for the tonic triad; at the end 1 for it after a dominant, 0.5 after others.

    The end counts only where another chord came before the tonic.
    """
    after = seen.next_state
    ends_on_tonic = functional.is_tonic_triad(after.chord, after.tonality)
    is_dominant = functional.harmonic_function(after.before, after.tonality) == functional.DOMINANT
    worth = jnp.where(is_dominant, 1.0, jnp.where(after.before > 0, 0.5, 0.0))
    is_first, is_last = after.step == 1, _is_last(after)
    paid = jnp.where(is_last, worth, jnp.where(is_first, 0.5, 0.0))
    return jnp.where(ends_on_tonic, paid, 0.0).astype(jnp.float32)


def _repetition(seen: Transition) -> Array:
    """-1 where a chord, or silence, has lasted more than `longest` steps."""
    return -(seen.next_state.lasted > seen.params.longest).astype(jnp.float32)


def _variety(seen: Transition) -> Array:
    """1 where a chord sounds for the first time in the piece."""
    grown = _num_heard(seen.next_state) > _num_heard(seen.state)
    return grown.astype(jnp.float32)


def _num_heard(state: PyTree) -> Array:
    return jax.lax.population_count(jnp.stack(state.heard)).sum()


def _is_last(after: PyTree) -> Array:
    return after.step == after.actions.length


FUNCTION = Term("function", _function, source=_KOSTKA_PAYNE + "; Riemann's functions, 1893")
IN_KEY = Term("in_key", _in_key, source="the chords of a key: ops.functional_harmony")
VOICE_LEADING = Term(
    "voice_leading", _voice_leading, source="Tymoczko, Science 313 (2006): the least movement"
)
CADENCE = Term("cadence", _cadence, 4.0, source=_KOSTKA_PAYNE + "; cadences")
REPETITION = Term("repetition", _repetition, source="RL-Duet, arXiv 2002.03082: repeated notes")
VARIETY = Term("variety", _variety, 0.25, source="distinct chords of the piece")

CHORD_PROGRESSION = (FUNCTION, IN_KEY, VOICE_LEADING, CADENCE, REPETITION, VARIETY)
