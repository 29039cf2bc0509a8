"""Measures of voxels, by hand and against plain Python; what falls; views."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import sculpture as plain

from creative_rl.corpora.solids import STANDING, standing_solids
from creative_rl.ops import voxels

SIZE = 8


def grid(*full, size=SIZE):
    solid = np.zeros((size,) * 3, bool)
    if full:
        solid[tuple(np.array(full).T)] = True
    return solid


def cells(solid):
    return set(map(tuple, np.argwhere(solid).tolist()))


def everything(solid):
    return {
        "beside": voxels.beside(solid),
        "standing": voxels.standing(solid),
        "stability": voxels.stability(solid),
        "support": voxels.support(solid),
        "symmetry": voxels.symmetry(solid),
        "surface": voxels.surface(solid),
        "silhouette": voxels.silhouette_complexity(solid),
        "depth_maps": voxels.depth_maps(solid),
    }


measured = jax.jit(everything)
measured_all = jax.jit(jax.vmap(everything))


def test_all_measures_are_those_of_plain_python():
    generator = np.random.default_rng(0)
    solids = [generator.random((SIZE,) * 3) < share for share in np.linspace(0, 1, 24)]
    solids += [grid(*cells(plain_standing(solid))) for solid in solids]
    solids += [grid((0, 0, 1)), grid((7, 7, 0), (7, 7, 1), (0, 7, 0)), *standing_solids(SIZE)]
    got = measured_all(jnp.asarray(np.stack(solids)))
    for number, solid in enumerate(solids):
        full = cells(solid)
        mine = {name: np.asarray(values[number]) for name, values in got.items()}
        assert cells(mine["standing"]) == plain.joined(full)
        around = {c for c in np.ndindex(*solid.shape) if c[2] == 0}
        around |= {plain.moved(c, step) for c in full for step in plain.STEPS}
        assert cells(mine["beside"]) == {c for c in around if min(c) >= 0 and max(c) < SIZE}
        expected = {
            "stability": plain.stability(full),
            "support": plain.support(full),
            "symmetry": plain.symmetry(full, SIZE),
            "surface": plain.surface(full),
            "silhouette": plain.silhouette(full),
            "depth_maps": plain.depth_maps(full, SIZE),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(mine[name], value, atol=2e-5, err_msg=f"{number} {name}")


def plain_standing(solid):
    return grid(*plain.joined(cells(solid)))


def test_a_post_tips_by_its_half_width_over_the_height_of_its_middle():
    for height in (1, 2, 4, 8):
        post = grid(*[(3, 4, z) for z in range(height)])
        expected = min(0.5 / (height / 2), 1.0)
        np.testing.assert_allclose(measured(post)["stability"], expected, rtol=1e-6)


def test_an_arm_that_is_too_long_tips_it_over():
    arm = [(3, 3, 0), (3, 3, 1)]
    reach = [float(measured(grid(*arm, *[(4 + k, 3, 1) for k in range(n)]))["stability"])
             for n in range(4)]  # fmt: skip
    assert reach[0] == pytest.approx(0.5)
    # With n voxels in the arm the middle is n (n + 1) / 2 / (n + 2) off the post's.
    assert reach[1] == pytest.approx((0.5 - 1 / 3) / (3.5 / 3), rel=1e-5)
    assert reach[2] == reach[3] == 0
    # A foot under its end holds it.
    assert measured(grid(*arm, (4, 3, 1), (5, 3, 1), (5, 3, 0)))["stability"] > 0.4


def test_three_feet_make_a_triangle():
    # The middle of four corners' mass is on the edge between the two that stand.
    feet = [(0, 0, 0), (7, 0, 0), (0, 7, 0)]
    top = [(x, y, 1) for x in range(8) for y in range(8)]
    edge = 1 / 2**0.5  # the hull goes along the corners (8, 1) and (1, 8)
    weight = (3 * 0.5 + 64 * 1.5) / 67
    middle = (0.5 + 0.5 + 7.5 + 64 * 4) / 67
    margin = (9 - 2 * middle) / 2**0.5
    assert margin > edge
    solid = grid(*feet, *top)
    np.testing.assert_allclose(measured(solid)["stability"], margin / weight, rtol=1e-5)


def test_of_a_cube_and_of_nothing():
    cube = grid(*[(x, y, z) for x in (3, 4) for y in (3, 4) for z in (0, 1)])
    got = measured(cube)
    for name, value in {
        "stability": 1, "support": 1, "symmetry": 1, "surface": 0.5, "silhouette": 0,
    }.items():  # fmt: skip
        assert float(got[name]) == pytest.approx(value), name
    for name, values in measured(grid()).items():
        full = np.asarray(values)
        assert full.sum() == (SIZE**2 if name == "beside" else 0), name


def test_silhouettes_by_hand():
    # From the front an L of 3 cells: perimeter 8; from the side and above a bar of 2: perimeter 6.
    shape = grid((0, 0, 0), (1, 0, 0), (0, 0, 1))
    expected = ((1 - 48 / 64) + 2 * (1 - 32 / 36)) / 3
    np.testing.assert_allclose(measured(shape)["silhouette"], expected, rtol=1e-6)
    front = np.asarray(voxels.silhouettes(jnp.asarray(shape)))[1]
    assert cells(front[..., None]) == {(0, 0, 0), (1, 0, 0), (0, 1, 0)}


def test_views_are_from_the_right_the_front_and_above():
    right, front, above = np.asarray(measured(grid((6, 1, 2)))["depth_maps"])
    assert right[1, 2] == 7 / 8 and front[6, 2] == 7 / 8 and above[6, 1] == 3 / 8
    assert (right > 0).sum() == (front > 0).sum() == (above > 0).sum() == 1


def test_evenness_nearness_and_overlap():
    evenness = functools.partial(jax.jit(voxels.evenness))
    np.testing.assert_allclose(evenness(jnp.array([3, 3, 3, 3])), 1, rtol=1e-6)
    np.testing.assert_allclose(evenness(jnp.array([5, 5, 0, 0])), 0.5, rtol=1e-6)
    assert evenness(jnp.array([5, 0, 0, 0])) == evenness(jnp.array([0, 0, 0, 0])) == 0
    values = [float(voxels.nearness(jnp.float32(v), jnp.float32(0.8))) for v in (0, 0.4, 0.8, 0.9)]
    np.testing.assert_allclose(values, [0, 0.5, 1, 0.5], atol=1e-6)
    two, other = jnp.asarray(grid((0, 0, 0), (1, 0, 0))), jnp.asarray(grid((1, 0, 0), (2, 0, 0)))
    assert float(voxels.overlap(two, other)) == pytest.approx(1 / 3)
    assert float(voxels.overlap(two & ~two, other & ~other)) == 0


@pytest.mark.parametrize("size", [8, 13, 32])
def test_twelve_solids_stand_on_the_ground_in_one_piece(size):
    solids = standing_solids(size)
    assert len(solids) == len(STANDING) == len({solid.tobytes() for solid in solids}) == 12
    for name, solid in zip(STANDING, solids, strict=True):
        full = cells(solid)
        assert full and plain.joined(full) == full, name
    with pytest.raises(ValueError, match=r"size must be in 8\.\.128, got 7"):
        standing_solids(7)
