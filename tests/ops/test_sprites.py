"""Frames of sprites against subpixels in polygons, and by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import sprites as reference

from creative_rl.ops import sprites
from creative_rl.ops.sprites import SHAPES, Camera, Sprites

HEIGHT, WIDTH = 40, 64
draw = jax.jit(sprites.frame, static_argnums=(5, 6))


def frame(members, camera=(0.5, 0.5, 1.0), scene=0, sky=(0, 0, 0), ground=(0, 0, 0)):
    """As the reference's, at one size and of two sprites, so that one program is compiled."""
    members = [*members, *[(None, (0, 0, 0), 0.5, 0.5, 1.0, 0.0)] * (2 - len(members))]
    shapes = [-1 if name is None else SHAPES.index(name) for name, *_ in members]
    columns = np.array([[*colour, *pose] for _, colour, *pose in members], np.float32).T
    parts = Sprites(jnp.array(shapes, jnp.int32), *map(jnp.asarray, columns))
    numbers = [jnp.asarray(number, jnp.float32) for number in (*camera, sky, ground)]
    drawn = draw(parts, Camera(*numbers[:3]), jnp.int32(scene), *numbers[3:], HEIGHT, WIDTH)
    return np.asarray(drawn).astype(float)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("turn", [0.0, 0.07])
def test_every_shape_covers_what_its_polygon_does(name, turn):
    members, black = [(name, (1.0, 0.5, 0.2), 0.4, 0.55, 0.4, turn)], (0, 0, 0)
    found = frame(members)
    expected = reference.frame(members, (0.5, 0.5, 1), 0, black, black, HEIGHT, WIDTH)
    # An edge of a distance field is a ramp, and the tip of a star is narrower than a pixel.
    assert np.abs(found - expected).max() < 100 and np.abs(found - expected).mean() < 1.5
    assert abs(found.sum() / expected.sum() - 1) < 0.02


def test_a_whole_scene_through_a_camera():
    members = [
        ("square", (0.9, 0.2, 0.2), 0.3, 0.6, 0.15, -0.3),
        ("star", (1.0, 0.9, 0.3), 0.42, 0.62, 0.2, 2.1),
    ]
    camera, sky, ground = (0.4, 0.6, 1.6), (0.6, 0.8, 0.9), (0.4, 0.6, 0.3)
    found = frame(members, camera, 3, sky, ground)
    expected = reference.frame(members, camera, 3, sky, ground, HEIGHT, WIDTH)
    assert np.abs(found - expected).mean() < 1.0
    assert (np.abs(found - expected).max(axis=-1) > 24).mean() < 0.01


def test_by_hand():
    """A disc about a pixel's corner, the front over the back, nobody, and half a pixel's edge."""
    front = [("disc", (1, 0, 0), 0.5, 0.5, 0.3, 0), ("disc", (0, 1, 0), 0.5, 0.5, 0.1, 0)]
    found = frame(front, sky=(0, 0, 1), ground=(0, 0, 1))
    assert found[20, 32].tolist() == [0, 255, 0]  # within 4 pixels of the middle
    assert found[20, 40].tolist() == [255, 0, 0] and found[20, 50].tolist() == [0, 0, 255]
    only = frame(front[:1], sky=(0, 0, 1), ground=(0, 0, 1))
    assert only[20, 32].tolist() == [255, 0, 0]
    # A square whose side runs through the middles of column 32's pixels.
    edge = frame([("square", (1, 1, 1), 0.5 + (0.5 - 20) / 64, 0.5, 0.5**0.5, 0)])
    assert edge[20, [31, 33], 0].tolist() == [255, 0]
    np.testing.assert_allclose(edge[20, 32, 0], 127.5, atol=0.6)


def test_hills_move_with_the_scene_and_the_camera():
    lines = functools.partial(frame, [], sky=(0, 0, 0), ground=(1, 1, 1))
    heights = [lines(camera, scene)[..., 0].sum(axis=0) for camera, scene in
               [((0.5, 0.5, 1), 0), ((0.5, 0.5, 1), 1), ((0.75, 0.5, 1), 0)]]  # fmt: skip
    np.testing.assert_allclose(heights[2][:48], heights[0][16:], atol=2)
    assert np.abs(heights[1] - heights[0]).max() > 300
    np.testing.assert_allclose(np.mean(heights[0]) / 255 / HEIGHT, 1 - 0.72, atol=0.03)
