"""The codes of a voice's events, one for each step of a grid, as in RL Tuner (arXiv 1611.02796).

0 is a note-off, 1 a hold: whatever is goes on, be it sound or silence; `2 + k` starts the pitch
MIDI 48 + k. Environments of melodies know three octaves of them.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Int

from creative_rl.typing import Array

NOTE_OFF = 0
HOLD = 1
LOWEST_CODE = 2
LOWEST_PITCH = 48
NUM_EVENTS = 38
"""Note-off, hold, and three octaves from MIDI 48 up."""


def carried(values: Int[Array, " steps"], marked: Bool[Array, " steps"]) -> Int[Array, " steps"]:
    """For every step the value at the last marked one up to it, 0 before the first.

    >>> carried(jnp.array([5, 1, 7, 1]), jnp.array([False, True, True, False])).tolist()
    [0, 1, 7, 7]
    """
    steps = jnp.arange(values.shape[0], dtype=jnp.int32)
    last = jax.lax.cummax(jnp.where(marked, steps, -1))
    return jnp.where(last >= 0, values[jnp.maximum(last, 0)], 0)
