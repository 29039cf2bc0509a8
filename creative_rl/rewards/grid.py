"""Named reward terms for walks over a grid.

The terms read a transition whose states carry `row` and `column`, and params with the `goal`.
"""

import jax.numpy as jnp

from creative_rl.typing import Array, Term, Transition

_TUTORIAL = "tutorial: -0.1 a step, 1 at the far corner"


def _step_cost(seen: Transition) -> Array:
    return jnp.float32(1)


def _goal(seen: Transition) -> Array:
    place, goal = seen.next_state, seen.params.goal
    return ((place.row == goal[0]) & (place.column == goal[1])).astype(jnp.float32)


STEP_COST = Term("step_cost", _step_cost, weight=-0.1, source=_TUTORIAL)
GOAL = Term("goal", _goal, source=_TUTORIAL)
