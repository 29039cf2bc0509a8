"""Direct a scene: sprites, a camera and cuts, a few frames at a time."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.stories import Stories, rhythms, stories
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import direction
from creative_rl.ops.direction import (
    BEFORE,
    CAMERA_MOVES,
    GROWTH,
    LONG,
    MOVES,
    NUM_SIZES,
    RADII,
    ZOOMS,
    Track,
)
from creative_rl.ops.sprites import SHAPES
from creative_rl.ops.staging import EASINGS
from creative_rl.rewards import animation as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.typing import Array, Key, Term
from creative_rl.works.animation import Animation

_NUM_STORIES = 64
_JITTER = 0.08  # of where sprites are at first
_CAST = (
    ("disc", (214, 69, 65)), ("star", (250, 204, 72)), ("square", (246, 246, 240)),
    ("triangle", (233, 118, 186)),
)  # fmt: skip
_BACKDROPS = (  # day, night, dusk, winter
    ((173, 214, 236), (112, 163, 94)), ((44, 49, 84), (27, 32, 52)),
    ((196, 134, 112), (118, 76, 66)), ((120, 146, 172), (88, 110, 138)),
)  # fmt: skip


class DirectedSceneState(flax.struct.PyTreeNode):
    """The frames of the last step and three before them; before the first, all stand still."""

    story: Array  # int32: which of the stories
    rhythm: Array  # int32: which of the curves
    start_x: Array  # float32[S]: where the sprites were at first
    start_y: Array  # float32[S]
    step: Array  # int32: steps that are over
    choices: Array  # int32[H, 3 S + 2]: the actions
    track: Track
    scene: Array  # int32
    shot: Array  # int32: steps since the last cut, that of the cut among them
    is_cut: Array  # bool: whether the last step began with one


class DirectedSceneParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the stories and curves, the cast, and what is too much.

    Others replace those of the default: `params.replace(stories=..., rhythms=...)`.
    """

    weights: dict[str, Array]
    stories: Stories  # of P stories with M beats
    rhythms: Array  # float32[C, H] in 0..1
    shapes: Array  # int32[S], numbers of ops.sprites.SHAPES
    colours: Array  # uint8[S, 3]
    backdrops: Array  # uint8[N, 2, 3]: sky and ground of each scene
    most_jerk: Array  # float32: root mean square of the third differences, in shares of the picture
    most_move: Array  # float32: from frame to frame, in widths and heights
    most_growth: Array  # float32: from frame to frame, of the radius's logarithm
    least_shot: Array  # int32, steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class DirectedScene(Environment):
    """Direct S sprites, a camera and cuts between N scenes, K frames a step, to tell a story.

    A story of M beats, who is to be where, when and in which scene, and a curve of how lively it
    is to be are drawn at reset, uniformly, and where the sprites stand at first, near y = 0.6.

    | | |
    |---|---|
    | id | `animation` |
    | version | 1 |
    | observation | `places` 0 .. 1, float32[3, S, 2], x and y in the last three frames; `sizes` \
0 .. 1, float32[S], radii over the largest; `cameras` 0 .. 1, float32[3, 2], x and zoom over the \
largest, in the last three frames; `scene` Discrete(N); `shot` 0 .. 1, steps since the last cut \
over H; `beats` MultiDiscrete((S + 1, N + 1) * 2), of the next two beats sprite and scene from 1, \
0 for none; `marks` 0 .. 1, float32[2, 3], of these beats x, y and steps left over H, 0 for none; \
`wanted` 0 .. 1, float32[H], the liveliness of this step and those after it, 0 past the end; \
`time` 0 .. 1 |
    | action | MultiDiscrete((17, 5, 3) * S + (5, N + 1)): for each sprite the move (stay; 0.1 or \
0.3 in eight directions, from the right clockwise), its timing (`ops.staging.EASINGS`), and \
smaller, same or larger by 1.25; of the camera hold, left, right, nearer, further; 0 to go on, \
k to cut to scene k |
    | reward terms | `story` (2.0), at a beat's time 1 with its sprite in its place and scene, \
falling to 0 half a picture away; `rhythm` (0.5), 1 - 2 times the distance of the sprites' motion \
from what is wanted; `smoothness` (0.5), minus the jerk on the screen over the most, up to -1; \
`identity` (1.0), minus the share of sprites that jump or change their size at once, but at cuts; \
`cutting` (1.0), -1 for a cut from a shot of less than two steps or to the same scene; \
`composition` (1.0), at a beat `story` times the nearness of its sprite to a point of the thirds, \
0 .. 1; `size` (0.5), minus the sprites' growth or shrinking since the start over the most; \
`framing` (1.0), minus the share of the sprites that is out of the picture |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    Sprites roll as they move, and stay in 0 .. 1. At a cut the camera goes back to rest and its
    move is done at once; the sprites go on from where they are, and a move "at once" puts them
    elsewhere for the new shot. What is observed decides the reward, so a feed-forward learner will
    do. The work is an `Animation` of K frames a step.

    Sources: those of `rewards.animation` and `ops.staging`. Deviations: no published environment or
    table is followed; stories and curves are made by rule (`corpora.stories`), and the limits are
    ours.

    Attributes:
      num_sprites: S, 1 to 4.
      num_scenes: N, 1 to 4.
      num_steps: H, steps of an episode, 1 to 256.
      frames_per_step: K, 3 to 24.
      num_beats: M, beats of a story, 1 to num_steps.
      height: of the picture in pixels, even, 16 to 2048.
      width: of the picture in pixels, even, 16 to 2048.
      rate: frames a second of the work, 1 to 60.
    """

    num_sprites: int = 2
    num_scenes: int = 2
    num_steps: int = 8
    frames_per_step: int = 6
    num_beats: int = 4
    height: int = 180
    width: int = 320
    rate: int = 12
    terms: tuple[Term, ...] = rewards.DIRECTION

    def __post_init__(self):
        super().__post_init__()
        for field, low, high in (
            ("num_sprites", 1, len(_CAST)),
            ("num_scenes", 1, len(_BACKDROPS)),
            ("num_steps", 1, 256),
            ("frames_per_step", BEFORE, 24),
            ("height", 16, 2048),
            ("width", 16, 2048),
            ("rate", 1, 60),
        ):
            check_whole("DirectedScene", field, getattr(self, field), low, high)
        check_whole("DirectedScene", "num_beats", self.num_beats, 1, self.num_steps)
        for field in ("height", "width"):
            if getattr(self, field) % 2:
                raise ValueError(
                    f"DirectedScene: {field} must be even, as films are, got {getattr(self, field)}"
                )

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def action_space(self) -> MultiDiscrete:
        sprite = (len(MOVES), len(EASINGS), NUM_SIZES)
        return MultiDiscrete((*sprite * self.num_sprites, len(CAMERA_MOVES), self.num_scenes + 1))

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "places": Box(0.0, 1.0, (BEFORE, self.num_sprites, 2)),
                "sizes": Box(0.0, 1.0, (self.num_sprites,)),
                "cameras": Box(0.0, 1.0, (BEFORE, 2)),
                "scene": Discrete(self.num_scenes),
                "shot": Box(0.0, 1.0),
                "beats": MultiDiscrete((self.num_sprites + 1, self.num_scenes + 1) * 2),
                "marks": Box(0.0, 1.0, (2, 3)),
                "wanted": Box(0.0, 1.0, (self.num_steps,)),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> DirectedSceneParams:
        sizes = self.num_steps, self.num_beats, self.num_sprites, self.num_scenes
        cast = _CAST[: self.num_sprites]
        return DirectedSceneParams(
            weights=self.default_weights,
            stories=jax.tree.map(jnp.asarray, stories(_NUM_STORIES, *sizes, seed=0)),
            rhythms=jnp.asarray(rhythms(self.num_steps)),
            shapes=jnp.array([SHAPES.index(name) for name, _ in cast], jnp.int32),
            colours=jnp.array([colour for _, colour in cast], jnp.uint8),
            backdrops=jnp.array(_BACKDROPS[: self.num_scenes], jnp.uint8),
            most_jerk=jnp.float32(0.06),
            # Every timing but "at once" stays below twice the mean.
            most_move=jnp.float32(2 * LONG / self.frames_per_step),
            most_growth=jnp.float32(2 * np.log(GROWTH) / self.frames_per_step),
            least_shot=jnp.int32(2),
        )

    def initial_state(self, key: Key, params: DirectedSceneParams) -> DirectedSceneState:
        self._check_params(params)
        key_story, key_rhythm, key_place = jax.random.split(key, 3)
        num = self.num_sprites
        jitter = _JITTER * Box(-1.0, 1.0, (2, num)).sample(key_place)
        middles = jnp.arange(1, num + 1, dtype=jnp.float32) / (num + 1)
        x, y = middles + jitter[0], 0.6 + jitter[1]
        return DirectedSceneState(
            story=jax.random.randint(key_story, (), 0, params.stories.when.shape[0], jnp.int32),
            rhythm=jax.random.randint(key_rhythm, (), 0, params.rhythms.shape[0], jnp.int32),
            start_x=x,
            start_y=y,
            step=jnp.int32(0),
            choices=jnp.zeros((self.num_steps, len(self.action_space.nums)), jnp.int32),
            track=self._standing(x, y),
            scene=jnp.int32(0),
            shot=jnp.int32(0),
            is_cut=jnp.bool_(False),
        )

    def next_state(
        self, key: Key, state: DirectedSceneState, action: Array, params: DirectedSceneParams
    ) -> DirectedSceneState:
        most = jnp.array(self.action_space.nums, jnp.int32) - 1
        action = jnp.clip(action, 0, most).astype(jnp.int32)
        is_cut = action[-1] > 0
        return state.replace(
            step=state.step + 1,
            choices=state.choices.at[state.step].set(action),
            track=direction.moved(state.track, action),
            scene=jnp.where(is_cut, action[-1] - 1, state.scene),
            shot=jnp.where(is_cut, 1, state.shot + 1),
            is_cut=is_cut,
        )

    def observe(self, state: DirectedSceneState, params: DirectedSceneParams) -> dict[str, Array]:
        track = state.track
        steps = state.step + jnp.arange(self.num_steps, dtype=jnp.int32)
        wanted = params.rhythms[state.rhythm, jnp.minimum(steps, self.num_steps - 1)]
        when, who, scene, x, y = (leaf[state.story] for leaf in params.stories)
        ahead = (when <= state.step).sum(dtype=jnp.int32) + jnp.arange(2, dtype=jnp.int32)
        is_beat = ahead < self.num_beats
        beat = jnp.minimum(ahead, self.num_beats - 1)
        left = (when[beat] - state.step).astype(jnp.float32) / self.num_steps
        beats = jnp.stack([who[beat], scene[beat]], axis=1) + 1
        marks = jnp.stack([x[beat], y[beat], left], axis=1)
        return {
            "places": jnp.stack([track.x[-BEFORE:], track.y[-BEFORE:]], axis=-1),
            "sizes": track.radius[-1] / RADII[2],
            "cameras": jnp.stack([track.camera[-BEFORE:], track.zoom[-BEFORE:] / ZOOMS[1]], -1),
            "scene": state.scene,
            "shot": state.shot.astype(jnp.float32) / self.num_steps,
            "beats": jnp.where(is_beat[:, None], beats, 0).ravel(),
            "marks": jnp.where(is_beat[:, None], jnp.clip(marks, 0.0, 1.0), 0.0),
            "wanted": jnp.where(steps < self.num_steps, wanted, 0.0),
            "time": state.step.astype(jnp.float32) / self.num_steps,
        }

    def work(self, state: DirectedSceneState, params: DirectedSceneParams) -> Animation:
        """The frames so far: the actions, taken again."""
        size, num = self.frames_per_step, self.num_sprites

        def follow(carry: tuple[Track, Array], action: Array):
            track, scene = carry
            track = direction.moved(track, action)
            scene = jnp.where(action[-1] > 0, action[-1] - 1, scene)
            poses = jnp.stack([track.x, track.y, track.radius, track.turn], axis=-1)[BEFORE:]
            middle = jnp.full_like(track.camera, 0.5)
            cameras = jnp.stack([track.camera, middle, track.zoom], axis=-1)[BEFORE:]
            return (track, scene), (poses, cameras, jnp.full(size, scene, jnp.int32))

        start = (self._standing(state.start_x, state.start_y), jnp.int32(0))
        _, (poses, cameras, scenes) = jax.lax.scan(follow, start, state.choices)
        num_frames, length = self.num_steps * size, state.step * size
        is_over = jnp.arange(num_frames, dtype=jnp.int32) < length
        who = jnp.broadcast_to(jnp.arange(num, dtype=jnp.int32)[None], (num_frames, num))
        poses = poses.reshape(num_frames, num, 4)
        return Animation(
            sprites=jnp.where(is_over[:, None], who, 0),
            poses=jnp.where(is_over[:, None, None], poses, 0.0),
            cameras=jnp.where(is_over[:, None], cameras.reshape(num_frames, 3), 0.0),
            scenes=jnp.where(is_over, scenes.reshape(num_frames), 0),
            length=length,
            shapes=params.shapes,
            colours=params.colours,
            backdrops=params.backdrops,
            height=self.height,
            width=self.width,
            rate=self.rate,
        )

    # Inside.

    def _standing(self, x: Array, y: Array) -> Track:
        return direction.standing(x, y, self.frames_per_step, self.height, self.width)

    def _check_params(self, params: DirectedSceneParams) -> None:
        shapes = {leaf.shape for leaf in params.stories}
        beats = params.stories.when.shape
        if (
            len(shapes) > 1
            or beats[1:] != (self.num_beats,)
            or params.rhythms.shape[1:] != (self.num_steps,)
            or 0 in (beats[0], params.rhythms.shape[0])
            or params.shapes.shape != (self.num_sprites,)
            or params.colours.shape != (self.num_sprites, 3)
            or params.backdrops.shape != (self.num_scenes, 2, 3)
        ):
            raise ValueError(
                f"DirectedScene: params.stories must be of ['P', {self.num_beats}], rhythms "
                f"['C', {self.num_steps}], shapes [{self.num_sprites}], colours "
                f"[{self.num_sprites}, 3] and backdrops [{self.num_scenes}, 2, 3], got "
                f"{sorted(map(list, shapes))}, {list(params.rhythms.shape)}, "
                f"{list(params.shapes.shape)}, {list(params.colours.shape)} and "
                f"{list(params.backdrops.shape)}; P and C must be at least 1"
            )
