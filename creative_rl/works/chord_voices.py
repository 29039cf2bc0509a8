"""Chords as the voices of a score: what one hears of chord symbols."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF, carried
from creative_rl.ops.harmony import INTERVALS, NUM_CHORDS
from creative_rl.typing import Array

NAMES = ("seventh", "fifth", "third", "root")
"""Of the voices, top to bottom."""
_ABSENT = -1
_INTERVALS = np.array(
    [[*intervals, *[_ABSENT] * (4 - len(intervals))][::-1] for intervals in INTERVALS], np.int32
)


def chord_voices(
    struck: Int[Array, " steps"], lowest: Int[Array, " steps"]
) -> Int[Array, "4 steps"]:
    """Events of four voices that strike the chords in close position, the root lowest.

    Args:
      struck: codes of `ops.harmony`; 0 goes on with the chord.
      lowest: MIDI pitch of a C at every step: the root is at most 11 above it. A chord struck there
        must not pass MIDI 127.

    Returns:
      0 note-off, 1 hold, `2 + p` the MIDI pitch p, in the order of `NAMES`; a triad has no seventh.

    Example:
      >>> chord_voices(jnp.array([1, 0], jnp.int32), jnp.array([48, 48], jnp.int32)).tolist()
      [[0, 1], [57, 1], [54, 1], [50, 1]]
    """
    chord = jnp.clip(struck - 1, 0, NUM_CHORDS - 2)
    intervals = jnp.asarray(_INTERVALS)[chord // 12].T
    pitches = (lowest + chord % 12)[None] + intervals
    events = jnp.where(intervals == _ABSENT, NOTE_OFF, LOWEST_CODE + pitches)
    return jnp.where(struck[None] > 0, events, HOLD)


def new_symbols(struck: Int[Array, " steps"]) -> Int[Array, " steps"]:
    """The chords where another one begins, 0 elsewhere: struck again, a chord needs no symbol.

    >>> new_symbols(jnp.array([0, 1, 0, 1, 8], jnp.int32)).tolist()
    [0, 1, 0, 0, 8]
    """
    sounding = jnp.concatenate([jnp.zeros(1, struck.dtype), carried(struck, struck > 0)[:-1]])
    return jnp.where(struck == sounding, 0, struck)
