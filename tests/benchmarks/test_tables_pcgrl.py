"""PCGRL's table: budgets from one pass, what is measured, the goals, and a quick run of it all."""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from benchmarks import record
from benchmarks.record import Row
from benchmarks.tables import level_budgets, pcgrl
from benchmarks.tables.pcgrl_recipes import RECIPES
from creative_rl.envs.level import BinaryLevel
from creative_rl.typing import Learner, Timestep

ENV = BinaryLevel(height=4, width=5, representation="wide")
NUM = 64


def at_random(env):
    def act(state, key, timestep, memory):
        return env.action_space.sample(key), memory

    return Learner(lambda key: (), lambda state: (state, {}), act, tuple, 1)


@pytest.fixture(scope="module")
def passed():
    """The levels of one seed, and the keys that they were made from."""
    params = ENV.default_params.replace(path_gain=jnp.int32(2))
    keys = jax.random.split(jax.random.key(3), (1, NUM))
    play = level_budgets.compiled(ENV, at_random(ENV), params)
    return jax.device_get(play(jnp.zeros(1), keys)), keys, params


def test_a_budgets_levels_are_those_of_episodes_with_that_budget(passed):
    levels, keys, params = passed

    @jax.jit
    def episode(key, max_changes):
        own = params.replace(max_changes=max_changes)
        key, key_reset = jax.random.split(key)
        state, _ = ENV.reset(key_reset, own)

        def advance(now, _):
            key, state = now
            key, key_act, key_step = jax.random.split(key, 3)
            state, timestep = ENV.step(key_step, state, ENV.action_space.sample(key_act), own)
            return (key, state), timestep.terminated

        most = level_budgets.STEPS_A_TILE * 20
        (_, state), ends = jax.lax.scan(advance, (key, state), length=most)
        return state, ends[-1] & ENV.is_success(state, own)

    budgets = level_budgets.budgets_of(ENV)
    assert budgets.tolist() == [4, 8, 12, 16, 20]
    one_by_one = jax.vmap(jax.vmap(episode, (None, 0)), (0, None))
    state, is_success = one_by_one(keys[0], jnp.asarray(budgets))
    np.testing.assert_array_equal(levels.is_success[0], is_success)
    for found, expected in zip(jax.tree.leaves(levels.state), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(found[0], expected)
    successes = levels.is_success[0].sum(axis=0)
    assert 0 < successes[0] < successes[-1]


def test_shares_are_of_levels_and_tiles(passed):
    levels, _, _ = passed
    found = level_budgets.measured(levels, 0, 1)
    assert found.keys() == {"success", "diversity", "changed"}
    assert found["success"] == levels.is_success[0, :, 1].mean()
    assert found["changed"] == pytest.approx(levels.state.changes[0, :, 1].mean() / 20)
    tiles = levels.state.tiles[0, :, 1]
    pairs = [(a != b).mean() for a, b in itertools.combinations(tiles, 2)]
    assert found["diversity"] == pytest.approx(np.mean(pairs))


def test_a_uniform_policy_has_the_learners_networks():
    env = crl.make("level-sokoban-wide")
    learner = crl.learners.ppo(env, RECIPES["sokoban", "wide"].config)
    states = jax.eval_shape(learner.init, jax.random.key(0))
    ones = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, jnp.float32), states.variables)
    zeros = level_budgets.uniform(states.replace(variables=ones))
    seen = Timestep(env.observation_space.zeros(), jnp.float32(0), *[jnp.bool_(False)] * 2, {})
    outputs, _ = learner.policy.outputs(zeros, seen, ())
    np.testing.assert_array_equal(outputs, np.zeros(125))


def test_rewards_are_scaled_and_all_tasks_have_a_recipe():
    env = crl.make("level-zelda-narrow")
    weights = pcgrl.scaled(env, 0.5).weights
    assert {name: float(weight) for name, weight in weights.items()} == {
        "player": 1.5, "key": 1.5, "door": 1.5, "regions": 2.5, "enemies": 0.5,
        "nearest_enemy": 1.0, "path_length": 0.5,
    }  # fmt: skip
    assert set(RECIPES) == set(pcgrl.TASKS)


def figures(task, **values):
    name = pcgrl.named(task, "ppo", 1.0)
    return [Row(name, metric, value) for metric, value in values.items()]


def test_goals_are_held_against_the_paper():
    found = [
        *figures(("sokoban", "narrow"), success=0.4, solvable=0.9, changed=0.1),
        *figures(("sokoban", "wide"), success=0.6, solvable=0.6, changed=0.3),
        *figures(("binary", "turtle"), success=0.9, changed=0.15),
    ]
    goals = pcgrl.goals(found, 4000.0)
    reached = {goal.what: goal.reached for goal in goals if goal.value is not None}
    assert len(goals) == 3 + 9 + 1
    assert reached == {
        "sokoban narrow, ppo, 100 %: solvable, against the published": True,
        "sokoban wide, ppo, 100 %: solvable, against the published": False,
        "sokoban wide, ppo, 100 %: changed tiles, against the published": False,
        "binary turtle, ppo, 100 %: changed tiles, against the published": True,
        "the whole table, s": False,
    }


@pytest.mark.parametrize(("text", "num"), [("2e6", 2_000_000), ("128", 128)])
def test_steps_are_numbers_as_people_write_them(text, num):
    assert pcgrl._number(text) == num


@pytest.mark.parametrize("num_workers", [1, 3])
def test_tasks_beside_each_other_keep_their_order_and_their_errors(num_workers):
    steps = {name: functools.partial(int, name) for name in "3142"}
    assert list(pcgrl.all_of(steps, num_workers).items()) == [(n, int(n)) for n in "3142"]
    with pytest.raises(ValueError, match="'x'"):
        pcgrl.all_of({**steps, "x": functools.partial(int, "x")}, num_workers)


def test_recipes_differ_in_what_is_asked_alone():
    for own in RECIPES.values():
        assert pcgrl.sized(own, None, None) == own
        recipe = pcgrl.sized(own, 96, 5000)
        assert recipe.config.num_envs == 96 and recipe.num_steps == 5000
        config = dataclasses.replace(recipe.config, num_envs=own.config.num_envs)
        assert recipe._replace(config=config, num_steps=own.num_steps) == own


def test_quick_plays_all_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    pcgrl.main(["--quick", "--seeds", "1", "--steps", "16", "--workers", "2"])
    shown = capsys.readouterr().out
    assert "| sokoban narrow, ppo, 20 % | success |" in shown
    assert "| sokoban narrow, random, 100 % | solvable |" in shown
    assert "nothing was written" in shown and list(tmp_path.iterdir()) == []
