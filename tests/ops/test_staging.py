"""Timings and measures of motion and framing, by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from reference.animation import outside, thirds

from creative_rl.ops import staging
from creative_rl.ops.staging import EASINGS

ALL, ONE_SPRITE = jnp.ones(4, jnp.bool_), (slice(None), None)


def column(*values):
    return jnp.array(values, jnp.float32)[ONE_SPRITE]


@pytest.mark.parametrize(
    ("easing", "half"),
    [("even", 0.5), ("slow in", 0.25), ("slow out", 0.75), ("slow in and out", 0.5),
     ("at once", 1.0)],
)  # fmt: skip
def test_movements_end_whole_and_are_half_done_when_they_should_be(easing, half):
    done = staging.progress(jnp.int32(EASINGS.index(easing)), 4)
    assert done[1] == pytest.approx(half, abs=1e-6) and done[3] == 1
    assert (np.diff(done) >= 0).all() and done.dtype == jnp.float32


def test_the_least_jerk_has_the_least_of_all_timings():
    """Of a movement with rests before and after, in many frames."""
    rests = jnp.zeros(4, jnp.float32)
    jerks = {}
    for number, name in enumerate(EASINGS):
        done = staging.progress(jnp.int32(number), 24)
        x = jnp.concatenate([rests, done, rests + 1])[:, None]
        counts = jnp.ones(x.shape[0] - 3, jnp.bool_)
        jerks[name] = float(staging.jerk(x, jnp.zeros_like(x), counts)[0])
    assert min(jerks, key=jerks.get) == "slow in and out"
    assert max(jerks, key=jerks.get) == "at once"


def test_jerk_by_hand():
    x = column(0, 0, 0, 1, 1, 1, 1)  # third differences 1, -2, 1, 0
    y = jnp.zeros_like(x)
    assert staging.jerk(x, y, ALL)[0] == pytest.approx((6 / 4) ** 0.5)
    assert staging.jerk(y, x, ALL)[0] == pytest.approx((6 / 4) ** 0.5)
    counts = ALL.at[:2].set(False)
    assert staging.jerk(x, y, counts)[0] == pytest.approx((1 / 4) ** 0.5)


def test_a_way_is_as_long_as_its_parts():
    assert staging.path_length(column(0, 3, 3), column(0, 4, 3))[0] == 6


@pytest.mark.parametrize(
    ("x", "radius", "fault"),
    [
        ((0, 0.1, 0.2, 0.3, 0.4), (1, 1, 1, 1, 1), 0.0),
        ((0, 0.1, 0.25, 0.35, 0.45), (1, 1, 1, 1, 1), 0.5),
        ((0, 0.1, 0.9, 1.0, 1.0), (1, 1, 1, 1, 1), 1.0),
        ((0, 0, 0, 0, 0), (1, 1, 1, 2**1.25, 2**1.25), 0.25),
        ((0, 0, 0, 0, 0), (4, 4, 4, 1, 1), 1.0),
        ((0, 0.9, 0.9, 0.9, 0.9), (1, 4, 4, 4, 4), 0.0),  # a cut is before the second frame
    ],
)
def test_who_jumps_or_swells_is_not_the_same(x, radius, fault):
    counts = ALL.at[0].set(x[1] <= 0.1)
    x, radius = column(*x), column(*radius)
    limits = jnp.float32(0.1), jnp.log(jnp.float32(2))
    found = staging.identity_fault(x, jnp.zeros_like(x), radius, *limits, counts)
    assert found[0] == pytest.approx(fault, abs=1e-5)


def test_the_camera_moves_and_magnifies():
    seen = staging.on_screen(column(0.5, 0.75), jnp.array([0.25, 0.5]), jnp.array([1.0, 2.0]))
    assert seen[:, 0].tolist() == [0.75, 1.0]


def test_thirds_and_what_is_outside_are_the_plain_ones():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.3, 1.3, (2, 200)).astype(np.float32)
    half_x, half_y = rng.uniform(0.02, 0.45, (2, 200)).astype(np.float32)
    found = staging.thirds(jnp.asarray(x), jnp.asarray(y))
    expected = [thirds(*place) for place in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    found = staging.outside(*map(jnp.asarray, (x, y, half_x, half_y)))
    expected = [outside(*box) for box in zip(x, y, half_x, half_y, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert staging.thirds(jnp.float32(1 / 3), jnp.float32(2 / 3)) == pytest.approx(1, abs=1e-6)
    assert staging.thirds(jnp.float32(0), jnp.float32(1)) == pytest.approx(0, abs=1e-6)
