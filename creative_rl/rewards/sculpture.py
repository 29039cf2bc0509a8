"""Named reward terms for sculptures of voxels.

All are gains: what a measure from 0 to 1 has grown by in this step, so that they sum to what the
finished sculpture is worth. They read a transition whose states carry `scores`, the measures'
values by name.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from creative_rl.ops import voxels
from creative_rl.typing import Array, PyTree, Term, Transition


class View(NamedTuple):
    """What measures look at."""

    solid: Array  # bool[N, N, N]
    materials: Array  # int32[K]: voxels of each
    target: Array | None  # bool[N, N, N] where there is one
    params: PyTree


def _surface(view: View) -> Array:
    return voxels.nearness(voxels.surface(view.solid), view.params.wanted_surface)


def _mass(view: View) -> Array:
    share = voxels.volume(view.solid) / view.params.budget.astype(jnp.float32)
    return voxels.nearness(share, view.params.wanted_mass)


def _likeness(view: View) -> Array:
    if view.target is None:
        raise ValueError("likeness: it needs a target to be like; take the goal 'copy'")
    return voxels.overlap(view.solid, view.target)


MEASURES: dict[str, Callable[[View], Array]] = {
    "likeness": _likeness,
    "stability": lambda view: voxels.stability(view.solid),
    "support": lambda view: voxels.support(view.solid),
    "symmetry": lambda view: voxels.symmetry(view.solid),
    "surface": _surface,
    "mass": _mass,
    "silhouette": lambda view: voxels.silhouette_complexity(view.solid),
    "materials": lambda view: voxels.evenness(view.materials),
}
"""Float32 scalars in 0 .. 1 by the name of the term that is their gain; of nothing they are 0."""


def _gain(name: str, source: str, weight: float = 1.0) -> Term:
    def gain(seen: Transition) -> Array:
        return seen.next_state.scores[name] - seen.state.scores[name]

    return Term(name, gain, weight, source)


LIKENESS = _gain("likeness", "IoU of voxels, Lin et al., ECCV 2020, section 3.2")
COPY_TERMS = (LIKENESS,)

_SHARE = 1 / 7
_RULES = "ops.voxels"
STABILITY = _gain("stability", _RULES, _SHARE)
SUPPORT = _gain("support", _RULES, _SHARE)
SYMMETRY = _gain("symmetry", _RULES, _SHARE)
SURFACE = _gain("surface", _RULES, _SHARE)
MASS = _gain("mass", _RULES, _SHARE)
SILHOUETTE = _gain("silhouette", _RULES, _SHARE)
MATERIALS = _gain("materials", _RULES, _SHARE)
FREE_TERMS = (STABILITY, SUPPORT, SYMMETRY, SURFACE, MASS, SILHOUETTE, MATERIALS)
