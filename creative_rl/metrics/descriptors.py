"""What tells works of a kind apart: numbers of a whole work, by which archives are laid out.

Each is a pure function of one work, a float32 scalar, with a range in which works of such sizes lie
(of the work's arrays it reads the shapes alone). See `stores.archive`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp

from creative_rl.ops import composition
from creative_rl.ops.grid_search import count_regions, regions_and_path
from creative_rl.typing import Array, PyTree
from creative_rl.works.canvas import Canvas
from creative_rl.works.level import Level
from creative_rl.works.melody import Melody
from creative_rl.works.sculpture import Sculpture

_FIRST_PITCH = 2  # events before it are none


class Descriptor(NamedTuple):
    """A number of a work, and the ends of its range."""

    fn: Callable[[PyTree], Array]
    range: Callable[[PyTree], tuple[float, float]]


def _share(fn: Callable[[PyTree], Array]) -> Descriptor:
    return Descriptor(fn, lambda work: (0.0, 1.0))


def is_open(level: Level) -> Array:
    """bool[H, W]: the tiles that are not solid.

    Raises:
      ValueError: none of the level's tiles has the name solid.
    """
    if "solid" not in level.names:
        raise ValueError(
            f"descriptors of levels ask for a tile named solid, got {', '.join(level.names)}"
        )
    return level.tiles != level.names.index("solid")


def path_length(level: Level) -> Array:
    """Steps of the longest shortest way past solid tiles, as `grid_search.regions_and_path`."""
    return regions_and_path(is_open(level))[1].astype(jnp.float32)


def _longest(level: Level) -> tuple[float, float]:
    """A way that winds through every second row."""
    height, width = level.tiles.shape[-2:]
    return 0.0, float((height + 1) // 2 * width + height // 2)


def wall_share(level: Level) -> Array:
    """Share of the tiles that are solid."""
    return (~is_open(level)).mean(dtype=jnp.float32)


def regions(level: Level) -> Array:
    """How many regions the tiles make that are not solid."""
    return count_regions(is_open(level)).astype(jnp.float32)


def _most_regions(level: Level) -> tuple[float, float]:
    height, width = level.tiles.shape[-2:]
    return 0.0, float((height * width + 1) // 2)


def full_share(sculpture: Sculpture) -> Array:
    """Share of the voxels that are full."""
    return (sculpture.voxels > 0).mean(dtype=jnp.float32)


def height_share(sculpture: Sculpture) -> Array:
    """Height of the highest full voxel, 1 at the top of the grid and 0 for nothing."""
    is_full = (sculpture.voxels > 0).any(axis=(0, 1))
    layers = jnp.arange(1, is_full.shape[0] + 1, dtype=jnp.float32)
    return jnp.where(is_full, layers, 0.0).max() / is_full.shape[0]


def ink_share(canvas: Canvas) -> Array:
    """Mean distance of the pixels from the background, 0 .. 1."""
    return composition.ink(_picture(canvas), canvas.background).mean()


def contrast(canvas: Canvas) -> Array:
    """As `ops.composition.contrast`."""
    return composition.contrast(_picture(canvas))


def _picture(canvas: Canvas) -> Array:
    return jnp.asarray(canvas.pixels, jnp.float32) / 255


def note_share(melody: Melody) -> Array:
    """Share of the steps at which a note begins."""
    return _begins(melody).sum(dtype=jnp.float32) / jnp.maximum(melody.length, 1)


def pitch_span(melody: Melody) -> Array:
    """Semitones from the lowest note to the highest; 0 for fewer than two."""
    begins = _begins(melody)
    lowest = jnp.where(begins, melody.events, jnp.iinfo(jnp.int32).max).min()
    highest = jnp.where(begins, melody.events, 0).max()
    return jnp.maximum(highest - lowest, 0).astype(jnp.float32)


def _begins(melody: Melody) -> Array:
    is_there = jnp.arange(melody.events.shape[-1], dtype=jnp.int32) < melody.length
    return (jnp.asarray(melody.events) >= _FIRST_PITCH) & is_there


DESCRIPTORS: Mapping[type, Mapping[str, Descriptor]] = MappingProxyType(
    {
        Level: {
            "path_length": Descriptor(path_length, _longest),
            "wall_share": _share(wall_share),
            "regions": Descriptor(regions, _most_regions),
        },
        Sculpture: {"full_share": _share(full_share), "height_share": _share(height_share)},
        Canvas: {"ink_share": _share(ink_share), "contrast": _share(contrast)},
        Melody: {
            "note_share": _share(note_share),
            "pitch_span": Descriptor(pitch_span, lambda work: (0.0, 36.0)),
        },
    }
)
"""By the kind of work and the name; the first ones are those that are taken unless others are
asked for."""
