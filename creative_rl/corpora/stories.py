"""Stories to stage: who is to be where, when, and in which scene; and how lively it is to be."""

from typing import NamedTuple

import numpy as np

RHYTHMS = {
    "stroll": (0.35, 0.35, 0.35, 0.35, 0.35),
    "build-up": (0.1, 0.25, 0.45, 0.7, 1.0),
    "winding down": (0.9, 0.7, 0.45, 0.2, 0.0),
    "arch": (0.1, 0.55, 1.0, 0.55, 0.1),
    "chase": (0.3, 0.8, 1.0, 1.0, 0.2),
}
"""Motion in 0..1 at the start, the quarters and the end: what we think of them, no measurement."""
_ACROSS, _DOWN = (0.15, 0.85), (0.3, 0.75)  # where somebody may be wanted
_CHANGE = 0.5  # chance that the next beat is in another scene


class Stories(NamedTuple):
    """The beats of P stories, M each, in order of time."""

    when: np.ndarray
    """int32[P, M]: steps after which it is to be so, from 1, each later than the one before"""
    who: np.ndarray
    """int32[P, M]: the sprite"""
    scene: np.ndarray
    """int32[P, M]"""
    x: np.ndarray
    """float32[P, M]: where the sprite is to be, in widths"""
    y: np.ndarray
    """float32[P, M]: in heights"""


def stories(
    num: int, num_steps: int, num_beats: int, num_sprites: int, num_scenes: int, seed: int
) -> Stories:
    """Made by a rule: beats are spread evenly, the last at the end; the first is in scene 0.

    Sprites and places are drawn uniformly; half of the later beats are in another scene than the
    one before.

    >>> stories(2, 8, 4, 2, 2, seed=0).when.tolist()
    [[2, 4, 6, 8], [2, 4, 6, 8]]
    """
    rng = np.random.default_rng(seed)
    shape = (num, num_beats)
    when = np.arange(1, num_beats + 1) * num_steps // num_beats
    other = rng.integers(1, max(num_scenes, 2), shape) * (rng.random(shape) < _CHANGE)
    other[:, 0] = 0
    return Stories(
        when=np.tile(when.astype(np.int32), (num, 1)),
        who=rng.integers(0, num_sprites, shape).astype(np.int32),
        scene=(other.cumsum(axis=1) % num_scenes).astype(np.int32),
        x=rng.uniform(*_ACROSS, shape).astype(np.float32),
        y=rng.uniform(*_DOWN, shape).astype(np.float32),
    )


def rhythms(num_steps: int) -> np.ndarray:
    """float32[C, num_steps]: the curves of `RHYTHMS`, straight lines between their five places, and
    last one that alternates between 0.15 and 0.85.

    >>> rhythms(5)[3].tolist() == np.float32(RHYTHMS["arch"]).tolist()
    True
    """
    steps, places = np.linspace(0, 1, num_steps), np.linspace(0, 1, 5)
    curves = [np.interp(steps, places, curve) for curve in RHYTHMS.values()]
    return np.array([*curves, np.where(np.arange(num_steps) % 2, 0.85, 0.15)], np.float32)
