"""Named reward terms for moods: does what sounds fit a curve of valence and arousal?

The proxies for what listeners feel are rules that are declared here, no model of anybody: valence
from the quality of the chord, arousal from how often chords are struck and how high.

The terms read a transition whose states carry `curve` and `step`, `chord` (a code of
`ops.harmony`), `register` (0..1) and `strikes` (a bit for each of the last `DENSITY_FRAMES`
frames), and whose params carry `valence` and `arousal`, float32[M, T] in -1..1.
"""

import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Term, Transition

_VALENCES = (1.0, -0.5, -1.0, 0.5, -0.25)
"""By quality, in the order of `ops.harmony.QUALITIES`."""
_PROXY = "a declared rule, no model: `rewards.mood`"
DENSITY_FRAMES = 8


def valence_of(chord: Array) -> Array:
    """float32 in -1..1: how positive a chord sounds, by its quality alone; 0 for no chord.

    Major 1, dominant seventh 0.5, minor seventh -0.25, minor -0.5, diminished -1: the order in
    which listeners rank them from happy to sad, with numbers that are ours.
    """
    quality = jnp.clip(chord - 1, 0) // 12
    return jnp.where(chord > 0, jnp.asarray(_VALENCES, jnp.float32)[quality], 0.0)


def arousal_of(strikes: Array, register: Array) -> Array:
    """float32 in -1..1: how excited chords sound, `density + register - 1`.

    Args:
      strikes: uint32, a bit for each of the last `DENSITY_FRAMES` frames, 1 where a chord was
        struck; the density is the share of ones.
      register: float32 in 0..1, of the last chord.
    """
    density = jax.lax.population_count(strikes).astype(jnp.float32) / DENSITY_FRAMES
    return density + register - 1.0


def _valence_match(seen: Transition) -> Array:
    """1 where the chord's valence is the one wanted at the frame, 0 where it is the opposite."""
    wanted = seen.params.valence[seen.state.curve, seen.state.step]
    return 1.0 - jnp.abs(valence_of(seen.next_state.chord) - wanted) / 2.0


def _arousal_match(seen: Transition) -> Array:
    """As `valence_match`, for arousal."""
    wanted = seen.params.arousal[seen.state.curve, seen.state.step]
    found = arousal_of(seen.next_state.strikes, seen.next_state.register)
    return 1.0 - jnp.abs(found - wanted) / 2.0


VALENCE_MATCH = Term("valence_match", _valence_match, source=_PROXY)
AROUSAL_MATCH = Term("arousal_match", _arousal_match, source=_PROXY)
MOOD_TERMS = (VALENCE_MATCH, AROUSAL_MATCH)
