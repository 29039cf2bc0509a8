"""A monophonic melody on a grid of steps."""

import flax.struct
import numpy as np

from creative_rl.typing import Array


class Melody(flax.struct.PyTreeNode):
    """Events on a grid: 0 note-off, 1 hold, `2 + k` the pitch MIDI 48 + k.

    A batch of melodies has leading axes on every array.
    """

    events: Array | np.ndarray
    """int32[T]; entries from `length` on are 0 and mean nothing"""
    length: Array | np.ndarray
    """int32: steps composed so far"""
    tempo: float = flax.struct.field(pytree_node=False, default=100.0)
    """quarter notes a minute"""
    steps_per_quarter: int = flax.struct.field(pytree_node=False, default=4)
    """grid steps in a quarter note"""

    def _repr_html_(self) -> str:
        """What a notebook shows: a piano roll and a player; the first eight of a batch."""
        from creative_rl.works.music_card import melody_html

        return melody_html(self)
