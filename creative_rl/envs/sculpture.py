"""Sculpt on a grid of voxels: add, carve and paint, under gravity, freely or after a solid."""

import dataclasses
from typing import Literal

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.solids import check_solids, standing_solids
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import voxels
from creative_rl.rewards import sculpture as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.typing import Array, Key, Term
from creative_rl.works.sculpture import COLOURS, Sculpture

Goal = Literal["free", "copy"]

DIRECTIONS = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
"""Left, right, to the front, to the back, down, up."""
_TERMS: dict[str, tuple[Term, ...]] = {"free": rewards.FREE_TERMS, "copy": rewards.COPY_TERMS}
_LEAST_COPIED = 8


class SculptureState(flax.struct.PyTreeNode):
    """What stands, and where the tool is."""

    voxels: Array  # uint8[N, N, N]: 0 empty, 1 .. K a material
    cursor: Array  # int32[3]: x, y, z
    step: Array  # int32
    target: Array  # int32: which of the targets
    scores: dict[str, Array]  # float32 by measure


class SculptureParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the material, what the rules want, and the targets.

    `VoxelSculpture.params_of` has other targets.
    """

    weights: dict[str, Array]
    budget: Array  # int32: voxels that there is material for
    wanted_mass: Array  # float32: share of the budget, between 0 and 1
    wanted_surface: Array  # float32: of `ops.voxels.surface`, between 0 and 1
    targets: Array | None  # bool[M, N, N, N], to copy
    views: Array | None  # float32[M, 3, N, N]: `ops.voxels.depth_maps` of them


@dataclasses.dataclass(frozen=True, kw_only=True)
class VoxelSculpture(Environment):
    """Move a tool through a grid, and add, carve or paint a voxel wherever it comes.

    | | |
    |---|---|
    | id | `sculpture-free`; `sculpture-copy` has `goal="copy"`, one material and 256 steps |
    | version | 1 |
    | observation | `voxels` Box(0, 1, (N, N, N)), the material over K by x, y, z, 0 empty; \
`cursor` MultiDiscrete((N, N, N)); `around` Box(0, 1, (27,)), the same of the 3 x 3 x 3 cells \
about the cursor; `left` 0 .. 1, material over the budget; `time` 0 .. 1; to copy also `views` \
Box(0, 1, (3, N, N)): how near the target comes, from the right, the front and above |
    | action | Discrete(6 (K + 2)): (K + 2) * direction + tool; the cursor goes left, right, to \
the front, to the back, down or up, and there does nothing (0), adds the material 1 .. K to an \
empty cell or paints a full one with it, or carves (K + 1); masked where that is not possible |
    | reward terms | free, 1 / 7 each: `stability`, `support`, `symmetry`, `surface`, `mass`, \
`silhouette`, `materials`; copy: `likeness` (1.0): gains of measures from 0 to 1, so that they sum \
to what the last sculpture is worth |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    Gravity: a voxel is added on the ground or beside, above or below another. What no longer is
    joined to the ground after a carving falls off, and its material is back in the budget. The
    cursor starts on the ground in the middle. An action that is not possible moves the cursor,
    where that is, and does nothing else.

    `stability` is how far the ground may be tilted, `support` what could be printed as it stands,
    `symmetry` the mirror images, `surface` and `mass` how near they are to what the params want,
    `silhouette` how complex the three outlines are, `materials` how evenly they are used
    (`ops.voxels`). `likeness` is intersection over union with a target, which is drawn at reset
    from twelve solids (`corpora.solids.standing_solids`) and seen only from three sides.

    Deviations: no published environment or table is followed; the measures have sources of their
    own (`ops.voxels`), their equal weights and what is wanted are ours.

    Attributes:
      goal: `free`: by the rules; `copy` a target.
      size: N, cells on a side, 4 to 32, 8 at least to copy.
      num_materials: K, 1 to 8.
      num_steps: of an episode, 1 to 4096.
      terms: the goal's where there are none.
    """

    goal: Goal = "free"
    size: int = 8
    num_materials: int = 4
    num_steps: int = 128
    terms: tuple[Term, ...] = ()

    def __post_init__(self):
        name = "VoxelSculpture"
        if self.goal not in _TERMS:
            raise ValueError(f"{name}: goal must be one of {', '.join(_TERMS)}, got {self.goal!r}")
        if not self.terms:
            object.__setattr__(self, "terms", _TERMS[self.goal])
        super().__post_init__()
        least, why = (_LEAST_COPIED, " to copy") if self.goal == "copy" else (4, "")
        check_whole(name, "size", self.size, least, voxels.LARGEST_SIZE, why)
        check_whole(name, "num_materials", self.num_materials, 1, len(COLOURS))
        check_whole(name, "num_steps", self.num_steps, 1, 4096)
        if self.goal != "copy" and any(term.name == "likeness" for term in self.terms):
            raise ValueError(f"{name}: the term likeness needs goal 'copy', got {self.goal!r}")

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def num_tools(self) -> int:
        """Nothing, each of the materials, and carving."""
        return self.num_materials + 2

    @property
    def action_space(self) -> Discrete:
        return Discrete(len(DIRECTIONS) * self.num_tools)

    @property
    def observation_space(self) -> Dict:
        size = self.size
        views = {"views": Box(0.0, 1.0, (3, size, size))} if self.goal == "copy" else {}
        return Dict(
            {
                "voxels": Box(0.0, 1.0, (size, size, size)),
                "cursor": MultiDiscrete((size, size, size)),
                "around": Box(0.0, 1.0, (27,)),
                "left": Box(0.0, 1.0),
                "time": Box(0.0, 1.0),
                **views,
            }
        )

    @property
    def default_params(self) -> SculptureParams:
        return self.params_of(standing_solids(self.size) if self.goal == "copy" else None)

    def params_of(self, targets: np.ndarray | None) -> SculptureParams:
        """Default params with these targets, bool[M, N, N, N] by x, y and z; None with none.

        Raises:
          ValueError: they are of another size, none or empty, or missing or given against the
            goal.
        """
        shape = None if targets is None else np.shape(targets)
        wanted = (self.size,) * 3
        if (shape is None) == (self.goal == "copy") or (shape and shape[1:] != wanted):
            asks = f"bool[M, {self.size}, {self.size}, {self.size}]"
            raise ValueError(
                f"VoxelSculpture: targets must be {asks if self.goal == 'copy' else None} with "
                f"the goal {self.goal!r}, got {None if shape is None else list(shape)}"
            )
        if targets is not None:
            check_solids("VoxelSculpture", targets)
        solid = None if targets is None else jnp.asarray(targets, jnp.bool_)
        share = 1.0 if self.goal == "copy" else 3 / 16
        return SculptureParams(
            weights=self.default_weights,
            budget=jnp.int32(round(share * self.size**3)),
            wanted_mass=jnp.float32(0.75),
            wanted_surface=jnp.float32(0.5),
            targets=solid,
            views=None if solid is None else jax.vmap(voxels.depth_maps)(solid),
        )

    def initial_state(self, key: Key, params: SculptureParams) -> SculptureState:
        num = 1 if params.targets is None else params.targets.shape[0]
        state = SculptureState(
            voxels=jnp.zeros((self.size,) * 3, jnp.uint8),
            cursor=jnp.array([self.size // 2, self.size // 2, 0], jnp.int32),
            step=jnp.int32(0),
            target=jax.random.randint(key, (), 0, num, jnp.int32),
            scores={},
        )
        return state.replace(scores=self._scores(state, params))

    def next_state(
        self, key: Key, state: SculptureState, action: Array, params: SculptureParams
    ) -> SculptureState:
        action = jnp.clip(action, 0, self.action_space.num - 1).astype(jnp.int32)
        direction, tool = jnp.divmod(action, self.num_tools)
        is_possible = self.action_mask(state, params)[action]
        to = state.cursor + jnp.asarray(DIRECTIONS, jnp.int32)[direction]
        cursor = jnp.where((to >= 0).all() & (to < self.size).all(), to, state.cursor)
        works = is_possible & (tool > 0)
        material = jnp.where(tool <= self.num_materials, tool, 0).astype(jnp.uint8)
        # By comparison: under `vmap` a scatter is a slow loop.
        x, y, z = (jnp.arange(self.size, dtype=jnp.int32) == at for at in cursor)
        is_here = x[:, None, None] & y[None, :, None] & z[None, None]
        changed = jnp.where(is_here & works, material, state.voxels)
        stays = voxels.standing(changed > 0)
        state = state.replace(
            voxels=jnp.where(stays, changed, jnp.uint8(0)), cursor=cursor, step=state.step + 1
        )
        return state.replace(scores=self._scores(state, params))

    def observe(self, state: SculptureState, params: SculptureParams) -> dict[str, Array]:
        level = state.voxels.astype(jnp.float32) / self.num_materials
        around = jax.lax.dynamic_slice(jnp.pad(level, 1), list(state.cursor), (3, 3, 3))
        budget = params.budget.astype(jnp.float32)
        left = 1.0 - voxels.volume(state.voxels > 0) / budget
        seen = {
            "voxels": level,
            "cursor": state.cursor,
            "around": around.ravel(),
            "left": jnp.maximum(left, 0.0),
            "time": state.step.astype(jnp.float32) / self.num_steps,
        }
        return seen if params.views is None else {**seen, "views": params.views[state.target]}

    def action_mask(self, state: SculptureState, params: SculptureParams) -> Array:
        solid = state.voxels > 0
        to = state.cursor[None] + jnp.asarray(DIRECTIONS, jnp.int32)
        is_inside = ((to >= 0) & (to < self.size)).all(axis=1)
        x, y, z = jnp.clip(to, 0, self.size - 1).T
        there = state.voxels[x, y, z].astype(jnp.int32)
        is_full = there > 0
        has_material = solid.sum(dtype=jnp.int32) < params.budget
        can_add = ~is_full & voxels.beside(solid)[x, y, z] & has_material
        materials = jnp.arange(1, self.num_materials + 1, dtype=jnp.int32)
        puts = jnp.where(is_full[:, None], there[:, None] != materials[None], can_add[:, None])
        tools = jnp.concatenate([jnp.ones_like(is_full)[:, None], puts, is_full[:, None]], axis=1)
        return (is_inside[:, None] & tools).ravel()

    def work(self, state: SculptureState, params: SculptureParams) -> Sculpture:
        """What stands; and, of a copy, the target."""
        target = self._target(state, params)
        return Sculpture(
            voxels=state.voxels,
            length=state.step,
            target=None if target is None else target.astype(jnp.uint8),
        )

    def _target(self, state: SculptureState, params: SculptureParams) -> Array | None:
        return None if params.targets is None else params.targets[state.target]

    def _scores(self, state: SculptureState, params: SculptureParams) -> dict[str, Array]:
        """Of the measures whose gains are among the terms."""
        kinds = range(1, self.num_materials + 1)
        view = rewards.View(
            solid=state.voxels > 0,
            materials=jnp.stack([(state.voxels == k).sum(dtype=jnp.int32) for k in kinds]),
            target=self._target(state, params),
            params=params,
        )
        names = [term.name for term in self.terms]
        return {name: rewards.MEASURES[name](view) for name in names if name in rewards.MEASURES}
