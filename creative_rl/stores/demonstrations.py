"""Episodes that somebody else played, to learn from, split into two parts that share no piece."""

import flax.struct

from creative_rl.typing import Array, PyTree


class Examples(flax.struct.PyTreeNode):
    """What was seen and what was done, in N episodes of T steps."""

    observations: PyTree
    """leaves [N, T, ...]: what each action answered to"""
    actions: Array
    """int32[N, T]"""


class Demonstrations(flax.struct.PyTreeNode):
    """Examples of equal length in an environment with `Discrete` actions."""

    train: Examples
    held_out: Examples
    """of pieces of which nothing is in `train`"""
