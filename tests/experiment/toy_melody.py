"""A melody of bare events that sees its last one: soon learned, and sooner compiled."""

import dataclasses
from typing import ClassVar

import flax.struct
import jax.numpy as jnp

from creative_rl.environment import Environment
from creative_rl.spaces import Discrete
from creative_rl.typing import Array
from creative_rl.works import Melody


class EventsState(flax.struct.PyTreeNode):
    events: Array  # int32[32]
    step: Array  # int32


class EventsParams(flax.struct.PyTreeNode):
    weights: dict[str, Array]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Events(Environment):
    """32 of 24 events, for nothing."""

    horizon: ClassVar[int] = 32
    observation_space: ClassVar[Discrete] = Discrete(24)
    action_space: ClassVar[Discrete] = Discrete(24)

    @property
    def default_params(self):
        return EventsParams(self.default_weights)

    def initial_state(self, key, params):
        return EventsState(jnp.zeros(32, jnp.int32), jnp.int32(0))

    def next_state(self, key, state, action, params):
        return EventsState(state.events.at[state.step].set(action), state.step + 1)

    def observe(self, state, params):
        return jnp.where(state.step > 0, state.events[state.step - 1], 9)

    def end(self, state, params):
        return state.step >= 32, jnp.bool_(False)

    def work(self, state, params):
        return Melody(events=state.events, length=state.step)
