"""Named reward terms for moods: is what sounds the valence and the arousal that are wanted?

What listeners feel is told by the declared rules of `ops.affect`.

Those of melodies read states with `target` (valence and arousal wanted) and `affect`
(`ops.affect.AffectStats`), and sum to what the finished melody is worth, 0..1.

The others read a transition whose states carry `curve` and `step`, `chord` (a code of
`ops.harmony`), `register` (0..1) and `strikes` (a bit for each of the last
`ops.affect.DENSITY_FRAMES` frames), and whose params carry `valence` and `arousal`, float32[M, T]
in -1..1.
"""

from collections.abc import Callable

import jax.numpy as jnp

from creative_rl.ops import affect
from creative_rl.typing import Array, Term, Transition

_PROXY = "a declared rule, no model: `ops.affect`"


def _valence_match(seen: Transition) -> Array:
    """1 where the chord's valence is the one wanted at the frame, 0 where it is the opposite."""
    wanted = seen.params.valence[seen.state.curve, seen.state.step]
    return 1.0 - jnp.abs(affect.chord_valence(seen.next_state.chord) - wanted) / 2.0


def _arousal_match(seen: Transition) -> Array:
    """As `_valence_match`, for arousal."""
    wanted = seen.params.arousal[seen.state.curve, seen.state.step]
    found = affect.chord_arousal(seen.next_state.strikes, seen.next_state.register)
    return 1.0 - jnp.abs(found - wanted) / 2.0


def _melody_valence(seen: Transition) -> Array:
    """The gain of `1 - |valence - wanted| / 2`; before the first event it counts as 0."""
    return _gain(seen, affect.valence, seen.state.target[0])


def _melody_arousal(seen: Transition) -> Array:
    """As `_melody_valence`, for arousal."""
    return _gain(seen, affect.arousal, seen.state.target[1])


def _gain(seen: Transition, feeling: Callable[[affect.AffectStats], Array], wanted: Array) -> Array:
    before, after = (
        jnp.where(stats.steps > 0, 1.0 - jnp.abs(feeling(stats) - wanted) / 2.0, 0.0)
        for stats in (seen.state.affect, seen.next_state.affect)
    )
    return after - before


VALENCE_MATCH = Term("valence_match", _valence_match, source=_PROXY)
AROUSAL_MATCH = Term("arousal_match", _arousal_match, source=_PROXY)
MOOD_TERMS = (VALENCE_MATCH, AROUSAL_MATCH)
MELODY_VALENCE = Term("valence_match", _melody_valence, 20.0, _PROXY)
MELODY_AROUSAL = Term("arousal_match", _melody_arousal, 20.0, _PROXY)
