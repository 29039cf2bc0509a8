"""Sequences of events to learn from, split into two parts that share no piece."""

import flax.struct

from creative_rl.typing import Array


class Sequences(flax.struct.PyTreeNode):
    """Windows of equal length; `window[0]` is context, the rest is to be predicted."""

    train: Array
    """uint8[N, T + 1]"""
    held_out: Array
    """uint8[M, T + 1], from pieces of which nothing is in `train`"""
