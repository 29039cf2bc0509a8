"""The table of boxes: its goals, the expert who has searched, and a quick run of it all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.record import Row
from benchmarks.tables import sculpture as table
from benchmarks.tables.sculpture_search import Planned, search
from creative_rl.configs import DAggerConfig
from creative_rl.corpora.solids import modelling_solids
from creative_rl.envs.sculpture_boxes import BoxSculpture
from creative_rl.learners import rule_policy

ENV = BoxSculpture(num_steps=30, sees_target=True)
PARAMS = ENV.params_of(modelling_solids()[[3, 5]])


@pytest.fixture(scope="module")
def plan():
    return search(ENV, PARAMS, jax.random.key(0), 8, 0.3)


def test_goals_are_those_of_the_better_policy():
    found = [
        Row(table.EXPERT, "iou", 0.9481),
        *[Row(table.POLICY, name, value) for name, value in (("iou", 0.94), ("most boxes", 9.0))],
        *[Row(table.OF_SEARCH, name, value) for name, value in (("iou", 0.96), ("most boxes", 8))],
    ]
    goals = table.goals(found, 1000.0)
    assert [goal.reached for goal in goals] == [True, True, True, False]
    assert goals[1].value == 0.96 and goals[2].value == 8
    assert table.goals(found[:3], None)[2].reached is False


def test_a_plan_is_what_its_actions_lead_to_and_no_worse_than_the_rule(plan):
    without = search(ENV, PARAMS, jax.random.key(0), 1, 0.3)
    assert (plan.worth >= without.worth).all() and (plan.worth > without.worth).any()

    @jax.jit
    def play(actions, target):
        alone = PARAMS.replace(targets=target[None])
        state, _ = ENV.reset(jax.random.key(5), alone)

        def step(state, action):
            return ENV.transition(jax.random.key(0), state, action, alone)[0], state.boxes

        return jax.lax.scan(step, state, actions)

    for solid in range(2):
        state, boxes = play(plan.actions[solid], plan.targets[solid])
        np.testing.assert_array_equal(boxes, plan.boxes[solid])
        assert float(state.fit.worth) == pytest.approx(float(plan.worth[solid]), abs=1e-6)


def test_the_plan_is_followed_and_off_it_the_rule(plan):
    planned = Planned(ENV, plan)
    answer = jax.jit(planned.rule_action)
    rule = jax.jit(ENV.rule_action)
    state, _ = ENV.reset(jax.random.key(0), PARAMS)
    for solid in (0, 1):
        for step in (0, 7, 29):
            at = state.replace(
                boxes=plan.boxes[solid, step].astype(jnp.int32),
                step=jnp.int32(step),
                target=jnp.int32(solid),
            )
            seen = ENV.observe(at, PARAMS)
            assert int(answer(seen)) == int(plan.actions[solid, step])
            off = ENV.observe(at.replace(boxes=at.boxes.at[26].set(0)), PARAMS)
            assert int(answer(off)) == int(rule(off))
    last = ENV.observe(at.replace(step=jnp.int32(30)), PARAMS)
    assert planned.action_space.contains(answer(last))


def test_the_expert_is_measured_as_it_plays():
    env = BoxSculpture(num_steps=12, sees_target=True)
    found = table.measured(env, rule_policy(env), (), jax.random.key(0))
    # By the means of the named and of the unions; nothing is deleted in so few steps of the rule.
    named = [found[name] for name in table.NAMED]
    assert found["iou"] == pytest.approx((sum(named) + 8 * found["unions"]) / 12, abs=1e-6)
    assert 20 < found["boxes"] <= found["most boxes"] <= 27
    nothing = table.measured(env, table.random_policy(env), (), jax.random.key(0), 2)
    assert nothing["iou"] < found["iou"]


def test_quick_runs_from_end_to_end_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(table, "QUICK_STEPS", 8)
    small = DAggerConfig(num_envs=4, batch_size=8, replay_size=64, hidden_sizes=(8,))
    monkeypatch.setattr(table, "CONFIG", small)
    table.main(["--quick"])
    out = capsys.readouterr().out
    for name in (*table.SOURCE,):
        assert f"| {name} | iou |" in out and f"| {name} | most boxes |" in out
    assert list(tmp_path.iterdir()) == []
