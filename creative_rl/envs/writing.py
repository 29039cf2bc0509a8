"""What environments share in which a text is written token by token."""

import abc
import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np

from creative_rl.environment import Environment, check_whole
from creative_rl.spaces import Dict, Discrete, Space
from creative_rl.typing import Array, PyTree
from creative_rl.works.vocabulary import Vocabulary

LONGEST = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Writing(Environment):
    """The last token is seen, the next one is chosen, `length` times.

    Attributes:
      length: tokens in a text, 1 to 1024.
      observe_step: observations are a dict of the last `token` and the `step`.
    """

    length: int
    observe_step: bool = False

    def __post_init__(self):
        super().__post_init__()
        check_whole(type(self).__name__, "length", self.length, 1, LONGEST)

    @property
    @abc.abstractmethod
    def letters(self) -> Vocabulary:
        """What the tokens are."""

    @property
    def start(self) -> int:
        """The token that is seen before the first: a line's end where there is one, else 0."""
        return self.letters.number("\n") or 0

    @property
    def horizon(self) -> int:
        return self.length

    @property
    def action_space(self) -> Discrete:
        return Discrete(len(self.letters))

    @property
    def observation_space(self) -> Space:
        token = Discrete(len(self.letters))
        if not self.observe_step:
            return token
        return Dict({"token": token, "step": Discrete(self.length + 1)})

    def observe(self, state: Any, params: PyTree) -> PyTree:
        token = self.last_token(state)
        return {"token": token, "step": state.step} if self.observe_step else token

    def last_token(self, state: Any) -> Array:
        """int32: the newest token, `start` before the first."""
        newest = state.tokens[jnp.maximum(state.step - 1, 0)]
        return jnp.where(state.step > 0, newest, self.start)

    def appearance(self, state: Any, params: PyTree) -> Array:
        """The numbers of the tokens in binary, [L, bits, 1]: bits of the number plus one, so that
        what is not written yet is zeros."""
        is_written = jnp.arange(self.length, dtype=jnp.int32) < state.step
        return self._bits(jnp.where(is_written, state.tokens + 1, 0)).astype(jnp.float32)

    def relaxed_appearance(self, actions: Array, params: PyTree) -> Array:
        codes = self._bits(jnp.arange(1, len(self.letters) + 1, dtype=jnp.int32))
        return (actions @ codes[..., 0].astype(jnp.float32))[..., None]

    def looks(self, tokens: Array | np.ndarray) -> Array:
        """uint8[N, L, bits, 1]: whole texts, integers [N, L], as `examples` has them."""
        return (255 * self._bits(jnp.asarray(tokens, jnp.int32) + 1)).astype(jnp.uint8)

    def _bits(self, numbers: Array) -> Array:
        places = jnp.arange(len(self.letters).bit_length(), dtype=jnp.int32)
        shape = (*numbers.shape, places.shape[0])
        wide = jnp.broadcast_to(numbers[..., None], shape)
        return ((wide >> jnp.broadcast_to(places, shape)) & 1)[..., None]

    def written(self, state: Any, action: Array) -> tuple[Array, Array]:
        """The token that an action is, and all of them with it."""
        token = jnp.clip(action.astype(jnp.int32), 0, len(self.letters) - 1)
        is_place = jnp.arange(self.length, dtype=jnp.int32) == state.step
        return token, jnp.where(is_place, token, state.tokens)
