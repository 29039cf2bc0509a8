"""A trained painter's strokes on a picture of any size, coarse to fine.

The run's environment is played on the whole picture, then on the tiles of finer and finer grids,
each stretched to the environment's canvas and carried on from what was painted there, as Learning
to Paint divides its target (Huang, Heng and Zhou, ICCV 2019, section 5 and its released code).
"""

import itertools
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.envs.drawing import Drawing
from creative_rl.experiment.opening import load_states, open_run, seed_state
from creative_rl.ops import raster
from creative_rl.ops.pens import OPACITIES
from creative_rl.typing import Array, Key, Learner, PyTree

LEAST_TILE = 8
"""Pixels of the shorter side of a tile."""


class _Tile(NamedTuple):
    """A part of the picture, in pixels."""

    top: int
    left: int
    bottom: int
    right: int


class RunPainter:
    """Paints with the learner of a run (the first of its seeds); a `painting.Painter`.

    An episode on a tile is kept where it brings the picture nearer, and the one on the whole
    picture whatever it does. It ends early when no tile is left that is large enough.

    Args:
      path: the run directory.

    Attributes:
      channels: that it paints: 1 grey, 3 colours.
      background: grey level of its empty canvas.

    Raises:
      ValueError: it is no run, has no checkpoint, or does not copy pictures with strokes.
    """

    def __init__(self, path: str | os.PathLike):
        run, env, learner = opened = open_run(path)
        if not (isinstance(env, Drawing) and env.goal == "copy" and env.num_strokes > 0):
            raise ValueError(
                f"{run.path} is a run of {run.spec.environment}, whose works are no strokes after "
                "a picture; give one of drawing-copy"
            )
        self._env = env
        self._state = seed_state(load_states(opened), 0)
        self._params = opened.params(self._state)
        self._play = jax.jit(_episode(env, learner))
        self.channels: int = env.channels
        self.background: float = env.background

    def __call__(
        self, picture: np.ndarray, num_strokes: int, background: float, key: Key
    ) -> Iterator[np.ndarray]:
        canvas = np.full_like(picture, round(background * 255))
        left, number, grid = num_strokes, 0, 1
        while min(picture.shape[:2]) // grid >= min(LEAST_TILE, *picture.shape[:2]):
            for tile in _tiles(picture, canvas, grid):
                strokes = self._strokes(picture, canvas, tile, jax.random.fold_in(key, number))
                strokes, number = strokes[:left], number + 1
                after = _painted(canvas, strokes, self._env.horizon * self._env.num_strokes)
                if grid == 1 or _error(after, picture) < _error(canvas, picture):
                    canvas, left = after, left - len(strokes)
                    yield strokes
                if left == 0:
                    return
            grid += 1

    def _strokes(
        self, picture: np.ndarray, canvas: np.ndarray, tile: _Tile, key: Key
    ) -> np.ndarray:
        """One episode's strokes on a tile, in units of the picture; those that are seen."""
        seen = [self._stretched(pixels, tile) for pixels in (picture, canvas)]
        params = self._params.replace(targets=seen[0][None])
        strokes = np.asarray(self._play(params, self._state, key, seen[1]))
        is_seen = strokes[:, OPACITIES].max(axis=1) > 0
        return _on_picture(strokes[is_seen] if is_seen.any() else strokes[:1], tile, picture.shape)

    def _stretched(self, pixels: np.ndarray, tile: _Tile) -> Array:
        """A tile as the environment's canvas: uint8[h, w, C]."""
        part = jnp.asarray(pixels[tile.top : tile.bottom, tile.left : tile.right], jnp.float32)
        part = jax.image.resize(part, self._env.shape, "linear", antialias=True)
        return jnp.clip(jnp.round(part), 0, 255).astype(jnp.uint8)


def _episode(env: Any, learner: Learner) -> Any:
    """`(params, state, key, canvas uint8[h, w, C]) -> float32[S, P]`, the strokes from it on."""

    def play(params: PyTree, state: PyTree, key: Key, canvas: Array) -> Array:
        key_reset, key_steps = jax.random.split(key)
        env_state, timestep = env.reset(key_reset, params)
        if env.differentiable:
            canvas = canvas.astype(jnp.float32) / 255.0
        env_state = env_state.replace(canvas=canvas)
        timestep = timestep.replace(observation=env.observe(env_state, params))

        def advance(carry: PyTree, keys: Key) -> tuple[PyTree, None]:
            env_state, timestep, memory = carry
            action, memory = learner.act(state, keys[0], timestep, memory)
            env_state, timestep = env.transition(keys[1], env_state, action, params)
            return (env_state, timestep, memory), None

        keys = jax.random.split(key_steps, (env.horizon, 2))
        carry = (env_state, timestep, learner.init_memory())
        (env_state, _, _), _ = jax.lax.scan(advance, carry, keys)
        return env_state.strokes

    return play


def _tiles(picture: np.ndarray, canvas: np.ndarray, grid: int) -> list[_Tile]:
    """The grid's tiles, those with the largest error first."""
    rows, columns = (
        np.round(np.linspace(0, length, grid + 1)).astype(int).tolist()
        for length in picture.shape[:2]
    )
    tiles = [
        _Tile(top, left, bottom, right)
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
    ]

    def error(tile: _Tile) -> float:
        part = slice(tile.top, tile.bottom), slice(tile.left, tile.right)
        return _error(canvas[part], picture[part]) * picture[part].size

    return sorted(tiles, key=error, reverse=True)


def _on_picture(strokes: np.ndarray, tile: _Tile, shape: tuple[int, ...]) -> np.ndarray:
    """Strokes on a tile as strokes on the picture; a stretched disc becomes one of its area."""
    height, width = shape[:2]
    tile_height, tile_width = tile.bottom - tile.top, tile.right - tile.left
    moved = strokes.copy()
    moved[:, 0:6:2] = (tile.left + strokes[:, 0:6:2] * tile_width) / width
    moved[:, 1:6:2] = (tile.top + strokes[:, 1:6:2] * tile_height) / height
    moved[:, 6:8] *= math.sqrt(tile_height * tile_width) / max(height, width)
    return np.clip(moved, 0.0, 1.0)


def _error(canvas: np.ndarray, picture: np.ndarray) -> float:
    return float(np.square((canvas.astype(np.float32) - picture) / 255.0).mean())


def _painted(canvas: np.ndarray, strokes: np.ndarray, most: int) -> np.ndarray:
    """The canvas after at most `most` strokes."""
    rows = np.zeros((most, strokes.shape[1]), np.float32)
    rows[: len(strokes)] = strokes
    return np.asarray(_paint(jnp.asarray(canvas), jnp.asarray(rows)))


@jax.jit
def _paint(canvas: Array, strokes: Array) -> Array:
    return jax.lax.scan(lambda canvas, row: (raster.paint(canvas, row), None), canvas, strokes)[0]
