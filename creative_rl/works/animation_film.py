"""An animation as pictures: its frames, GIF and MP4, and a sheet of some of them as PNG."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops import sprites
from creative_rl.ops.levels import as_floats
from creative_rl.typing import Array
from creative_rl.works import film_file, film_sheet
from creative_rl.works.animation import SIZES, Animation, on_host
from creative_rl.works.pillow import pillow

_NUM_SAMPLED = 16  # frames that a palette is made from: scenes may be short


def frames(animation: Animation, height: int | None = None, width: int | None = None) -> np.ndarray:
    """One animation's frames, uint8[length, height, width, 3].

    Args:
      animation: with at least one frame.
      height: in pixels, the animation's own where it is None, as `width`; the picture is stretched
        to another aspect, but for the sprites, which stay round.
      width: in pixels.

    Raises:
      ValueError: the animation is a batch, a field is out of range, or it has no frame yet.
    """
    one = on_host(animation)
    size = tuple(
        own if given is None else given for own, given in ((one.height, height), (one.width, width))
    )
    if not all(SIZES[0] <= side <= SIZES[1] for side in size):
        raise ValueError(f"frames: height and width must be in {SIZES[0]}..{SIZES[1]}, got {size}")
    if not int(one.length):
        raise ValueError("Animation: it has no frame yet; take a step, or save it as .json")
    drawn = _render(jax.tree.map(jnp.asarray, one), *size)
    return np.asarray(drawn)[: int(one.length)]


def encode_gif(animation: Animation) -> bytes:
    """One animation as the bytes of an animated GIF, which plays over and over.

    Raises:
      ValueError: as `frames` does.
      ImportError: Pillow is not installed.
    """
    pillow()
    shown = frames(animation)
    return film_file.gif(shown, film_file.milliseconds(len(shown), animation.rate), _NUM_SAMPLED)


def encode_mp4(animation: Animation) -> bytes:
    """One animation as the bytes of an MP4 file (H.264).

    Raises:
      ValueError: as `frames` does.
      ImportError: PyAV is not installed.
    """
    return film_file.mp4(frames(animation), animation.height, animation.width, animation.rate)


def encode_png(animation: Animation) -> bytes:
    """Up to twelve frames, spread evenly from the first to the last, with their numbers.

    Raises:
      ValueError: as `frames` does.
      ImportError: Pillow is not installed.
    """
    pillow()
    return film_sheet.encode(frames(animation))


@functools.partial(jax.jit, static_argnums=(1, 2))
def _render(animation: Animation, height: int, width: int) -> Array:
    """uint8[F, H, W, 3], also of what is past the length."""
    colours, backdrops = (
        as_floats(jnp.asarray(x)) for x in (animation.colours, animation.backdrops)
    )

    def draw(row: tuple[Array, Array, Array, Array]) -> Array:
        who, pose, camera, scene = row
        member = jnp.maximum(who, 0)
        return sprites.frame(
            sprites.Sprites(
                shape=jnp.where(who >= 0, animation.shapes[member], -1),
                red=colours[member, 0],
                green=colours[member, 1],
                blue=colours[member, 2],
                x=pose[:, 0],
                y=pose[:, 1],
                radius=jnp.maximum(pose[:, 2], 1e-3),
                turn=pose[:, 3],
            ),
            sprites.Camera(camera[0], camera[1], jnp.maximum(camera[2], 1e-3)),
            scene,
            backdrops[scene, 0],
            backdrops[scene, 1],
            height,
            width,
        )

    rows = (animation.sprites, animation.poses, animation.cameras, animation.scenes)
    return jax.lax.map(draw, rows)
