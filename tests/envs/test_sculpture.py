"""What is special to sculptures of voxels: tools and masks, gravity, the budget, gains, targets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.corpora.solids import standing_solids
from creative_rl.envs.sculpture import VoxelSculpture
from creative_rl.ops.voxels import depth_maps
from creative_rl.rewards import sculpture as rewards

LEFT, RIGHT, FRONT, BACK, DOWN, UP = range(6)
FREE = VoxelSculpture(size=4, num_materials=2, num_steps=40)
COPY = VoxelSculpture(goal="copy", num_materials=1, num_steps=20)
MOVE, CLAY, SAND, CARVE = range(4)


class Table:
    """An episode, step by step, with what was paid."""

    def __init__(self, env, params=None):
        self.env, self.params = env, env.default_params if params is None else params
        self.step = STEP[env]
        self.state, self.timestep = env.reset(jax.random.key(0), self.params)
        self.paid = 0.0

    def do(self, direction, tool=MOVE, is_allowed=True):
        action = jnp.int32(direction * self.env.num_tools + tool)
        assert bool(self.timestep.action_mask[action]) == is_allowed
        self.state, self.timestep = self.step(jax.random.key(0), self.state, action, self.params)
        self.paid += float(self.timestep.reward)
        return self

    @property
    def full(self):
        voxels = np.asarray(self.state.voxels)
        return {tuple(cell): int(voxels[tuple(cell)]) for cell in np.argwhere(voxels).tolist()}


STEP = {env: jax.jit(env.step) for env in (FREE, COPY)}


def test_tools_where_the_cursor_comes():
    table = Table(FREE)
    assert table.state.cursor.tolist() == [2, 2, 0]
    table.do(RIGHT, CLAY).do(UP, SAND).do(LEFT, CLAY)  # the last one beside what stands
    assert table.full == {(3, 2, 0): 1, (3, 2, 1): 2, (2, 2, 1): 1}
    table.do(RIGHT, CLAY)  # painted
    assert table.full[3, 2, 1] == 1
    table.do(UP).do(DOWN, CLAY, is_allowed=False)  # it is of that material
    table.do(RIGHT, is_allowed=False).do(RIGHT, SAND, is_allowed=False)  # off the grid
    assert table.state.cursor.tolist() == [3, 2, 1] and len(table.full) == 3
    table.do(FRONT, CARVE, is_allowed=False)  # nothing to carve, but it moves
    assert table.state.cursor.tolist() == [3, 1, 1]
    table.do(UP, CLAY, is_allowed=False)  # in the air
    assert len(table.full) == 3 and table.state.cursor.tolist() == [3, 1, 2]
    seen = table.timestep.observation
    assert float(seen["left"]) == pytest.approx(1 - 3 / 12)
    around = np.asarray(seen["around"]).reshape(3, 3, 3)
    assert around[1, 2, 0] == 0.5 and around[0, 2, 0] == 0.5 and (around > 0).sum() == 2


def test_what_is_cut_off_falls_and_is_back_in_the_budget():
    params = FREE.default_params.replace(budget=jnp.int32(4))
    table = Table(FREE, params).do(LEFT, CLAY).do(UP, CLAY).do(UP, SAND).do(RIGHT, SAND)
    table.do(DOWN, CLAY, is_allowed=False)  # nothing left
    assert len(table.full) == 4 and float(table.timestep.observation["left"]) == 0
    table.do(LEFT, CARVE)
    assert table.full == {(1, 2, 0): 1}
    assert float(table.timestep.observation["left"]) == 0.75
    table.do(DOWN, CARVE)
    assert not table.full and table.paid == pytest.approx(0, abs=1e-6)


def test_rewards_sum_to_what_the_last_sculpture_is_worth():
    table = Table(FREE)
    for direction, tool in ((LEFT, CLAY), (UP, SAND), (UP, CLAY), (BACK, SAND), (UP, SAND)):
        table.do(direction, tool)
        scores = {name: float(score) for name, score in table.state.scores.items()}
        assert table.paid == pytest.approx(sum(scores.values()) / 7, abs=1e-5)
    assert set(scores) == {term.name for term in rewards.FREE_TERMS}
    # Two of five in the one material.
    assert scores["materials"] == pytest.approx(-(0.4 * np.log2(0.4) + 0.6 * np.log2(0.6)), 1e-5)
    assert scores["mass"] == pytest.approx(5 / 12 / 0.75, rel=1e-5)
    # 5 cubes in a chain have 30 - 8 faces outside.
    assert scores["surface"] == pytest.approx((1 - 22 / 30) / 0.5, rel=1e-5)


def test_a_copy_is_paid_by_likeness_and_sees_three_views():
    table = Table(COPY)
    target = standing_solids(8)[int(table.state.target)]
    np.testing.assert_allclose(table.timestep.observation["views"], depth_maps(jnp.asarray(target)))
    assert "target" not in table.timestep.observation
    table.do(LEFT, CLAY).do(UP, CLAY).do(UP, CLAY)
    hits = sum(target[3, 4, z] for z in range(3))
    assert table.paid == pytest.approx(hits / (target.sum() + 3 - hits), rel=1e-5)
    work = COPY.work(table.state, table.params)
    np.testing.assert_array_equal(work.target, target)
    assert int(work.length) == 3 and np.asarray(work.voxels).sum() == 3


def test_every_target_is_drawn_and_others_can_be_given():
    keys = jax.random.split(jax.random.key(1), 200)
    drawn = jax.vmap(lambda key: COPY.initial_state(key, COPY.default_params).target)(keys)
    assert set(drawn.tolist()) == set(range(12))
    mine = np.zeros((2, 8, 8, 8), bool)
    mine[:, 0, 0, 0] = True
    params = COPY.params_of(mine)
    assert params.views.shape == (2, 3, 8, 8)
    for env, targets, got in (
        (COPY, mine[:, 1:], r"\[2, 7, 8, 8\]"), (COPY, None, "None"), (FREE, mine, r"\[2, 8, 8"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"targets must be .* goal '{env.goal}', got {got}"):
            env.params_of(targets)


def test_the_registered_ones():
    free, copy = crl.make("sculpture-free"), crl.make("sculpture-copy")
    assert free.action_space.num == 36 and copy.action_space.num == 18
    assert int(free.default_params.budget) == 96 and int(copy.default_params.budget) == 512
    assert "views" not in dict(free.observation_space.items())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"goal": "like"}, "goal must be one of free, copy, got 'like'"),
        ({"size": 3}, r"size must be a whole number in 4\.\.32, got 3"),
        ({"size": 7, "goal": "copy"}, r"size must be a whole number in 8\.\.32 to copy, got 7"),
        ({"num_materials": 9}, r"num_materials must be a whole number in 1\.\.8, got 9"),
        ({"num_steps": 0}, r"num_steps must be a whole number in 1\.\.4096, got 0"),
        ({"terms": rewards.COPY_TERMS}, "the term likeness needs goal 'copy', got 'free'"),
    ],
)
def test_sizes_out_of_range_are_refused(fields, message):
    with pytest.raises(ValueError, match=f"VoxelSculpture: {message}"):
        VoxelSculpture(**fields)
