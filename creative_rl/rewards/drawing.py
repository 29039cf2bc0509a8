"""Named reward terms for drawings.

Most are gains: what a measure of the canvas, from 0 to 1, has grown by in this step, so that they
sum to what the finished picture is worth above the empty one. They read a transition whose states
carry `scores`, the measures' values by name; a slow move is told by the states' `place`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from creative_rl.ops import composition
from creative_rl.typing import Array, PyTree, Term, Transition

_COMPOSITION = "ops.composition"


class View(NamedTuple):
    """What measures look at."""

    picture: Array  # float32[H, W, C], 0 .. 1
    target: Array | None  # float32[H, W, C] where there is one
    blank_error: Array  # float32: mean squared error of the empty canvas to the target
    background: float  # grey level of the empty canvas
    params: PyTree
    likelihood_fn: Callable[[Array], Array]  # what a judge thinks of a picture, 0 .. 1


def squared_error(picture: Array, target: Array) -> Array:
    """Mean over pixels and channels, float32 scalar; pictures in 0 .. 1."""
    return jnp.square(picture - target).mean()


def _likeness(view: View) -> Array:
    if view.target is None:
        raise ValueError("likeness: it needs a target to be like; take the goal 'copy'")
    return 1.0 - squared_error(view.picture, view.target) / view.blank_error


def _of_ink(measure: Callable[[Array], Array]) -> Callable[[View], Array]:
    return lambda view: measure(composition.ink(view.picture, view.background))


def _coverage(view: View) -> Array:
    return composition.coverage(
        composition.ink(view.picture, view.background), view.params.wanted_coverage
    )


MEASURES: dict[str, Callable[[View], Array]] = {
    "likeness": _likeness,
    "balance": _of_ink(composition.balance),
    "symmetry": _of_ink(composition.symmetry),
    "contrast": lambda view: composition.contrast(view.picture),
    "harmony": lambda view: composition.harmony(view.picture),
    "complexity": lambda view: composition.complexity(view.picture),
    "coverage": _coverage,
    "style": lambda view: view.likelihood_fn(view.picture),
}
"""Float32 scalars by the name of the term that is their gain; all but `likeness`, which has no
lower bound, are in 0 .. 1."""


def _gain(name: str, source: str, weight: float = 1.0) -> Term:
    def gain(seen: Transition) -> Array:
        return seen.next_state.scores[name] - seen.state.scores[name]

    return Term(name, gain, weight, source)


def _slow_move(seen: Transition) -> Array:
    """1 for a move of less than five pixels."""
    moved = jnp.abs(seen.next_state.place - seen.state.place).max()
    return (moved < 5).astype(jnp.float32)


LIKENESS = _gain("likeness", "Learning to Paint, ICCV 2019: (L2 before - L2 after) / L2 at first")
COPY_TERMS = (LIKENESS,)

_SHARE = 1 / 6
BALANCE = _gain("balance", _COMPOSITION, _SHARE)
SYMMETRY = _gain("symmetry", _COMPOSITION, _SHARE)
CONTRAST = _gain("contrast", _COMPOSITION, _SHARE)
HARMONY = _gain("harmony", _COMPOSITION, _SHARE)
COMPLEXITY = _gain("complexity", _COMPOSITION, _SHARE)
COVERAGE = _gain("coverage", _COMPOSITION, _SHARE)
FREE_TERMS = (BALANCE, SYMMETRY, CONTRAST, HARMONY, COMPLEXITY, COVERAGE)

STYLE = _gain("style", "SPIRAL, ICML 2018, equation 3, at every step as in Learning to Paint")
STYLE_TERMS = (STYLE,)

SLOW_MOVE = Term("slow_move", _slow_move, -0.005, "Doodle-SDQ, arXiv 1810.05977, section 3.3")
