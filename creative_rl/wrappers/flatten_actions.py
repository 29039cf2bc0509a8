"""One number for a structured action, for learners that know only `Discrete`."""

import dataclasses
import math

import jax.numpy as jnp

from creative_rl.spaces import Discrete, MultiDiscrete
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper

_LARGEST = 1 << 20


@dataclasses.dataclass(frozen=True)
class FlattenActions(Wrapper):
    """Numbers the combinations of a `MultiDiscrete` action, the last entry fastest.

    An action mask of the wrapped environment must be over the combinations already.
    """

    def __post_init__(self):
        super().__post_init__()
        space = self.env.action_space
        if not isinstance(space, MultiDiscrete):
            raise ValueError(f"FlattenActions: the action space must be MultiDiscrete, got {space}")
        if math.prod(space.nums) > _LARGEST:
            raise ValueError(
                f"FlattenActions: at most {_LARGEST} combinations, got {math.prod(space.nums)}; "
                "use a learner that takes MultiDiscrete actions"
            )

    @property
    def action_space(self) -> Discrete:
        return Discrete(math.prod(self.env.action_space.nums))

    def unflatten(self, action: Array) -> Array:
        """int32[len(nums)]: the structured action that the number stands for."""
        entries = []
        for num in reversed(self.env.action_space.nums):
            entries.append(action % num)
            action = action // num
        return jnp.stack(entries[::-1], axis=-1).astype(self.env.action_space.dtype)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        return self.env.transition(key, state, self.unflatten(action), params)
