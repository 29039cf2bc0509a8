"""Sprites that move before a backdrop, as a work: what it is, and its check."""

import itertools

import flax.struct
import jax
import numpy as np

from creative_rl.ops.sprites import SHAPES
from creative_rl.typing import Array
from creative_rl.works.batches import check_single

SIZES = (16, 2048)  # pixels of a side, least and most
_RATES = (1, 60)
_PLACES = (-8.0, 9.0)  # of sprites and cameras
_RADII = (1e-3, 4.0)
_ZOOMS = (0.05, 20.0)
_TURNS = 1e6
_ARRAYS = (
    "sprites", "poses", "cameras", "scenes", "length", "shapes", "colours", "backdrops",
)  # fmt: skip


class Animation(flax.struct.PyTreeNode):
    """Who is where in every frame, and what the camera sees of it.

    F frames at most, S sprites in a frame, from back to front, N members of the cast, B backdrops.
    The world is as large as the picture of a camera at rest, which is at (0.5, 0.5) with zoom 1: x
    goes right in its widths, y down in its heights; radii are in its shorter sides, and turns in
    whole rounds clockwise. Entries from `length` on are 0 and mean nothing. A batch of animations
    has leading axes on every array.
    """

    sprites: Array | np.ndarray
    """int32[F, S]: who it is, a number of the cast; -1 for nobody"""
    poses: Array | np.ndarray
    """float32[F, S, 4]: x, y, radius, turn"""
    cameras: Array | np.ndarray
    """float32[F, 3]: x and y of the middle of what is seen, and zoom"""
    scenes: Array | np.ndarray
    """int32[F]: the number of the backdrop"""
    length: Array | np.ndarray
    """int32: frames so far"""
    shapes: Array | np.ndarray
    """int32[N]: of the cast, numbers of `ops.sprites.SHAPES`"""
    colours: Array | np.ndarray
    """uint8[N, 3]: of the cast, red, green, blue"""
    backdrops: Array | np.ndarray
    """uint8[B, 2, 3]: colours of sky and ground"""
    height: int = flax.struct.field(pytree_node=False, default=180)
    """of the picture in pixels, even"""
    width: int = flax.struct.field(pytree_node=False, default=320)
    """of the picture in pixels, even"""
    rate: int = flax.struct.field(pytree_node=False, default=12)
    """frames a second"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the moving picture; the first eight of a batch."""
        from creative_rl.works.animation_film import encode_gif
        from creative_rl.works.film_card import film_html

        return film_html(self, summary, has_frames, encode_gif, width=320)


def on_host(animation: Animation) -> Animation:
    """One animation with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, arrays do not fit each other, or a field is out of range.
    """
    leaves = jax.device_get([getattr(animation, name) for name in _ARRAYS])
    one = dict(zip(_ARRAYS, map(np.asarray, leaves), strict=True))
    check_single("Animation", "sprites", one["sprites"], 2, one["length"])
    _check_picture(animation)
    _check_forms(one)
    length = one["length"]
    if not 0 <= length <= len(one["sprites"]):
        raise ValueError(f"Animation: length must be in 0..{len(one['sprites'])}, got {length}")
    shown = {name: one[name][: int(length)] for name in ("sprites", "poses", "cameras", "scenes")}
    poses, cameras = shown["poses"], shown["cameras"]
    poses = np.where((shown["sprites"] >= 0)[..., None], poses, np.float32(1))  # of those there are
    for name, values, low, high in (
        ("shapes", one["shapes"], 0, len(SHAPES) - 1),
        ("sprites", shown["sprites"], -1, len(one["shapes"]) - 1),
        ("scenes", shown["scenes"], 0, len(one["backdrops"]) - 1),
        ("places in poses", poses[..., :2], *_PLACES),
        ("radii in poses", poses[..., 2], *_RADII),
        ("turns in poses", poses[..., 3], -_TURNS, _TURNS),
        ("places of cameras", cameras[..., :2], *_PLACES),
        ("zooms of cameras", cameras[..., 2], *_ZOOMS),
    ):
        inside = (values >= low) & (values <= high)  # which NaN is not
        if not inside.all():
            wrong = values[~inside].flat[0]
            raise ValueError(f"Animation: {name} must be in {low}..{high}, got {wrong}")
    return animation.replace(**one)


def has_frames(animation: Animation) -> bool:
    """Whether there is anything to see."""
    return int(on_host(animation).length) > 0


def summary(animation: Animation) -> str:
    """One line: how long it is, of how many sprites, and its scenes in their order."""
    one = on_host(animation)
    num = int(one.length)
    frames = f"{num} frame" if num == 1 else f"{num} frames"
    size = one.sprites.shape[1]
    sprites = f"{size} sprite" if size == 1 else f"{size} sprites"
    line = f"{frames} of {one.width} x {one.height} pixels, {num / one.rate:.1f} s, {sprites}"
    order = [scene for scene, _ in itertools.groupby(one.scenes[:num].tolist())]
    if not order:
        return line
    names = ", ".join(str(scene + 1) for scene in order)
    return f"{line}, {'scene' if len(order) == 1 else 'scenes'} {names}"


def _check_picture(animation: Animation) -> None:
    for name in ("height", "width"):
        side = getattr(animation, name)
        low, high = SIZES
        if not _is_whole(side, low, high) or side % 2:
            raise ValueError(
                f"Animation: {name} must be an even number of pixels in {low}..{high}, got {side!r}"
            )
    if not _is_whole(animation.rate, *_RATES):
        low, high = _RATES
        raise ValueError(
            f"Animation: rate must be whole frames a second in {low}..{high}, got "
            f"{animation.rate!r}"
        )


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check_forms(one: dict[str, np.ndarray]) -> None:
    num_frames, num_sprites = one["sprites"].shape
    num_cast, num_backdrops = (one[name].shape[:1] for name in ("shapes", "backdrops"))
    for name, kind, shape in (
        ("sprites", "integer", (num_frames, num_sprites)),
        ("poses", "float32", (num_frames, num_sprites, 4)),
        ("cameras", "float32", (num_frames, 3)),
        ("scenes", "integer", (num_frames,)),
        ("length", "integer", ()),
        ("shapes", "integer", (*num_cast,)),
        ("colours", "uint8", (*num_cast, 3)),
        ("backdrops", "uint8", (*num_backdrops, 2, 3)),
    ):
        array = one[name]
        fits = array.dtype.kind in "iu" if kind == "integer" else array.dtype.name == kind
        if not fits or array.shape != shape or (name in ("shapes", "backdrops") and array.ndim < 1):
            raise ValueError(
                f"Animation: {name} must be {kind} of the shape {list(shape)}, got {array.dtype} "
                f"of {list(array.shape)}"
            )
