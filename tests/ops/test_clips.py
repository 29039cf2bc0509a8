"""Measures of clips: by hand, and on moving shapes, whose places and colours are known."""

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora import moving_shapes
from creative_rl.ops import clips


def dots(places, colours, size=8):
    """A pixel of a colour a frame."""
    clip = np.zeros((len(places), size, size, 3), np.float32)
    for frame, ((row, column), colour) in enumerate(zip(places, colours, strict=True)):
        clip[frame, row, column] = colour
    return clips.content(jnp.asarray(clip))


def test_a_pixel_is_where_and_what_it_is():
    shown = dots([(1, 2), (1, 6)], [(1, 0, 0), (0, 0.5, 0)])
    np.testing.assert_allclose(shown.x, [2.5 / 8, 6.5 / 8])
    np.testing.assert_allclose(shown.y, [1.5 / 8] * 2)
    np.testing.assert_allclose(shown.colour, [[1, 0, 0], [0, 0.5, 0]])
    np.testing.assert_allclose(shown.area, [1 / 64] * 2)


def test_what_is_faint_or_nothing_is_black_in_the_middle():
    shown = dots([(1, 2), (0, 0)], [(0.05, 0.05, 0.05), (0, 0, 0)])
    assert shown.colour.tolist() == [[0, 0, 0]] * 2 and shown.area.tolist() == [0, 0]
    assert shown.x.tolist() == shown.y.tolist() == [0.5, 0.5]


def test_drifts_by_hand():
    shown = dots([(1, 1), (1, 3), (1, 5)], [(1, 0, 0), (1, 0, 0), (0, 1, 0)])
    np.testing.assert_allclose(clips.colour_drift(shown), 2 / 3 * 2**0.5, rtol=1e-6)
    np.testing.assert_allclose(clips.motion(shown), 0.25, rtol=1e-6)
    assert float(clips.jolt(shown)) == 0
    turned = dots([(1, 1), (1, 3), (1, 1)], [(1, 1, 1)] * 3)
    np.testing.assert_allclose(clips.jolt(turned), 0.5, rtol=1e-6)
    assert float(clips.colour_drift(turned)) == 0
    one = dots([(0, 0)], [(1, 1, 1)])
    assert [float(f(one)) for f in (clips.colour_drift, clips.motion, clips.jolt)] == [0, 0, 0]


def test_moving_shapes_are_found():
    drawn = moving_shapes.draw(jax.random.key(0), 24, num_frames=6, height=32, width=32)
    levels = drawn.clips.astype(jnp.float32) / 255
    shown = jax.jit(jax.vmap(clips.content))(levels)
    # A star, a triangle and a ring are not all around their middle alike.
    assert np.abs(shown.x - drawn.x).max() < 0.05 and np.abs(shown.y - drawn.y).max() < 0.06
    # On black an edge is darker and of the same hue.
    hues, drawn_hues = (
        colour / colour.max(axis=-1, keepdims=True)
        for colour in (np.asarray(shown.colour), np.repeat(drawn.colours[:, None] / 255, 6, axis=1))
    )
    np.testing.assert_allclose(hues, drawn_hues, atol=0.03)
    assert float(jax.vmap(clips.colour_drift)(shown).max()) < 0.06
    assert 0.01 < float(jax.vmap(clips.motion)(shown).mean()) < 0.2
    shuffled = shown._replace(x=shown.x[:, ::2], y=shown.y[:, ::2])
    assert jax.vmap(clips.motion)(shuffled).mean() > 1.3 * jax.vmap(clips.motion)(shown).mean()
