"""Several voices, with instruments, dynamics and chord symbols, on a grid of steps."""

import flax.struct
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import Array

_LOUD, _SOFT = 90, 60


class Score(flax.struct.PyTreeNode):
    """`V` voices over `T` steps. Events: 0 note-off, 1 hold, `2 + p` the MIDI pitch p.

    Unlike a `Melody`'s, whose codes start at MIDI 48, these reach all 128 pitches: a bass needs
    them. A batch of scores has leading axes on every array.
    """

    events: Array | np.ndarray
    """int32[V, T]; entries from `length` on are 0 and mean nothing"""
    velocities: Array | np.ndarray
    """int32[V, T], 1..127: how loud a note is that starts there"""
    chords: Array | np.ndarray
    """int32[T]: 0 where no new chord symbol stands, else a chord of `ops.harmony`"""
    programs: Array | np.ndarray
    """int32[V], 0..127: General MIDI instruments, counted from 0"""
    length: Array | np.ndarray
    """int32: steps composed so far"""
    names: tuple[str, ...] = flax.struct.field(pytree_node=False, default=())
    """of the voices, top to bottom; empty for numbers"""
    tempo: float = flax.struct.field(pytree_node=False, default=80.0)
    """quarter notes a minute"""
    steps_per_quarter: int = flax.struct.field(pytree_node=False, default=4)
    """grid steps in a quarter note"""

    def _repr_html_(self) -> str:
        """What a notebook shows: a piano roll and a player; the first eight of a batch."""
        from creative_rl.works.music_card import score_html

        return score_html(self)


def score_of(
    events: Array,
    chords: Array,
    is_played: Array,
    *,
    programs: tuple[int, ...],
    names: tuple[str, ...],
    steps_per_quarter: int,
) -> Score:
    """A score as environments compose it: what is not played yet is silent.

    A voice that is called melody is louder than the others.

    Args:
      events: int32[V, T], codes of a score.
      chords: int32[T], chord symbols.
      is_played: bool[T]: the steps so far.
      programs: General MIDI instruments, counted from 0.
      names: of the voices, top to bottom.
      steps_per_quarter: grid steps in a quarter note.
    """
    loud = [_LOUD if name == "melody" else _SOFT for name in names]
    return Score(
        events=jnp.where(is_played[None], events, 0),
        velocities=jnp.broadcast_to(jnp.array(loud, jnp.int32)[:, None], events.shape),
        chords=jnp.where(is_played, chords, 0),
        programs=jnp.array(programs, jnp.int32),
        length=is_played.sum(dtype=jnp.int32),
        names=names,
        steps_per_quarter=steps_per_quarter,
    )
