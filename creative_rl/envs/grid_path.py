"""Find the way over a grid: the smallest environment whose episodes differ in length."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment, check_whole
from creative_rl.spaces import Discrete, MultiDiscrete, Space
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, Term, Transition
from creative_rl.works.walk import Walk

UP, RIGHT, DOWN, LEFT = range(4)


class GridPathState(flax.struct.PyTreeNode):
    """Where the walker is, and the moves that led there, two bits each."""

    row: Array  # int32
    column: Array  # int32
    step: Array  # int32
    moves: ShiftRegister


class GridPathParams(flax.struct.PyTreeNode):
    """Weights of the reward terms and the goal."""

    weights: dict[str, Array]
    goal: Array  # int32[2], row and column


def _step_cost(seen: Transition) -> Array:
    return jnp.float32(1)


def _goal(seen: Transition) -> Array:
    place, goal = seen.next_state, seen.params.goal
    return ((place.row == goal[0]) & (place.column == goal[1])).astype(jnp.float32)


_TUTORIAL = "tutorial: -0.1 a step, 1 at the far corner"
STEP_COST = Term("step_cost", _step_cost, weight=-0.1, source=_TUTORIAL)
GOAL = Term("goal", _goal, source=_TUTORIAL)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridPath(Environment):
    """Walk from the upper left corner of a grid to the lower right one.

    | | |
    |---|---|
    | id | `grid-path` |
    | version | 1 |
    | observation | MultiDiscrete((size, size)), row and column from the upper left |
    | action | Discrete(4): 0 up, 1 right, 2 down, 3 left; a move off the grid stays |
    | reward terms | `step_cost` (-0.1): 1 a step; `goal` (1.0): 1 on arriving, else 0 |
    | horizon | none: episodes end early |
    | termination | at the goal; after `num_steps` steps elsewhere it is truncated |

    Every step costs, also the last: arriving pays 1 on top of it. So the best return is
    `1 - 0.2 (size - 1)`, 0.2 at the default size.

    Source: the level-path tutorial, "-0.1 a step, 1 at the far corner", which gives no time limit.

    Attributes:
      size: rows and columns, 2 to 64.
      num_steps: most steps of an episode, 1 to 1024.
    """

    size: int = 5
    num_steps: int = 100
    terms: tuple[Term, ...] = (STEP_COST, GOAL)

    def __post_init__(self):
        super().__post_init__()
        check_whole("GridPath", "size", self.size, 2, 64)
        check_whole("GridPath", "num_steps", self.num_steps, 1, 1024)

    @property
    def observation_space(self) -> Space:
        return MultiDiscrete((self.size, self.size))

    @property
    def action_space(self) -> Discrete:
        return Discrete(4)

    @property
    def num_states(self) -> int:
        return self.size**2

    def state_index(self, observation: Array) -> Array:
        return observation[0] * self.size + observation[1]

    @property
    def default_params(self) -> GridPathParams:
        corner = self.size - 1
        return GridPathParams(self.default_weights, jnp.array([corner, corner], jnp.int32))

    def initial_state(self, key: Key, params: GridPathParams) -> GridPathState:
        moves = ShiftRegister.create(self.num_steps, 4)
        return GridPathState(jnp.int32(0), jnp.int32(0), jnp.int32(0), moves)

    def next_state(
        self, key: Key, state: GridPathState, action: Array, params: GridPathParams
    ) -> GridPathState:
        row, column = self._move(state.row, state.column, action)
        return GridPathState(row, column, state.step + 1, state.moves.push(action))

    def observe(self, state: GridPathState, params: GridPathParams) -> Array:
        return jnp.stack([state.row, state.column])

    def end(self, state: GridPathState, params: GridPathParams) -> tuple[Array, Array]:
        arrived = (state.row == params.goal[0]) & (state.column == params.goal[1])
        return arrived, ~arrived & (state.step >= self.num_steps)

    def work(self, state: GridPathState, params: GridPathParams) -> Walk:
        """The places so far: the moves, taken again."""

        def follow(place: tuple[Array, Array], move: Array) -> tuple[tuple[Array, Array], Array]:
            place = self._move(*place, move)
            return place, jnp.stack(place)

        start = (jnp.int32(0), jnp.int32(0))
        moves, is_made = state.moves.from_start(state.step)
        _, places = jax.lax.scan(follow, start, moves)
        cells = jnp.concatenate([jnp.stack(start)[None], places])
        walked = jnp.concatenate([jnp.ones(1, jnp.bool_), is_made])
        return Walk(
            cells=jnp.where(walked[:, None], cells, 0),
            length=state.step,
            goal=params.goal,
            size=self.size,
        )

    def _move(self, row: Array, column: Array, action: Array) -> tuple[Array, Array]:
        """Of other numbers than moves the last two bits count, as in the register."""
        move = action.astype(jnp.int32) & 3
        row = row + (move == DOWN).astype(jnp.int32) - (move == UP).astype(jnp.int32)
        column = column + (move == RIGHT).astype(jnp.int32) - (move == LEFT).astype(jnp.int32)
        return jnp.clip(row, 0, self.size - 1), jnp.clip(column, 0, self.size - 1)
