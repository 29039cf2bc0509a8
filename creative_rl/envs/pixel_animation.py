"""Animate without sprites: a whole clip at once, pixel by pixel, as generators make it."""

import dataclasses

import flax.struct
import jax.numpy as jnp

from creative_rl import corpora
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import clips as measures
from creative_rl.ops.levels import as_bytes, as_floats
from creative_rl.spaces import Box, Dict
from creative_rl.typing import Array, Key, Term, Transition
from creative_rl.works.clip import Clip


class PixelAnimationState(flax.struct.PyTreeNode):
    """The clip; before the first step it is black."""

    frames: Array  # uint8[T, H, W, 3]
    step: Array  # int32


class PixelAnimationParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the clips to learn from, and what is too much."""

    weights: dict[str, Array]
    clips: Array  # uint8[M, T, H, W, 3]
    most_drift: Array  # float32, above 0: of the colour, levels being in 0..1
    most_jolt: Array  # float32, above 0: of the middle, in sides of the picture
    wanted_motion: Array  # float32, above 0: of the middle, in sides a frame


def _shown(seen: Transition) -> measures.Content:
    return measures.content(as_floats(seen.next_state.frames))


def _colour(seen: Transition) -> Array:
    """-1..0: minus the drift of the colour over the most."""
    return -jnp.minimum(measures.colour_drift(_shown(seen)) / seen.params.most_drift, 1.0)


def _steadiness(seen: Transition) -> Array:
    """-1..0: minus the jolts of the middle over the most."""
    return -jnp.minimum(measures.jolt(_shown(seen)) / seen.params.most_jolt, 1.0)


def _motion(seen: Transition) -> Array:
    """0..1: how much the middle moves, up to what is wanted."""
    return jnp.minimum(measures.motion(_shown(seen)) / seen.params.wanted_motion, 1.0)


COLOUR = Term(
    "colour", _colour, source="average content distance, Tulyakov et al. 2018 (arXiv 1707.04993)"
)
STEADINESS = Term("steadiness", _steadiness, source="a rule of ours: ops.clips.jolt")
MOTION = Term("motion", _motion, source="a rule of ours: ops.clips.motion")
TERMS = (COLOUR, STEADINESS, MOTION)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelAnimation(Environment):
    """Make T frames of H x W pixels at once: the environment of generators of clips.

    | | |
    |---|---|
    | id | `animation-pixels` |
    | version | 1 |
    | observation | `time` 0 .. 1: nothing is known before |
    | action | Box(0, 1, (T, H, W, 3)): the clip |
    | reward terms | `colour` (1.0), minus the drift of the colour between frames over \
`params.most_drift`, up to -1; `steadiness` (1.0), minus the second differences of the middle of \
what shows over `params.most_jolt`, up to -1; `motion` (1.0), its way from frame to frame over \
`params.wanted_motion`, up to 1 |
    | horizon | 1 step |
    | termination | after it |

    Clips to learn from are `env.examples`. The work is a `Clip`.

    Sources: those of `ops.clips`. Deviations: no published environment is followed; clips of
    learners are measured there by distances between real and made ones, which `learners.video_gan`
    and `benchmarks.tables.animation` do.

    Attributes:
      num_frames: T, 2 to 64.
      height: of the picture in pixels, 8 to 256.
      width: of the picture in pixels, 8 to 256.
      clips: to learn from: `moving-shapes`, or the path of a film or of a folder of films (see
        `corpora.load_clips`).
      rate: frames a second of the work, 1 to 60.
    """

    num_frames: int = 16
    height: int = 64
    width: int = 64
    clips: str = "moving-shapes"
    rate: int = 12
    terms: tuple[Term, ...] = TERMS

    def __post_init__(self):
        super().__post_init__()
        for field, low, high in (
            ("num_frames", 2, 64),
            ("height", 8, 256),
            ("width", 8, 256),
            ("rate", 1, 60),
        ):
            check_whole("PixelAnimation", field, getattr(self, field), low, high)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of a clip: frames, height, width, channels."""
        return self.num_frames, self.height, self.width, 3

    @property
    def horizon(self) -> int:
        return 1

    @property
    def action_space(self) -> Box:
        return Box(0.0, 1.0, self.shape)

    @property
    def observation_space(self) -> Dict:
        return Dict({"time": Box(0.0, 1.0)})

    @property
    def default_params(self) -> PixelAnimationParams:
        found = corpora.load_clips(self.clips, *self.shape[:3])
        return PixelAnimationParams(
            weights=self.default_weights,
            clips=jnp.asarray(found),
            # Of moving shapes no clip drifts so much, and few are so jolty.
            most_drift=jnp.float32(0.2),
            most_jolt=jnp.float32(0.1),
            wanted_motion=jnp.float32(0.03),
        )

    def examples(self, params: PixelAnimationParams) -> Array:
        """uint8[M, T, H, W, 3]: clips to learn from, in the form of actions times 255."""
        return params.clips

    def initial_state(self, key: Key, params: PixelAnimationParams) -> PixelAnimationState:
        return PixelAnimationState(jnp.zeros(self.shape, jnp.uint8), jnp.int32(0))

    def next_state(
        self, key: Key, state: PixelAnimationState, action: Array, params: PixelAnimationParams
    ) -> PixelAnimationState:
        return PixelAnimationState(as_bytes(jnp.clip(action, 0.0, 1.0)), state.step + 1)

    def observe(self, state: PixelAnimationState, params: PixelAnimationParams) -> dict[str, Array]:
        return {"time": state.step.astype(jnp.float32)}

    def work(self, state: PixelAnimationState, params: PixelAnimationParams) -> Clip:
        return Clip(state.frames, state.step * self.num_frames, self.rate)
