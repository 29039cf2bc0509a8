"""Slates by what is preferred: an action is a weight for every feature of the candidates."""

import dataclasses

import jax

from creative_rl.spaces import Box, Discrete, MultiDiscrete
from creative_rl.typing import Array, Candidates, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper


@dataclasses.dataclass(frozen=True)
class RankedSlates(Wrapper):
    """Turns weights of features into the slate of the candidates that they rank highest.

    An action is `Box(-1, 1, (F,))`; the slate is the candidates with the largest sums of weights
    times features, the first of equals before the others. So a policy says what it wants, and need
    not learn which of the many slates has it. As in Dulac-Arnold et al., "Deep Reinforcement
    Learning in Large Discrete Action Spaces" (arXiv 1512.07679), section 4, without a critic that
    chooses among the nearest.

    Example:
      >>> import creative_rl as crl
      >>> RankedSlates(crl.make("recommendation-interest")).action_space
      Box(-1.0, 1.0, (20,))
    """

    def __post_init__(self):
        super().__post_init__()
        space = self.env.action_space
        if not isinstance(space, Discrete | MultiDiscrete):
            raise ValueError(
                "RankedSlates: actions must be places of candidates, Discrete or MultiDiscrete, "
                f"got {space}"
            )
        told = self._told()
        nums = (space.num,) if isinstance(space, Discrete) else space.nums
        if set(nums) != {told.items.shape[0]} or len(nums) > nums[0]:
            raise ValueError(
                f"RankedSlates: every place must be for one of the {told.items.shape[0]} "
                f"candidates, and no more places than these, got {space}"
            )

    @property
    def action_space(self) -> Box:
        return Box(-1.0, 1.0, (self._told().items.shape[1],))

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        observation = self.env.observe(state, params)
        told = self.env.candidates(observation, params)
        space = self.env.action_space
        num_places = 1 if isinstance(space, Discrete) else len(space.nums)
        slate = jax.lax.top_k(told.items @ action, num_places)[1].astype(space.dtype)
        slate = slate[0] if isinstance(space, Discrete) else slate
        return self.env.transition(key, state, slate, params)

    def _told(self) -> Candidates:
        return jax.eval_shape(
            lambda: self.env.candidates(self.env.observation_space.zeros(), self.env.default_params)
        )
