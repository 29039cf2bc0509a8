"""What a recommender showed and what came of it, step by step."""

import flax.struct
import jax.numpy as jnp

from creative_rl.typing import Array


class Session(flax.struct.PyTreeNode):
    """`T` slates of `k` places each, in few bytes; build one with `Session.create`."""

    slates: Array
    """int16[T, k + 1]: the items, -1 at an empty place, and the choice: 0 nothing, 1 + place"""
    marks: Array
    """float16[T, 2]: how much came of the choice, and a number about what was chosen"""

    @classmethod
    def create(cls, num_steps: int, num_places: int) -> "Session":
        """An empty session: zeros."""
        return cls(
            jnp.zeros((num_steps, num_places + 1), jnp.int16),
            jnp.zeros((num_steps, 2), jnp.float16),
        )

    def add(
        self, step: Array, items: Array, choice: Array, amount: Array, trait: Array
    ) -> "Session":
        """With the slate of a step; beyond the last one nothing is kept.

        Args:
          step: int32, counted from 0.
          items: int32[k], -1 at an empty place.
          choice: int32, 0 for nothing, else 1 + place.
          amount: float32, how much came of it.
          trait: float32, of the chosen item.
        """
        slate = jnp.append(items, choice).astype(jnp.int16)
        marks = jnp.stack([amount, trait]).astype(jnp.float16)
        return self.replace(
            slates=self.slates.at[step].set(slate, mode="drop"),
            marks=self.marks.at[step].set(marks, mode="drop"),
        )
