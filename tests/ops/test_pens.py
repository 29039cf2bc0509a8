"""What pens make of actions, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import pens

GRID = dict(
    num_places=2, num_directions=4, num_lengths=2, radii=(0.01, 0.02), levels=(1.0, 0.5, 0.0)
)


def test_a_free_stroke_keeps_its_middle_between_its_ends():
    action = jnp.array([0.2, 0.8, 0.5, 0.25, 0.6, 0.4, 0.0, 1.0, 0.3, 0.7, 0.9])
    stroke = pens.free_stroke(action, 0.01, 0.2)
    expected = [0.2, 0.8, 0.4, 0.7, 0.6, 0.4, 0.01, 0.21, 0.3, 0.7, 0.9]
    np.testing.assert_allclose(stroke, expected, atol=1e-6)


def test_a_short_stroke_ends_within_reach_of_its_start():
    action = jnp.array([0.5, 0.5, 0.0, 1.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.0])
    stroke = pens.short_stroke(action, 0.0, 0.1, (0.2, 0.1))
    np.testing.assert_allclose(stroke[:6], [0.5, 0.5, 0.5, 0.4, 0.7, 0.4], atol=1e-6)
    at_the_border = action.at[:2].set(jnp.array([0.95, 0.05]))
    stroke = pens.short_stroke(at_the_border, 0.0, 0.1, (0.2, 0.1))
    np.testing.assert_allclose(stroke[4:6], [1.0, 0.0], atol=1e-6)


def grid_number(row, column, direction, length, tool, level):
    number = row * 2 + column
    for digit, base in ((direction, 4), (length, 2), (tool, 2), (level, 3)):
        number = number * base + digit
    return jnp.int32(number)


def test_grid_strokes_by_hand():
    # From the upper left place down by one distance, with the thick tool in grey.
    stroke = pens.grid_stroke(grid_number(0, 0, 1, 0, 1, 1), **GRID, shape=(32, 64, 1))
    # The distance is half of the longer side: 32 pixels, the whole height, cut at the border.
    expected = [0.25, 0.25, 0.25, 0.625, 0.25, 1.0, 0.02, 0.02, 1, 1, 0.5]
    np.testing.assert_allclose(stroke, expected, atol=1e-6)
    # From the lower right place to the left by two distances, thin and white, in colour.
    stroke = pens.grid_stroke(grid_number(1, 1, 2, 1, 0, 0), **GRID, shape=(64, 64, 3))
    expected = [0.75, 0.75, 0.375, 0.75, 0.0, 0.75, 0.01, 0.01, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(stroke, expected, atol=1e-6)


def test_lines_that_end_at_the_border_keep_their_direction():
    grid = GRID | {"num_directions": 8}
    number = ((((0 * 2 + 0) * 8 + 3) * 2 + 1) * 2 + 0) * 3  # two distances down and to the left
    stroke = pens.grid_stroke(jnp.int32(number), **grid, shape=(64, 64, 1))
    np.testing.assert_allclose(stroke[4:6], [0.0, 0.5], atol=1e-6)


def test_every_grid_action_is_another_stroke():
    numbers = jnp.arange(2 * 2 * 4 * 2 * 2 * 3, dtype=jnp.int32)
    shape = (128, 128, 1)
    grid = GRID | {"num_lengths": 1}
    strokes = jax.vmap(lambda n: pens.grid_stroke(n, **grid, shape=shape))(numbers[:96])
    assert len(np.unique(np.round(strokes, 4), axis=0)) == 96


@pytest.mark.parametrize(
    ("action", "place", "drawing"),
    [
        (0, (5, 4), True),  # the patch's upper left pixel: one column and one row back
        (4, (6, 5), True),  # its middle: stays
        (5, (7, 5), True),
        (9 + 7, (6, 6), False),  # one row down, pen up
    ],
)
def test_patch_moves_by_hand(action, place, drawing):
    start = jnp.array([6, 5], jnp.int32)
    end, is_down = pens.patch_move(jnp.int32(action), start, 3, (10, 10, 1))
    assert tuple(end.tolist()) == place and bool(is_down) == drawing


def test_patch_moves_stay_on_the_canvas():
    corner = jnp.array([9, 0], jnp.int32)
    end, _ = pens.patch_move(jnp.int32(2), corner, 3, (10, 10, 1))  # up and to the right
    assert end.tolist() == [9, 0]
