"""Edits of a melody: what one musician changes in another's tune, unbatched.

Events are coded as in `ops.events`: 0 note-off, 1 hold, `2 + k` the pitch MIDI 48 + k, k up
to 35. A note begins where a pitch code stands, its place, and lasts through the holds after it. The
operations by number; those that raise or lower need a white key there, in MIDI 48 to 83:

| number | operation | what it does to a note | possible |
|---|---|---|---|
| 0 | `raise` | to the next white key above | where there is one |
| 1 | `lower` | to the next white key below | where there is one |
| 2 | `split` | struck again after half of its steps, rounded down | of two steps or more |
| 3 | `merge` | goes on instead of the next note | where that follows at once |
| 4 | `earlier` | begins a step earlier; what was before is shorter | where no note begins there |
| 5 | `later` | begins a step later; what was before is longer | of two steps or more |
| 6 | `ornament` | a step of it, one of the white key above, it again | of three steps or more |

An edit changes one or two events and never how many there are.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from creative_rl.ops.events import HOLD, LOWEST_CODE, NUM_EVENTS
from creative_rl.ops.music_theory import C_MAJOR_CODES
from creative_rl.typing import Array

OPERATIONS = ("raise", "lower", "split", "merge", "earlier", "later", "ornament")
NUM_OPERATIONS = len(OPERATIONS)
_NOWHERE = -1
_WHITE = [code for code in C_MAJOR_CODES if code >= LOWEST_CODE]
_CODES = range(NUM_EVENTS)
_ABOVE = np.array([min((w for w in _WHITE if w > c >= 2), default=0) for c in _CODES], np.int32)
"""By code: that of the next white key above, 0 where there is none."""
_BELOW = np.array([max((w for w in _WHITE if w < c), default=0) for c in _CODES], np.int32)


def next_events(events: Int[Array, " steps"]) -> Int[Array, " steps"]:
    """int32 in 1..T: for every step the next one after it that is no hold; T where there is none.

    >>> next_events(jnp.array([14, 1, 0, 16], jnp.int32)).tolist()
    [2, 2, 3, 4]
    """
    num_steps = events.shape[0]
    steps = jnp.arange(num_steps, dtype=jnp.int32)
    others = jnp.where(events != HOLD, steps, num_steps)
    first = jax.lax.cummin(others, reverse=True)  # at the step or after it
    return jnp.append(first[1:], jnp.int32(num_steps))


def possible_edits(events: Int[Array, " steps"]) -> Bool[Array, "operations steps"]:
    """bool[7, T]: whether an operation can be done to the note that begins at a step.

    >>> possible_edits(jnp.array([14, 1, 16, 37], jnp.int32)).astype(jnp.int32)[:4].tolist()
    [[1, 0, 1, 0], [1, 0, 1, 1], [1, 0, 0, 0], [1, 0, 1, 0]]
    """
    num_steps = events.shape[0]
    steps = jnp.arange(num_steps, dtype=jnp.int32)
    is_note = events >= LOWEST_CODE
    following = next_events(events)
    lasts = following - steps
    next_is_note = jnp.append(is_note, False)[following]
    above = jnp.asarray(_ABOVE)[events]
    before_is_note = jnp.concatenate([jnp.ones(1, jnp.bool_), is_note[:-1]])
    possible = (
        above > 0,
        jnp.asarray(_BELOW)[events] > 0,
        lasts >= 2,
        next_is_note,
        ~before_is_note,
        lasts >= 2,
        (lasts >= 3) & (above > 0),
    )
    return jnp.stack(possible) & is_note[None]


def edited(
    events: Int[Array, " steps"], operation: Int[Array, ""], place: Int[Array, ""]
) -> Int[Array, " steps"]:
    """The events after an edit that is possible; after one that is not they mean nothing.

    Args:
      events: in 0..37.
      operation: 0..6, a number of `OPERATIONS`.
      place: the step at which the note begins.

    Example:
      A C of four steps, ornamented:

      >>> events = jnp.array([14, 1, 1, 1], jnp.int32)
      >>> edited(events, jnp.int32(6), jnp.int32(0)).tolist()
      [14, 16, 14, 1]
    """
    code, following = events[place], next_events(events)[place]
    above, below = jnp.asarray(_ABOVE)[code], jnp.asarray(_BELOW)[code]
    hold, nowhere = jnp.int32(HOLD), jnp.int32(_NOWHERE)
    middle = place + (following - place) // 2
    writes = (  # by operation: a place and its code, and another place and its code
        (place, above, nowhere, hold),
        (place, below, nowhere, hold),
        (middle, code, nowhere, hold),
        (following, hold, nowhere, hold),
        (place - 1, code, place, hold),
        (place + 1, code, place, hold),
        (place + 1, above, place + 2, code),
    )
    first, first_code, second, second_code = (
        jnp.stack(column)[operation] for column in zip(*writes, strict=True)
    )
    steps = jnp.arange(events.shape[0], dtype=jnp.int32)
    events = jnp.where(steps == first, first_code, events)
    return jnp.where(steps == second, second_code, events)
