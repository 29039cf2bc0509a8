"""Draw without a pen: the whole picture at once, as generators make it."""

import dataclasses

import jax.numpy as jnp

from creative_rl.envs.drawing import Drawing, DrawingState, Goal
from creative_rl.ops.levels import as_bytes
from creative_rl.spaces import Box
from creative_rl.typing import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelDrawing(Drawing):
    """Make the whole picture at once: the environment of generators.

    | | |
    |---|---|
    | id | `drawing-pixels` |
    | version | 1 |
    | observation | as for `StrokeDrawing` |
    | action | Box(0, 1, (H, W, C)): the picture |
    | reward terms | copy: `likeness` (1.0), gain of 1 - L2 / L2 of the empty canvas; free: gains \
of `balance`, `symmetry`, `contrast`, `harmony`, `complexity`, `coverage` (1/6 each); style: \
gain of `style` (1.0), the discriminator's probability |
    | horizon | `num_steps` steps; every step replaces the picture |
    | termination | after `num_steps` steps |

    Attributes:
      goal, height, width, channels, num_steps, targets, background, differentiable,
      judge_sizes, judge_steps: see `Drawing`.
    """

    goal: Goal = "free"
    height: int = 28
    width: int = 28
    num_steps: int = 1

    @property
    def num_strokes(self) -> int:
        return 0

    @property
    def action_space(self) -> Box:
        return Box(0.0, 1.0, self.shape)

    def _drawn(self, state: DrawingState, action: Array) -> DrawingState:
        picture = jnp.clip(action, 0.0, 1.0)
        return state.replace(canvas=picture if self.differentiable else as_bytes(picture))
