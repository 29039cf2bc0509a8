"""What music may make one feel, told by declared rules: valence and arousal, unbatched.

No model of listeners: the signs are those that studies agree on (major and consonant is positive,
fast and high is excited: Gabrielsson and Lindstrom, "The Role of Structure in the Musical
Expression of Emotions", 2010), the weights are ours. Pitches of melodies count from a tonic of
C. The plane is Russell's ("A circumplex model of affect", 1980).
"""

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int, UInt

from creative_rl.ops.events import LOWEST_CODE, NUM_EVENTS
from creative_rl.typing import Array

_HIGHEST = NUM_EVENTS - LOWEST_CODE - 1
"""Semitones of the highest pitch above the lowest, MIDI 48."""
_MODES = (0, 0, 0, -1, 1, 0, 0, 0, -1, 1, -1, 1)
"""By pitch class: 1 for the third, sixth and seventh of major, -1 for those of minor."""
_CONSONANT = (1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0)
"""By interval between notes in semitones, octaves left out."""
_MOST = 0.75
"""Weight of mode in valence, and of density in arousal; consonance and register have the rest."""
DENSITY_FRAMES = 8
"""Frames that the density of chords looks back over."""
_VALENCES = (1.0, -0.5, -1.0, 0.5, -0.25)
"""Of chords by quality, in the order of `ops.harmony.QUALITIES`."""


class AffectStats(flax.struct.PyTreeNode):
    """What the rule needs to know of the events so far; int32 scalars."""

    steps: Array
    notes: Array
    """notes that were struck"""
    height: Array
    """sum of their semitones above MIDI 48"""
    major: Array
    """those that tell major from minor, and are major"""
    minor: Array
    intervals: Array
    """between notes that follow each other, rests passed over"""
    consonances: Array
    """those of them that are consonant"""
    last: Array
    """semitones of the last note, -1 before the first"""


def init_affect() -> AffectStats:
    """Of no events."""
    zero = jnp.int32(0)
    return AffectStats(zero, zero, zero, zero, zero, zero, zero, jnp.int32(-1))


def update_affect(stats: AffectStats, event: Int[Array, ""]) -> AffectStats:
    """After one more event, a code of `ops.events`."""
    height = event - LOWEST_CODE
    is_note = (height >= 0).astype(jnp.int32)
    mode = jnp.asarray(_MODES, jnp.int32)[height % 12] * is_note
    is_interval = is_note * (stats.last >= 0)
    consonant = jnp.asarray(_CONSONANT, jnp.int32)[jnp.abs(height - stats.last) % 12]
    return AffectStats(
        steps=stats.steps + 1,
        notes=stats.notes + is_note,
        height=stats.height + is_note * height,
        major=stats.major + (mode == 1),
        minor=stats.minor + (mode == -1),
        intervals=stats.intervals + is_interval,
        consonances=stats.consonances + is_interval * consonant,
        last=jnp.where(is_note == 1, height, stats.last),
    )


def valence(stats: AffectStats) -> Float[Array, ""]:
    """-1..1: three parts mode, one part consonance.

    Mode is (major - minor) / (major + minor) of the notes that tell, 0 without one; consonance is
    the share of consonant intervals scaled to -1..1, 0 without an interval.
    """
    told = stats.major + stats.minor
    mode = (stats.major - stats.minor) / jnp.maximum(told, 1)
    share = stats.consonances / jnp.maximum(stats.intervals, 1)
    consonance = jnp.where(stats.intervals > 0, 2 * share - 1, 0.0)
    return (_MOST * mode + (1 - _MOST) * consonance).astype(jnp.float32)


def arousal(stats: AffectStats) -> Float[Array, ""]:
    """-1..1: three parts density, one part register; -1 before the first note.

    Density is the share of steps on which a note is struck, register the mean height, both scaled
    to -1..1. A melody has one tempo, so density stands for pace.
    """
    density = 2 * stats.notes / jnp.maximum(stats.steps, 1) - 1
    register = 2 * stats.height / (_HIGHEST * jnp.maximum(stats.notes, 1)) - 1
    return (_MOST * density + (1 - _MOST) * register).astype(jnp.float32)


def chord_valence(chord: Int[Array, ""]) -> Float[Array, ""]:
    """float32 in -1..1: how positive a chord sounds, by its quality alone; 0 for no chord.

    Major 1, dominant seventh 0.5, minor seventh -0.25, minor -0.5, diminished -1: from happy to
    sad, with numbers that are ours.

    Args:
      chord: a code of `ops.harmony`.
    """
    quality = jnp.clip(chord - 1, 0) // 12
    return jnp.where(chord > 0, jnp.asarray(_VALENCES, jnp.float32)[quality], 0.0)


def chord_arousal(strikes: UInt[Array, ""], register: Float[Array, ""]) -> Float[Array, ""]:
    """float32 in -1..1: how excited chords sound, `density + register - 1`.

    Args:
      strikes: uint32, a bit for each of the last `DENSITY_FRAMES` frames, 1 where a chord was
        struck; the density is the share of ones.
      register: float32 in 0..1, of the last chord.
    """
    density = jax.lax.population_count(strikes).astype(jnp.float32) / DENSITY_FRAMES
    return density + register - 1.0
