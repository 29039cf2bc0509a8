"""Draw on a canvas, stroke by stroke: after a picture, by rules of composition, or in a style."""

import abc
import dataclasses
import math
from functools import partial
from typing import Literal

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl import corpora
from creative_rl.environment import Environment, check_number, check_whole
from creative_rl.networks import PictureEncoder
from creative_rl.ops import pens, raster
from creative_rl.ops.levels import as_bytes, as_floats
from creative_rl.rewards import drawing as rewards
from creative_rl.rewards import judge
from creative_rl.spaces import Box, Dict
from creative_rl.typing import Array, Key, Term, Timestep
from creative_rl.works.canvas import Canvas

Goal = Literal["copy", "free", "style"]

_TERMS: dict[str, tuple[Term, ...]] = {
    "copy": rewards.COPY_TERMS,
    "free": rewards.FREE_TERMS,
    "style": rewards.STYLE_TERMS,
}
_LEAST_ERROR = 1e-4
"""Of an empty canvas to its target; a target that is nearly empty would make rewards explode."""


class DrawingState(flax.struct.PyTreeNode):
    """The canvas, the strokes that made it, and what the rewards have measured."""

    canvas: Array  # uint8[H, W, C], or float32 in 0..1 where differentiable
    strokes: Array  # float32[S, 10 + C], zeros from `step` on
    step: Array  # int32
    place: Array  # int32[2]: column and row of a pen that stays where it is
    target: Array  # int32: which of the targets
    blank_error: Array  # float32: mean squared error of the empty canvas to the target
    scores: dict[str, Array]  # float32 by measure


class DrawingParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the pictures, and what the rules want."""

    weights: dict[str, Array]
    targets: Array  # uint8[M, H, W, C]
    wanted_coverage: Array  # float32, above 0: share of the canvas
    judge: judge.Judge | None  # with the goal style


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawing(Environment):
    """What all drawings share: a canvas, a goal, and a number of steps.

    A subclass is a kind of pen: it puts an action's marks on the canvas (`_drawn`).

    Attributes:
      goal: `copy` a target picture, which is observed; `free`: rules of composition; `style`: a
        discriminator that learns, whenever the params are updated, to tell drawings from targets.
      height: of the canvas in pixels, 4 to 1024.
      width: of the canvas in pixels, 4 to 1024.
      channels: 1 for grey, 3 for colours.
      num_steps: steps of an episode, 1 to 10,000.
      targets: pictures to copy or to learn a style from: `shapes`, `digits`, `glyphs`, or the path
        of an image, a folder of images, an IDX, .npy or .npz file.
      background: grey level of the empty canvas, 0 (black) to 1.
      differentiable: keep the canvas as floats, so that gradients flow from rewards to actions;
        whole canvases are computed, which is slower.
      judge_sizes: widths of the discriminator's hidden layers.
      judge_steps: gradient steps of the discriminator in one update of the params, 1 to 1000.
      terms: the goal's where there are none.
    """

    goal: Goal = "copy"
    height: int = 64
    width: int = 64
    channels: int = 1
    num_steps: int = 20
    targets: str = "shapes"
    background: float = 0.0
    differentiable: bool = False
    judge_sizes: tuple[int, ...] = (256, 128)
    judge_steps: int = 4
    terms: tuple[Term, ...] = ()

    def __post_init__(self):
        name = type(self).__name__
        if self.goal not in _TERMS:
            raise ValueError(f"{name}: goal must be one of {', '.join(_TERMS)}, got {self.goal!r}")
        if not self.terms:
            object.__setattr__(self, "terms", self._default_terms())
        super().__post_init__()
        for field, low, high in (
            ("height", 4, 1024),
            ("width", 4, 1024),
            ("num_steps", 1, 10_000),
            ("judge_steps", 1, 1000),
        ):
            check_whole(name, field, getattr(self, field), low, high)
        check_whole(name, "channels", self.channels, 1, 3)
        if self.channels == 2:
            raise ValueError(
                f"{name}: channels must be 1 (grey) or 3 (colours), got {self.channels!r}"
            )
        check_number(name, "background", self.background, 0.0, 1.0)
        for term, goal in (("likeness", "copy"), ("style", "style")):
            if self.goal != goal and any(given.name == term for given in self.terms):
                raise ValueError(f"{name}: the term {term} needs goal {goal!r}, got {self.goal!r}")

    # What a kind of pen defines.

    @property
    def num_strokes(self) -> int:
        """Strokes in one step."""
        return 1

    @property
    def window(self) -> int | None:
        """Pixels on a side of a square that holds every stroke; None for the whole canvas."""
        return None

    @abc.abstractmethod
    def _drawn(self, state: DrawingState, action: Array) -> DrawingState:
        """With the action's marks on the canvas and in the log, and the pen where it is then."""

    def _first_place(self, key: Key) -> Array:
        return jnp.zeros(2, jnp.int32)

    def _default_terms(self) -> tuple[Term, ...]:
        return _TERMS[self.goal]

    # The contract.

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the canvas: height, width, channels."""
        return self.height, self.width, self.channels

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def observation_space(self) -> Dict:
        picture = Box(0, 255, self.shape, jnp.uint8)
        if self.differentiable:
            picture = Box(0.0, 1.0, self.shape)
        target = {"target": picture} if self.goal == "copy" else {}
        return Dict({"canvas": picture, "time": Box(0.0, 1.0), **target})

    @property
    def default_params(self) -> DrawingParams:
        targets = corpora.load_pictures(self.targets, *self.shape)
        return DrawingParams(
            weights=self.default_weights,
            targets=jnp.asarray(targets),
            wanted_coverage=jnp.float32(0.4),
            judge=self.init_judge(jax.random.key(0)) if self.goal == "style" else None,
        )

    def init_judge(self, key: Key) -> judge.Judge:
        """A discriminator that has seen nothing, for `params.judge`."""
        return judge.init(self._judge_network, key, self.shape)

    def update_params(self, params: DrawingParams, timesteps: Timestep) -> DrawingParams:
        """With the goal style, the discriminator learns from the drawings that were finished."""
        if params.judge is None:
            return params
        seen = timesteps.info.get("final_observation", timesteps.observation)["canvas"]
        learned = judge.learn(
            self._judge_network,
            params.judge,
            params.targets,
            seen.reshape(-1, *self.shape),
            timesteps.ended.reshape(-1),
            self.judge_steps,
        )
        return params.replace(judge=learned)

    def examples(self, params: DrawingParams) -> Array:
        return params.targets

    def initial_state(self, key: Key, params: DrawingParams) -> DrawingState:
        key_target, key_place = jax.random.split(key)
        target = jax.random.randint(key_target, (), 0, params.targets.shape[0], jnp.int32)
        state = self._blank_state().replace(place=self._first_place(key_place), target=target)
        if self.goal == "copy":
            error = rewards.squared_error(
                as_floats(state.canvas), as_floats(self._target(state, params))
            )
            state = state.replace(blank_error=jnp.maximum(error, _LEAST_ERROR))
        return state.replace(scores=self._scores(state, params))

    def next_state(
        self, key: Key, state: DrawingState, action: Array, params: DrawingParams
    ) -> DrawingState:
        state = self._drawn(state, action)
        state = state.replace(step=state.step + 1)
        return state.replace(scores=self._scores(state, params))

    def observe(self, state: DrawingState, params: DrawingParams) -> dict[str, Array]:
        seen = {
            "canvas": state.canvas,
            "time": state.step.astype(jnp.float32) / self.num_steps,
        }
        if self.goal == "copy":
            target = self._target(state, params)
            seen["target"] = as_floats(target) if self.differentiable else target
        return seen

    def work(self, state: DrawingState, params: DrawingParams) -> Canvas:
        canvas = as_bytes(state.canvas) if self.differentiable else state.canvas
        length = state.step * self.num_strokes
        target = self._target(state, params) if self.goal == "copy" else None
        return Canvas(canvas, state.strokes, length, target, background=self.background)

    def appearance(self, state: DrawingState, params: DrawingParams) -> Array:
        return as_floats(state.canvas)

    def relaxed_appearance(self, actions: Array, params: DrawingParams) -> Array:
        if not isinstance(self.action_space, Box):
            return super().relaxed_appearance(actions, params)
        twin = dataclasses.replace(self, differentiable=True)

        # The strokes' coverages are computed again on the way back: they are large.
        @jax.checkpoint
        def draw(state: DrawingState, action: Array) -> tuple[DrawingState, None]:
            return twin._drawn(state, action), None

        state, _ = jax.lax.scan(draw, twin._blank_state(), actions)
        return state.canvas

    # Inside.

    @property
    def _judge_network(self) -> PictureEncoder:
        return PictureEncoder(1, "mlp", self.judge_sizes)

    def _blank_state(self) -> DrawingState:
        canvas = jnp.full(self.shape, self.background, jnp.float32)
        num_strokes = self.num_steps * self.num_strokes
        return DrawingState(
            canvas=canvas if self.differentiable else as_bytes(canvas),
            strokes=jnp.zeros((num_strokes, pens.NUM_SHAPE + self.channels), jnp.float32),
            step=jnp.int32(0),
            place=jnp.zeros(2, jnp.int32),
            target=jnp.int32(0),
            blank_error=jnp.float32(1),
            scores={},
        )

    def _target(self, state: DrawingState, params: DrawingParams) -> Array:
        return params.targets[state.target]

    def _scores(self, state: DrawingState, params: DrawingParams) -> dict[str, Array]:
        """Of the measures whose gains are among the terms."""
        target = as_floats(self._target(state, params)) if self.goal == "copy" else None
        view = rewards.View(
            picture=as_floats(state.canvas),
            target=target,
            blank_error=state.blank_error,
            background=self.background,
            params=params,
            likelihood_fn=partial(self._likelihood, params),
        )
        names = [term.name for term in self.terms]
        return {name: rewards.MEASURES[name](view) for name in names if name in rewards.MEASURES}

    def _likelihood(self, params: DrawingParams, picture: Array) -> Array:
        if params.judge is None:
            raise ValueError(
                f"{type(self).__name__}: the term style needs a discriminator in params.judge, got "
                "None; env.init_judge(key) makes one"
            )
        return judge.likelihood(self._judge_network, params.judge, picture)

    def _with_strokes(self, state: DrawingState, strokes: Array) -> DrawingState:
        """With float32[num_strokes, 10 + C] on the canvas and in the log."""
        canvas = state.canvas
        for stroke in strokes:
            if self.differentiable:
                canvas = raster.paint_soft(canvas, stroke)
            else:
                canvas = raster.paint(canvas, stroke, self.window)
        # By comparison: under `vmap` a scatter of rows is a slow loop.
        is_now = jnp.arange(self.num_steps, dtype=jnp.int32) == state.step
        log = state.strokes.reshape(self.num_steps, -1)
        log = jnp.where(is_now[:, None], strokes.reshape(1, -1), log)
        return state.replace(canvas=canvas, strokes=log.reshape(state.strokes.shape))


def window_of(env: Drawing, reach: int, radius: float) -> int | None:
    """Pixels on a side of the square that holds strokes of that reach and radius, with their soft
    edges; None where it is no smaller than the canvas."""
    size = reach + 2 * math.ceil(radius + 1)
    return size if size < min(env.height, env.width) else None
