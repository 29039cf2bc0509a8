"""Moves of sprites and a camera as frames: what a director's choice makes of where all are.

A choice is int32[3 S + 2]: for each of S sprites a move, its timing (`ops.staging.EASINGS`) and its
size; the camera's move; 0 to go on, or a cut. Places and radii are in the units of `ops.staging`.
"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops import staging
from creative_rl.ops.staging import EASINGS
from creative_rl.typing import Array

BEFORE = 3
"""Frames before those of a step that a track holds."""
LONG = 0.3
"""The longer way of a sprite in a step."""
SHORT = 0.1
"""The shorter way."""
GROWTH = 1.25
"""The factor of a sprite's radius, and of the zoom, in a step."""
PAN = 0.15
"""The way of the camera in a step, in widths."""
RADII = (0.06, 0.1, 0.25)
"""Of a sprite, in shorter sides: least, at first, most."""
ZOOMS = (0.8, 2.0)
CAMERA = (0.2, 0.8)
"""Where the camera's middle may be, in widths."""


def _directions() -> np.ndarray:
    """float32[17, 2]: no move, then eight short ones clockwise from the right, and eight long."""
    turns = np.arange(8) / 4 * np.pi
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.concatenate([np.zeros((1, 2)), SHORT * ring, LONG * ring]).astype(np.float32)


MOVES = _directions()
NUM_SIZES = 3
"""Smaller, the same, larger."""
CAMERA_MOVES = ((0, 0), (-1, 0), (1, 0), (0, 1), (0, -1))
"""Hold, left, right, nearer, further: pan and zoom."""


class Track(flax.struct.PyTreeNode):
    """Where everybody was: 3 + K frames, S sprites."""

    x: Array  # float32[3 + K, S]
    y: Array  # float32[3 + K, S]
    radius: Array  # float32[3 + K, S]
    turn: Array  # float32[3 + K, S], whole rounds
    camera: Array  # float32[3 + K]: x of the middle of what is seen; its y is 0.5
    zoom: Array  # float32[3 + K]
    half_x: Array  # float32: widths of the picture in a radius of 1
    half_y: Array  # float32: heights of the picture in it

    @property
    def screen_x(self) -> Array:
        """float32[3 + K, S]: shares of the picture."""
        return staging.on_screen(self.x, self.camera, self.zoom)

    @property
    def screen_y(self) -> Array:
        """float32[3 + K, S]: shares of the picture."""
        return staging.on_screen(self.y, jnp.full_like(self.camera, 0.5), self.zoom)


def standing(x: Array, y: Array, num_frames: int, height: int, width: int) -> Track:
    """A track of 3 + `num_frames` frames in which all are at rest.

    Args:
      x: float32[S].
      y: float32[S].
      num_frames: K.
      height: of the picture, in pixels, as `width`.
      width: see height.
    """
    frames, side = BEFORE + num_frames, min(height, width)
    shape = (frames, x.shape[0])
    return Track(
        x=jnp.broadcast_to(x[None], shape),
        y=jnp.broadcast_to(y[None], shape),
        radius=jnp.full(shape, RADII[1], jnp.float32),
        turn=jnp.zeros(shape, jnp.float32),
        camera=jnp.full(frames, 0.5, jnp.float32),
        zoom=jnp.ones(frames, jnp.float32),
        half_x=jnp.float32(side / width),
        half_y=jnp.float32(side / height),
    )


def moved(track: Track, choice: Array) -> Track:
    """The last three frames of a track, and the K of a step with this choice.

    Sprites stay in 0..1 and roll as they move: a way of their circumference is a round. After a
    cut the camera starts from rest, and its move is done at once.
    """
    num_frames = track.x.shape[0] - BEFORE
    sprites = choice[:-2].reshape(-1, 3)
    move, easing, size = sprites[:, 0], sprites[:, 1], sprites[:, 2]
    done = jax.vmap(staging.progress, (0, None), 1)(easing, num_frames)
    x0, y0, radius0, turn0 = track.x[-1], track.y[-1], track.radius[-1], track.turn[-1]
    moves = jnp.asarray(MOVES)
    way_x = jnp.clip(x0 + moves[move, 0], 0.0, 1.0) - x0
    way_y = jnp.clip(y0 + moves[move, 1], 0.0, 1.0) - y0
    factor = jnp.array([1 / GROWTH, 1.0, GROWTH], jnp.float32)[size]
    ratio = jnp.clip(radius0 * factor, RADII[0], RADII[2]) / radius0
    roll = way_x / (2 * jnp.pi * radius0 * track.half_x)
    camera, zoom = _camera_moved(track, choice[-2], choice[-1] > 0, num_frames)
    return track.replace(
        x=_joined(track.x, jnp.clip(x0[None] + way_x[None] * done, 0.0, 1.0)),
        y=_joined(track.y, jnp.clip(y0[None] + way_y[None] * done, 0.0, 1.0)),
        radius=_joined(
            track.radius, jnp.clip(radius0[None] * ratio[None] ** done, RADII[0], RADII[2])
        ),
        turn=_joined(track.turn, turn0[None] + roll[None] * done),
        camera=_joined(track.camera, camera),
        zoom=_joined(track.zoom, zoom),
    )


def _camera_moved(track: Track, move: Array, is_cut: Array, num_frames: int) -> tuple[Array, Array]:
    """float32[K] each: x, slow in and out, and zoom."""
    pan, nearer = (jnp.array(column, jnp.float32) for column in zip(*CAMERA_MOVES, strict=True))
    x0 = jnp.where(is_cut, 0.5, track.camera[-1])
    zoom0 = jnp.where(is_cut, 1.0, track.zoom[-1])
    x1 = jnp.clip(x0 + PAN * pan[move], *CAMERA)
    ratio = jnp.clip(zoom0 * jnp.float32(GROWTH) ** nearer[move], *ZOOMS) / zoom0
    at_once, in_and_out = EASINGS.index("at once"), EASINGS.index("slow in and out")
    easing = jnp.where(is_cut, jnp.int32(at_once), jnp.int32(in_and_out))
    done = staging.progress(easing, num_frames)
    return x0 + (x1 - x0) * done, jnp.clip(zoom0 * ratio**done, *ZOOMS)


def _joined(track: Array, frames: Array) -> Array:
    return jnp.concatenate([track[-BEFORE:], frames])
