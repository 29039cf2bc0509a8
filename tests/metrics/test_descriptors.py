"""Descriptors of works, by hand, and that every one stays in its range."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.metrics.descriptors import DESCRIPTORS, path_length
from creative_rl.works import Canvas, Level, Melody, Sculpture


def level(*rows, names=("empty", "solid")):
    tiles = jnp.array([[".#".index(tile) for tile in row] for row in rows], jnp.uint8)
    return Level(tiles, jnp.zeros(0, jnp.int8), jnp.int32(0), names, ".#")


def told(work):
    return {name: round(float(one.fn(work)), 4) for name, one in DESCRIPTORS[type(work)].items()}


def test_levels():
    snake = level("....", "###.", "....", ".###", "....")
    assert told(snake) == {"path_length": 13.0, "wall_share": 0.3, "regions": 1.0}
    assert DESCRIPTORS[Level]["path_length"].range(snake) == (0.0, 14.0)
    board = level("#.#", ".#.")
    assert told(board) == {"path_length": 0.0, "wall_share": 0.5, "regions": 3.0}
    assert DESCRIPTORS[Level]["regions"].range(board) == (0.0, 3.0)
    with pytest.raises(ValueError, match="a tile named solid, got empty, brick"):
        path_length(level(".#", names=("empty", "brick")))


def test_sculptures():
    voxels = jnp.zeros((4, 4, 4), jnp.uint8)
    assert told(Sculpture(voxels, jnp.int32(0))) == {"full_share": 0.0, "height_share": 0.0}
    tower = voxels.at[1, 2, :3].set(jnp.uint8(2))
    assert told(Sculpture(tower, jnp.int32(3))) == {"full_share": 0.0469, "height_share": 0.75}


def test_canvases():
    pixels = jnp.zeros((2, 2, 1), jnp.uint8).at[0].set(jnp.uint8(255))
    strokes, length = jnp.zeros((0, 11), jnp.float32), jnp.int32(0)
    assert told(Canvas(pixels, strokes, length)) == {"ink_share": 0.5, "contrast": 1.0}
    white = Canvas(pixels.at[1].set(jnp.uint8(255)), strokes, length, background=1.0)
    assert told(white) == {"ink_share": 0.0, "contrast": 0.0}


def test_melodies():
    def melody(*events, length=None):
        return Melody(jnp.array(events, jnp.int32), jnp.int32(length or len(events)))

    assert told(melody(14, 1, 0, 21)) == {"note_share": 0.5, "pitch_span": 7.0}
    assert told(melody(0, 1, 0, 1)) == {"note_share": 0.0, "pitch_span": 0.0}
    assert told(melody(5, 0, 30, 30, length=2)) == {"note_share": 0.5, "pitch_span": 0.0}


@pytest.mark.parametrize(
    ("id", "fields"),
    [
        ("level-sokoban-wide", {}),
        ("drawing-pixels", {"height": 4, "width": 4}),
        ("melody-target", {}),
    ],
)
def test_works_of_environments_lie_in_the_ranges(id, fields, key):
    env = crl.make(id, **fields)
    params = env.default_params

    def works(key):
        state, _ = env.reset(key, params)
        return env.work(state, params)

    made = jax.jit(jax.vmap(works))(jax.random.split(key, 32))
    for one in DESCRIPTORS[type(made)].values():
        low, high = one.range(made)
        values = np.asarray(jax.vmap(one.fn)(made))
        assert values.shape == (32,) and values.dtype == np.float32
        assert low <= values.min() <= values.max() <= high
