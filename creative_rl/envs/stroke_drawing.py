"""Draw with brush strokes: Learning to Paint's curves of varying width, opacity and colour."""

import dataclasses

import jax.numpy as jnp

from creative_rl.environment import check_number, check_whole
from creative_rl.envs.drawing import Drawing, DrawingState, window_of
from creative_rl.ops import pens
from creative_rl.spaces import Box
from creative_rl.typing import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class StrokeDrawing(Drawing):
    """Draw with quadratic Bezier curves of varying width and opacity.

    | | |
    |---|---|
    | id | `drawing-copy`, `drawing-digits`, `drawing-free`, `drawing-style` |
    | version | 1 |
    | observation | `canvas` uint8[H, W, C], `time` 0 .. 1, and with the goal copy `target` |
    | action | Box(0, 1, (strokes_per_step (10 + C),)): for each stroke x0 y0 x1 y1 x2 y2, radii \
at start and end, opacities at start and end, colour |
    | reward terms | copy: `likeness` (1.0), gain of 1 - L2 / L2 of the empty canvas; free: gains \
of `balance`, `symmetry`, `contrast`, `harmony`, `complexity`, `coverage` (1/6 each); style: \
gain of `style` (1.0), the discriminator's probability |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    Sources: Huang, Heng and Zhou, "Learning to Paint" (ICCV 2019): the 13 numbers of a coloured
    stroke, and its bundle of five a step (`strokes_per_step`); the measures of the free goal are in
    `ops.composition`.

    Deviations: a stroke is anti-aliased with the larger coverage of its parts, where the source
    stamps 100 hard discs on a canvas of twice the size, each over the last; the curve is drawn in
    straight pieces. With the goal style, the first step after the discriminator has learned is also
    paid for its change of mind.

    Attributes:
      goal, height, width, channels, num_steps, targets, background, differentiable,
      judge_sizes, judge_steps: see `Drawing`.
      strokes_per_step: strokes in one action, 1 to 16.
      reach: furthest from the start to the end of a stroke along either axis, in pixels; 0 for the
        whole canvas. Short strokes are many times faster.
      least_radius: of a stroke, in pixels, 0 to 64.
      max_radius: what a stroke's radius can be above that, as a share of the longer side, 0 to 0.5.
    """

    strokes_per_step: int = 1
    reach: int = 0
    least_radius: float = 0.5
    max_radius: float = 0.12

    def __post_init__(self):
        super().__post_init__()
        name = type(self).__name__
        check_whole(name, "strokes_per_step", self.strokes_per_step, 1, 16)
        check_whole(name, "reach", self.reach, 0, max(self.height, self.width))
        check_number(name, "least_radius", self.least_radius, 0.0, 64.0)
        check_number(name, "max_radius", self.max_radius, 0.0, 0.5)

    @property
    def num_strokes(self) -> int:
        return self.strokes_per_step

    @property
    def action_space(self) -> Box:
        return Box(0.0, 1.0, (self.num_strokes * (pens.NUM_SHAPE + self.channels),))

    @property
    def window(self) -> int | None:
        if not self.reach:
            return None
        radius = self.least_radius + self.max_radius * max(self.height, self.width)
        return window_of(self, self.reach, radius)

    def _drawn(self, state: DrawingState, action: Array) -> DrawingState:
        actions = jnp.clip(action, 0.0, 1.0).reshape(self.num_strokes, -1)
        radii = (self.least_radius / max(self.height, self.width), self.max_radius)
        if self.reach:
            reach = (self.reach / self.width, self.reach / self.height)
            strokes = [pens.short_stroke(action, *radii, reach) for action in actions]
        else:
            strokes = [pens.free_stroke(action, *radii) for action in actions]
        return self._with_strokes(state, jnp.stack(strokes))
