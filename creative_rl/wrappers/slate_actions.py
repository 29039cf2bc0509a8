"""One number for a slate of distinct items, for learners that know only `Discrete`."""

import dataclasses

import jax.numpy as jnp

from creative_rl.ops.slates import all_slates
from creative_rl.spaces import Discrete, MultiDiscrete
from creative_rl.typing import Array, Candidates, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper


@dataclasses.dataclass(frozen=True)
class SlateActions(Wrapper):
    """Numbers the slates of distinct candidates, in lexical order and without regard to places.

    Of 10 candidates there are 120 slates of 3, where `FlattenActions` has 1000 actions. For users
    who do not mind the places of items, and whose action mask is None.

    Example:
      >>> import creative_rl as crl
      >>> SlateActions(crl.make("recommendation-interest")).action_space
      Discrete(120)
    """

    def __post_init__(self):
        super().__post_init__()
        space = self.env.action_space
        if not isinstance(space, MultiDiscrete) or len(set(space.nums)) > 1:
            raise ValueError(
                "SlateActions: actions must be slates, MultiDiscrete with equal entries, "
                f"got {space}"
            )
        all_slates(space.nums[0], len(space.nums))

    @property
    def action_space(self) -> Discrete:
        return Discrete(len(self._slates()))

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        number = jnp.clip(action, 0, self.action_space.num - 1)
        return self.env.transition(key, state, self._slates()[number], params)

    def candidates(self, observation: PyTree, params: PyTree) -> Candidates:
        """Refused: actions are places of candidates no more.

        Raises:
          ValueError: always.
        """
        raise ValueError(
            "SlateActions numbers slates, and learners of slates take their places; "
            "leave the wrapper out"
        )

    def _slates(self) -> Array:
        space = self.env.action_space
        return jnp.asarray(all_slates(space.nums[0], len(space.nums))[0], space.dtype)
