"""Model a solid with 27 boxes, edit by edit: the primitive editor of Lin et al. (2020)."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.solids import check_solids, modelling_solids
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import boxes as modelling
from creative_rl.ops.voxels import depth_maps, rows
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.typing import Array, Key, PyTree, Term, Transition
from creative_rl.works.sculpture import COLOURS, Sculpture

_SOURCE = "Lin et al., ECCV 2020, section 3.2"
_SIZE = modelling.SIZE


class BoxState(flax.struct.PyTreeNode):
    """The boxes, and how they fit."""

    boxes: Array  # int32[27, 6]
    step: Array  # int32
    target: Array  # int32: which of the targets
    fit: modelling.Fit  # after the last step; zeros at reset


class BoxParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, and the targets; `BoxSculpture.params_of` has others."""

    weights: dict[str, Array]
    targets: Array  # uint32[M, 16, 16]: `ops.voxels.rows`
    views: Array  # float32[M, 3, 16, 16]: `ops.voxels.depth_maps`


def _iou(seen: Transition) -> Array:
    return seen.next_state.fit.iou - seen.state.fit.iou


def _local(seen: Transition) -> Array:
    return seen.next_state.fit.local - seen.state.fit.local


def _parsimony(seen: Transition) -> Array:
    return seen.next_state.fit.deleted - seen.state.fit.deleted


IOU = Term("iou", _iou, source=_SOURCE)
LOCAL = Term("local", _local, modelling.LOCAL_WEIGHT, _SOURCE)
PARSIMONY = Term("parsimony", _parsimony, modelling.PARSIMONY_WEIGHT, _SOURCE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxSculpture(Environment):
    """Move the corners of 27 boxes, one box after the other, until they are a solid.

    | | |
    |---|---|
    | id | `sculpture-boxes` |
    | version | 1 |
    | observation | `views` Box(0, 1, (3, 16, 16)): how near the target comes, from the right, the \
front and above; `boxes` Box(0, 1, (27, 6)), coordinates over 16; `step` Discrete(num_steps + 1); \
where `sees_target`, `target` Box(0, 1, (16, 16, 16)), 1 full |
    | action | Discrete(756): 28 * box + 4 * operation + amount; operations 0 .. 5 move x, y or z \
of the first or the last corner by 1, 2, -2 or -1, 6 deletes the box; masked but for the box \
step mod 27, and where a corner would leave the grid or pass the other; a masked action does \
nothing |
    | reward terms | `iou` (1.0), the gain of intersection over union; `local` (0.1), of its mean \
over single boxes that are left; `parsimony` (0.01), boxes deleted; all from 0 on, so that they \
sum to what the last boxes are worth |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    The boxes begin as 3 x 3 x 3 cubes of side 4. A target is drawn at reset from twelve solids
    (`corpora.solids.modelling_solids`).

    `rule_action` is the source's expert, who reads the target: the edit that pays most now, with
    deleting in the second half only. It needs `sees_target`. It reaches a mean intersection over
    union of 0.948 with 3 to 8 boxes left.

    Source: Lin, Fan, Wang and Wang, "Modeling 3D Shapes by Reinforcement Learning" (ECCV 2020),
    the Prim-Agent, and the released implementation.

    Deviations: solids by formula for ShapeNet's, which are not dilated; three depth maps for a grey
    picture of 128 x 128 pixels; the expert measures the mean over boxes after the edit that it
    tries, where the released one takes the box as it was; what is masked does nothing.

    Attributes:
      num_steps: of an episode, 1 to 4096.
      sees_target: whether the target's voxels are observed, as the expert needs them.
    """

    num_steps: int = 300
    sees_target: bool = False
    terms: tuple[Term, ...] = (IOU, LOCAL, PARSIMONY)

    def __post_init__(self):
        super().__post_init__()
        check_whole("BoxSculpture", "num_steps", self.num_steps, 1, 4096)

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def action_space(self) -> Discrete:
        return Discrete(modelling.NUM_ACTIONS)

    @property
    def observation_space(self) -> Dict:
        target = {"target": Box(0.0, 1.0, (_SIZE, _SIZE, _SIZE))} if self.sees_target else {}
        return Dict(
            {
                "views": Box(0.0, 1.0, (3, _SIZE, _SIZE)),
                "boxes": Box(0.0, 1.0, (modelling.NUM_BOXES, 6)),
                "step": Discrete(self.num_steps + 1),
                **target,
            }
        )

    @property
    def default_params(self) -> BoxParams:
        return self.params_of(modelling_solids())

    def params_of(self, targets: np.ndarray) -> BoxParams:
        """Default params with these targets, bool[M, 16, 16, 16] by x, y and z.

        Raises:
          ValueError: they are of another shape, none, or one has no voxel.
        """
        shape = np.shape(targets)
        if len(shape) != 4 or shape[1:] != (_SIZE,) * 3:
            raise ValueError(
                f"BoxSculpture: targets must be bool[M, {_SIZE}, {_SIZE}, {_SIZE}], got "
                f"{list(shape)}"
            )
        check_solids("BoxSculpture", targets)
        with jax.ensure_compile_time_eval():  # in a program XLA would take long to fold them
            solids = jnp.asarray(targets, jnp.bool_)
            words, views = jax.vmap(rows)(solids), jax.vmap(depth_maps)(solids)
        return BoxParams(weights=self.default_weights, targets=words, views=views)

    def initial_state(self, key: Key, params: BoxParams) -> BoxState:
        return BoxState(
            boxes=modelling.first_boxes(),
            step=jnp.int32(0),
            target=jax.random.randint(key, (), 0, params.targets.shape[0], jnp.int32),
            fit=modelling.Fit(jnp.float32(0), jnp.float32(0), jnp.float32(0)),
        )

    def next_state(self, key: Key, state: BoxState, action: Array, params: BoxParams) -> BoxState:
        action = jnp.clip(action, 0, modelling.NUM_ACTIONS - 1).astype(jnp.int32)
        is_allowed = self.action_mask(state, params)[action]
        boxes = jnp.where(is_allowed, modelling.edited(state.boxes, action), state.boxes)
        return state.replace(
            boxes=boxes,
            step=state.step + 1,
            fit=modelling.fit(boxes, params.targets[state.target]),
        )

    def observe(self, state: BoxState, params: BoxParams) -> dict[str, Array]:
        seen = {
            "views": params.views[state.target],
            "boxes": state.boxes.astype(jnp.float32) / _SIZE,
            "step": state.step,
        }
        if self.sees_target:
            seen["target"] = _unpacked(params.targets[state.target]).astype(jnp.float32)
        return seen

    def action_mask(self, state: BoxState, params: BoxParams) -> Array:
        return modelling.allowed(state.boxes, state.step)

    def rule_action(self, observation: PyTree) -> Array:
        """The source's expert.

        Raises:
          ValueError: the target is not observed.
        """
        if not self.sees_target:
            raise ValueError(
                "BoxSculpture: its rule reads the target; make it with sees_target=True"
            )
        coordinates = jnp.round(observation["boxes"] * _SIZE).astype(jnp.int32)
        may_delete = observation["step"] > 0.5 * self.num_steps
        target = rows(observation["target"] > 0.5)
        return modelling.greedy_action(coordinates, target, observation["step"], may_delete)

    @property
    def rule_sees(self) -> tuple[str, ...]:
        return ("target",) if self.sees_target else ()

    def work(self, state: BoxState, params: BoxParams) -> Sculpture:
        """The boxes as voxels, in colours that take turns; later boxes lie over earlier ones."""
        colours = jnp.arange(modelling.NUM_BOXES, dtype=jnp.int32) % len(COLOURS) + 1

        def add(voxels: Array, box: tuple[Array, Array]) -> tuple[Array, None]:
            covered = _unpacked(modelling.cells(box[0]))
            return jnp.where(covered, box[1].astype(jnp.uint8), voxels), None

        nothing = jnp.zeros((_SIZE,) * 3, jnp.uint8)
        voxels, _ = jax.lax.scan(add, nothing, (state.boxes, colours))
        target = _unpacked(params.targets[state.target]).astype(jnp.uint8)
        return Sculpture(voxels=voxels, length=state.step, target=target)


def _unpacked(words: Array) -> Array:
    """bool[16, 16, 16] by x, y and z, of rows along x."""
    places = jnp.arange(_SIZE, dtype=jnp.uint32)
    return ((words[None] >> places[:, None, None]) & 1).astype(jnp.bool_)
