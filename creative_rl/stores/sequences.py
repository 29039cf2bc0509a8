"""Sequences of events to learn from, split into two parts that share no piece."""

import flax.struct
import numpy as np

from creative_rl.typing import Array


class Sequences(flax.struct.PyTreeNode):
    """Windows of equal length; `window[0]` is context, the rest is to be predicted."""

    train: Array
    """unsigned integers [N, T + 1], bytes where they fit"""
    held_out: Array
    """the same, [M, T + 1], from pieces of which nothing is in `train`"""


def smallest_integers(num_events: int) -> type[np.unsignedinteger]:
    """What events below `num_events` are stored as: bytes where they fit, else two of them."""
    return np.uint8 if num_events <= 256 else np.uint16


def with_start(events: Array | np.ndarray, start: int, num_events: int) -> np.ndarray:
    """Windows [N, T + 1] of events [N, T] below `num_events`, each with `start` before it."""
    kind = smallest_integers(num_events)
    first = np.full((len(events), 1), start, kind)
    return np.concatenate([first, np.asarray(events).astype(kind)], axis=1)
