"""A small environment that has everything a face must carry over."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import pytest

from creative_rl.environment import Environment
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.typing import Term

ACTION = Term("action", lambda seen: seen.action.astype(jnp.float32))


class StreamState(flax.struct.PyTreeNode):
    start: jax.Array  # float32: random, so that episodes differ
    step: jax.Array  # int32


class StreamParams(flax.struct.PyTreeNode):
    weights: dict[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Stream(Environment):
    """Rewards each action with its number; is only ever cut from outside, after `length` steps.

    Observes the random start and the step; the action 2 is allowed on odd steps only.
    """

    length: int = 4
    terms: tuple[Term, ...] = (ACTION,)

    @property
    def observation_space(self):
        return Box(0.0, 64.0, (2,))

    @property
    def action_space(self):
        return Discrete(3)

    @property
    def default_params(self):
        return StreamParams(self.default_weights)

    def initial_state(self, key, params):
        return StreamState(jax.random.uniform(key), jnp.int32(0))

    def next_state(self, key, state, action, params):
        return state.replace(step=state.step + 1)

    def observe(self, state, params):
        return jnp.stack([state.start, state.step.astype(jnp.float32)])

    def end(self, state, params):
        return jnp.bool_(False), state.step >= self.length

    def action_mask(self, state, params):
        return jnp.asarray([True, True, False]) | (state.step % 2 == 1)

    def work(self, state, params):
        return state.step


@dataclasses.dataclass(frozen=True)
class Nested(Stream):
    """As `Stream`, with an observation of several parts and actions of several numbers."""

    @property
    def observation_space(self):
        parts = {"board": Box(0, 255, (2, 2), jnp.uint8), "notes": MultiDiscrete((3, 5))}
        return Dict({**parts, "phase": Discrete(8)})

    @property
    def action_space(self):
        return MultiDiscrete((2, 3))

    def observe(self, state, params):
        return {
            "board": jnp.full((2, 2), state.step, jnp.uint8),
            "notes": jnp.stack([state.step % 3, state.step % 5]),
            "phase": state.step,
        }

    def action_mask(self, state, params):
        return None


TOTAL = Term("action", lambda seen: seen.action.sum().astype(jnp.float32))


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def nested():
    return Nested(terms=(TOTAL,))
