"""Draw with pens that know few moves: lines from a small set, or Doodle-SDQ's pixel by pixel."""

import dataclasses
import math

import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.envs.drawing import Drawing, DrawingParams, DrawingState, window_of
from creative_rl.ops import pens
from creative_rl.rewards import drawing as rewards
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.typing import Array, Key, Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridDrawing(Drawing):
    """Draw with straight lines from a small set, few enough for Q-learning.

    | | |
    |---|---|
    | id | `drawing-copy-pen` |
    | version | 1 |
    | observation | as for `StrokeDrawing` |
    | action | Discrete(num_places^2 num_directions num_lengths num_tools num_levels): place of \
the start, direction, length, tool (radius) and grey level, the last one counting fastest |
    | reward terms | copy: `likeness` (1.0), gain of 1 - L2 / L2 of the empty canvas; free: gains \
of `balance`, `symmetry`, `contrast`, `harmony`, `complexity`, `coverage` (1/6 each); style: \
gain of `style` (1.0), the discriminator's probability |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    Source: the grid of locations and brush sizes of SPIRAL (Ganin et al., ICML 2018, section
    4.1), coarsened.

    Attributes:
      goal, height, width, channels, num_steps, targets, background, differentiable,
      judge_sizes, judge_steps: see `Drawing`.
      num_places: starts along either axis, 1 to 32.
      num_directions: of a line, 1 to 64.
      num_lengths: 1, 2, ... times the distance between places, 1 to 8.
      num_tools: radii, from one pixel on doubling, 1 to 4.
      num_levels: grey levels from white to black, 1 to 8.
    """

    num_places: int = 4
    num_directions: int = 8
    num_lengths: int = 2
    num_tools: int = 1
    num_levels: int = 2

    def __post_init__(self):
        super().__post_init__()
        for field, high in (
            ("num_places", 32), ("num_directions", 64), ("num_lengths", 8), ("num_tools", 4),
            ("num_levels", 8),
        ):  # fmt: skip
            check_whole(type(self).__name__, field, getattr(self, field), 1, high)

    @property
    def action_space(self) -> Discrete:
        kinds = self.num_directions * self.num_lengths * self.num_tools * self.num_levels
        return Discrete(self.num_places**2 * kinds)

    @property
    def window(self) -> int | None:
        longest = self.num_lengths * max(self.height, self.width) / self.num_places
        return window_of(self, math.ceil(longest), 2.0 ** (self.num_tools - 1))

    def _drawn(self, state: DrawingState, action: Array) -> DrawingState:
        longer = max(self.height, self.width)
        last = max(self.num_levels - 1, 1)
        stroke = pens.grid_stroke(
            action,
            num_places=self.num_places,
            num_directions=self.num_directions,
            num_lengths=self.num_lengths,
            radii=tuple(2.0**tool / longer for tool in range(self.num_tools)),
            levels=tuple(1.0 - level / last for level in range(self.num_levels)),
            shape=self.shape,
        )
        return self._with_strokes(state, stroke[None])


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoodleDrawing(Drawing):
    """Move a pen over the canvas, a few pixels at a time, down or up: Doodle-SDQ.

    | | |
    |---|---|
    | id | `drawing-copy-doodle` |
    | version | 1 |
    | observation | as for `StrokeDrawing`, and `place` 0 .. 1, the pen's column and row |
    | action | Discrete(2 patch^2): to a pixel of the patch around the pen, drawing; then the \
same with the pen up |
    | reward terms | copy: `likeness` (1.0), gain of 1 - L2 / L2 of the empty canvas; free: gains \
of `balance`, `symmetry`, `contrast`, `harmony`, `complexity`, `coverage` (1/6 each); style: \
gain of `style` (1.0), the discriminator's probability; \
and `slow_move` (-0.005), 1 for a move below five pixels |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    Source: Zhou et al., "Learning to Doodle with Stroke Demonstrations and Deep Q-Networks" (BMVC
    2018, arXiv 1810.05977): canvas 84 x 84, patch 11 x 11, 100 steps.

    Deviations: the similarity term is relative to the empty canvas, and both terms' scale is
    ours; the whole canvas is observed and not the patch beside it; lines are anti-aliased, two
    pixels wide.

    Attributes:
      goal, height, width, channels, num_steps, targets, background, differentiable,
      judge_sizes, judge_steps: see `Drawing`.
      patch: pixels on a side of the square that the pen can reach in a step, odd, 3 to 63.
    """

    height: int = 84
    width: int = 84
    num_steps: int = 100
    patch: int = 11

    def __post_init__(self):
        super().__post_init__()
        check_whole("DoodleDrawing", "patch", self.patch, 3, 63)
        if self.patch % 2 == 0:
            raise ValueError(
                f"DoodleDrawing: patch must be odd, so that it has a middle, got {self.patch}"
            )

    @property
    def observation_space(self) -> Dict:
        return Dict({**dict(super().observation_space.items()), "place": Box(0.0, 1.0, (2,))})

    @property
    def action_space(self) -> Discrete:
        return Discrete(2 * self.patch**2)

    @property
    def window(self) -> int | None:
        return window_of(self, self.patch // 2, 1.0)

    def observe(self, state: DrawingState, params: DrawingParams) -> dict[str, Array]:
        limit = jnp.array([self.width - 1, self.height - 1], jnp.float32)
        return super().observe(state, params) | {"place": state.place.astype(jnp.float32) / limit}

    def _first_place(self, key: Key) -> Array:
        return jax.random.randint(
            key, (2,), 0, jnp.array([self.width, self.height], jnp.int32), jnp.int32
        )

    def _default_terms(self) -> tuple[Term, ...]:
        return (*super()._default_terms(), rewards.SLOW_MOVE)

    def _drawn(self, state: DrawingState, action: Array) -> DrawingState:
        end, is_down = pens.patch_move(action, state.place, self.patch, self.shape)
        size = jnp.array([self.width, self.height], jnp.float32)
        white = jnp.full(self.channels, 1.0 if self.background < 0.5 else 0.0, jnp.float32)
        stroke = pens.straight_stroke(
            (state.place.astype(jnp.float32) + 0.5) / size,
            (end.astype(jnp.float32) + 0.5) / size,
            1.0 / max(self.height, self.width),
            is_down.astype(jnp.float32),
            white,
        )
        return self._with_strokes(state, stroke[None]).replace(place=end)
