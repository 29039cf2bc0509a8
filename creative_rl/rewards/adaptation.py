"""Named reward terms for the adaptation of a melody to a style.

The terms read a transition whose states carry `events` (codes of `ops.events`), `features`
(float32[F] in 0..1), `resemblance` (0..1, to the original), `style` (which of the targets) and
`was_possible` (of the last edit), and whose params carry `styles`, float32[S, F]. All are in -1..1.
"""

import jax
import jax.numpy as jnp

from creative_rl.ops.events import LOWEST_CODE
from creative_rl.ops.music_theory import in_key
from creative_rl.typing import Array, PyTree, Term, Transition

_POTENTIAL = "a difference of potential: Ng, Harada and Russell 1999"


def _style(seen: Transition) -> Array:
    """How much nearer the features came to the target: the gain of the mean of 1 - |difference|."""
    return _fit(seen.next_state, seen.params) - _fit(seen.state, seen.params)


def _fit(state: PyTree, params: PyTree) -> Array:
    return (1.0 - jnp.abs(state.features - params.styles[state.style])).mean()


def _closeness(seen: Transition) -> Array:
    """How much more the melody is like the original: the gain of `ops.melody_style.resemblance`."""
    return seen.next_state.resemblance - seen.state.resemblance


def _validity(seen: Transition) -> Array:
    """-1 for an edit that was not possible; else minus the share of notes outside of C major."""
    events = seen.next_state.events
    is_note = events >= LOWEST_CODE
    outside = (is_note & ~jax.vmap(in_key)(events)).sum(dtype=jnp.float32)
    share = outside / jnp.maximum(is_note.sum(dtype=jnp.int32), 1)
    return -jnp.where(seen.next_state.was_possible, share, 1.0)


STYLE = Term("style", _style, 4.0, source=_POTENTIAL + ", of ops.melody_style")
CLOSENESS = Term("closeness", _closeness, source=_POTENTIAL + "; Dowling 1978: pitch and contour")
VALIDITY = Term("validity", _validity, source="the white keys, as in RL Tuner, arXiv 1611.02796")

ADAPTATION = (STYLE, CLOSENESS, VALIDITY)
