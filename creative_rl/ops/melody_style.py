"""A melody's style as four numbers, and how like another melody it is, unbatched and exact.

Events are codes of `ops.events`.
"""

import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.ops.edits import next_events
from creative_rl.ops.events import HOLD, LOWEST_CODE, carried
from creative_rl.typing import Array

FEATURES = ("density", "steps", "range", "syncopation")
_WIDEST = 24
"""Semitones of a range of 1: two octaves."""
_LARGEST_STEP = 2  # semitones


def style_of(events: Int[Array, " steps"], steps_per_quarter: int) -> Float[Array, " features"]:
    """float32[4] in 0..1, in the order of `FEATURES`; all 0 where there is no note.

    `density`: notes over steps of the grid. `steps`: of the intervals between notes that follow
    each other, silence or none between them, the share of one or two semitones; 0 for one note.
    `range`: semitones from the lowest to the highest note over 24, at most 1. `syncopation`: the
    share of notes that begin between two beats, and at the second of these are still sounding.

    The first three are features of jSymbolic (McKay 2010); a syncopation as in Longuet-Higgins and
    Lee, "The Rhythmic Interpretation of Monophonic Music" (1984), at the level of the quarter note.

    Args:
      events: integer codes.
      steps_per_quarter: grid steps in a beat, from the first step on.

    Example:
      >>> style_of(jnp.array([14, 16, 1, 1], jnp.int32), 2).tolist()  # D sounds from "and" on
      [0.5, 1.0, 0.0833..., 0.5]
    """
    num_steps = events.shape[0]
    steps = jnp.arange(num_steps, dtype=jnp.int32)
    is_note = events >= LOWEST_CODE
    num_notes = is_note.sum(dtype=jnp.int32)
    before = jnp.concatenate([jnp.zeros(1, events.dtype), carried(events, is_note)[:-1]])
    interval = jnp.abs(events - before)
    is_step = is_note & (before > 0) & (interval >= 1) & (interval <= _LARGEST_STEP)
    highest = jnp.where(is_note, events, 0).max()
    lowest = jnp.where(is_note, events, highest).min()
    next_beat = (steps // steps_per_quarter + 1) * steps_per_quarter
    is_between = is_note & (steps % steps_per_quarter != 0) & (next_beat < num_steps)
    is_syncopated = is_between & (next_events(events) > next_beat)
    return jnp.stack(
        [
            num_notes.astype(jnp.float32) / num_steps,
            _share(is_step, num_notes - 1),
            jnp.minimum((highest - lowest).astype(jnp.float32) / _WIDEST, 1.0),
            _share(is_syncopated, num_notes),
        ]
    )


def resemblance(
    events: Int[Array, " steps"], original: Int[Array, " steps"], steps_per_quarter: int
) -> Float[Array, ""]:
    """float32 in 0..1: how much of the original is still there; 1 for the original itself.

    The mean of three shares: of steps at which the same pitch class sounds, or silence in both; of
    steps, from the second beat on, whose pitch is above, below or at the one a beat earlier as in
    the original, or that are silent here or there in both; and of steps at which a note begins in
    either, those at which one begins in both (1 where there are none).

    Pitch, contour and rhythm are what listeners know a tune by: Dowling, "Scale and Contour: Two
    Components of a Theory of Memory for Melodies" (1978).

    Args:
      events: integer codes.
      original: as many.
      steps_per_quarter: grid steps in a beat; fewer than all.

    Example:
      C D C against C E C, a beat each: one pitch of three differs, contour and rhythm do not.

      >>> events, original = jnp.array([14, 16, 14], jnp.int32), jnp.array([14, 18, 14], jnp.int32)
      >>> float(resemblance(events, original, 1))
      0.888...
    """
    pitch, other = sounding(events), sounding(original)
    same_pitch = jnp.where((pitch < 0) | (other < 0), pitch == other, pitch % 12 == other % 12)
    same_contour = _contour(pitch, steps_per_quarter) == _contour(other, steps_per_quarter)
    starts, other_starts = events >= LOWEST_CODE, original >= LOWEST_CODE
    either = (starts | other_starts).sum(dtype=jnp.int32)
    same_start = jnp.where(either > 0, _share(starts & other_starts, either), 1.0)
    shares = (same_pitch.mean(dtype=jnp.float32), same_contour.mean(dtype=jnp.float32), same_start)
    return jnp.stack(shares).mean()


def sounding(events: Int[Array, " steps"]) -> Int[Array, " steps"]:
    """int32: semitones above MIDI 48 at every step, -1 for silence, also before the first note.

    >>> sounding(jnp.array([1, 14, 1, 0], jnp.int32)).tolist()
    [-1, 12, 12, -1]
    """
    code = carried(events, events != HOLD)
    return jnp.where(code >= LOWEST_CODE, code - LOWEST_CODE, -1).astype(jnp.int32)


def _contour(pitch: Array, lag: int) -> Array:
    """-1, 0, 1: the direction from `lag` steps earlier; 2 where either is silent."""
    now, before = pitch[lag:], pitch[:-lag]
    return jnp.where((now < 0) | (before < 0), 2, jnp.sign(now - before))


def _share(flags: Array, of: Array) -> Array:
    return flags.sum(dtype=jnp.float32) / jnp.maximum(of, 1)
