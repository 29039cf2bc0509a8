"""Named reward terms for melodies.

The terms read a transition whose states carry `notes` (a `ShiftRegister`), `step`, for variety a
`window`, and for the rules of music theory `stats` (a `TheoryStats`); a target melody is in the
params' `target`.
"""

import jax
import jax.numpy as jnp

from creative_rl.ops import music_theory as theory
from creative_rl.typing import Array, Term, Transition

_RL_TUNER = "RL Tuner, arXiv 1611.02796, section 4.1"


def _variety(seen: Transition) -> Array:
    notes, window = seen.next_state.notes, seen.next_state.window
    present = jnp.uint32(0)
    for age in range(window):
        present |= jnp.uint32(1) << notes.lag(age).astype(jnp.uint32)
    distinct = jax.lax.population_count(present)
    return distinct.astype(jnp.float32) / window


def _target_match(seen: Transition) -> Array:
    wanted = seen.params.target[seen.state.step]
    return (seen.action == wanted).astype(jnp.float32)


def _key(seen: Transition) -> Array:
    return jnp.where(theory.in_key(seen.action), jnp.float32(0), jnp.float32(-1))


def _tonic(seen: Transition) -> Array:
    length = seen.state.notes.length
    return 3.0 * theory.is_tonic_moment(seen.state.step, seen.action, length).astype(jnp.float32)


def _repetition(seen: Transition) -> Array:
    too_often = theory.is_excessively_repeated(seen.state.stats, seen.action)
    return jnp.where(too_often, jnp.float32(-100), jnp.float32(0))


def _autocorrelation(seen: Transition) -> Array:
    return -3.0 * theory.autocorrelation_penalty(seen.next_state.stats)


def _motif(seen: Transition) -> Array:
    return theory.motif_reward(seen.next_state.notes, seen.next_state.step)


def _repeated_motif(seen: Transition) -> Array:
    return theory.repeated_motif_reward(seen.next_state.notes, seen.next_state.step)


def _interval(seen: Transition) -> Array:
    return 5.0 * theory.interval_reward(seen.state.stats, seen.action)


def _leap(seen: Transition) -> Array:
    return 5.0 * theory.leap_outcome(seen.state.stats, seen.action).astype(jnp.float32)


def _unique_extrema(seen: Transition) -> Array:
    highest, lowest = theory.unique_extrema(seen.next_state.stats)
    is_last = seen.next_state.step == seen.next_state.notes.length
    uniques = highest.astype(jnp.float32) + lowest.astype(jnp.float32)
    return jnp.where(is_last, 3.0 * uniques, 0.0)


VARIETY = Term("variety", _variety, source="distinct notes / length of the sliding window")
TARGET_MATCH = Term("target_match", _target_match, source="1 for the target's note, else 0")

KEY = Term("key", _key, source=_RL_TUNER)
TONIC = Term("tonic", _tonic, source=_RL_TUNER)
REPETITION = Term("repetition", _repetition, source=_RL_TUNER)
AUTOCORRELATION = Term("autocorrelation", _autocorrelation, source=_RL_TUNER)
MOTIF = Term("motif", _motif, source=_RL_TUNER)
REPEATED_MOTIF = Term("repeated_motif", _repeated_motif, source=_RL_TUNER)
INTERVAL = Term("interval", _interval, source=_RL_TUNER)
LEAP = Term("leap", _leap, source=_RL_TUNER)
UNIQUE_EXTREMA = Term("unique_extrema", _unique_extrema, source=_RL_TUNER)

RL_TUNER = (
    KEY, TONIC, REPETITION, AUTOCORRELATION, MOTIF, REPEATED_MOTIF, INTERVAL, LEAP, UNIQUE_EXTREMA,
)  # fmt: skip
"""The nine terms whose sum is RL Tuner's music-theory reward r_MT."""
