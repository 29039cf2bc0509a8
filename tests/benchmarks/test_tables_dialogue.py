"""The dialogue table: what is asked of it, what it measures, and a quick run of it all."""

import dataclasses

import jax.numpy as jnp
import pytest

from benchmarks import record
from benchmarks.record import Row
from benchmarks.tables import dialogue
from creative_rl.configs import A2CConfig, DQNConfig
from creative_rl.envs.dialogue import BookingDialogue

SMALL = BookingDialogue(num_rows=20, max_turn=16)


def figures(rule, learned):
    names = [dialogue.named("rule", 0.3), *(dialogue.named(name, 0.3) for name in dialogue.RECIPES)]
    values = [rule, *learned]
    rows = [Row(name, "success", value) for name, value in zip(names, values, strict=True)]
    return [*rows, Row(dialogue.named("dqn, warm start", 0.0), "success", 0.985)]


def test_goals_are_held_against_the_rule():
    goals = dialogue.goals(figures(0.9, [0.85, 0.91, 0.9, 0.95]), 100.0)
    assert [goal.reached for goal in goals] == [True, False, True, True, True, True]
    assert goals[1].what == "dqn, error 0.3: success minus the rule's"
    assert goals[1].value == pytest.approx(-0.05)
    nothing = dialogue.goals([], None)
    assert {goal.reached for goal in nothing} == {None}


def test_rewards_are_in_units_of_a_success_and_rates_in_the_params():
    params = dialogue.params_of(0.15, 1 / 80)
    weights = {name: float(weight) for name, weight in params.weights.items()}
    assert weights == pytest.approx({"turn": -1 / 80, "success": 1.0, "failure": -0.5})
    assert params.slot_error == params.intent_error == jnp.float32(0.15)


def test_a_row_says_how_it_was_made_and_what_stands_beside_it():
    found = {dialogue.named("dqn, warm start", 0.0): [{"success": 0.5, "turns": 20.0}] * 2}
    success, turns = dialogue.rows(found, dialogue.RECIPES)
    assert success.published == 0.98 and turns.published is None
    assert "warm_start_steps" in success.source and "6000 updates" in success.source


def test_quick_plays_all_and_writes_nothing(tmp_path, monkeypatch, capsys):
    config = DQNConfig(
        num_envs=4, num_steps=2, batch_size=8, replay_size=64, hidden_sizes=(8,),
        warm_start_steps=16, learning_starts=16,
    )  # fmt: skip
    cold = A2CConfig(num_envs=4, num_steps=4, hidden_sizes=(8,))
    recipes = {
        "dqn, warm start": dialogue.Recipe("dqn", config, 4),
        "a2c": dialogue.Recipe("a2c", cold, 4),
    }
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(dialogue, "ENV", SMALL)
    monkeypatch.setattr(dialogue, "RECIPES", recipes)
    dialogue.main(["--quick", "--seeds", "1"])
    shown = capsys.readouterr().out
    assert "| rule, error 0.3 | success |" in shown and "| a2c, error 0.3 | turns |" in shown
    assert "nothing was written" in shown and list(tmp_path.iterdir()) == []


def test_the_rule_is_measured_as_it_plays(monkeypatch):
    monkeypatch.setattr(dialogue, "ENV", SMALL)
    (found,) = dialogue.ruled(0.0, 1, 64)
    assert 0.5 < found["success"] <= 1
    mean = found["success"] * 32 - (1 - found["success"]) * 16 - (found["turns"] / 2 - 1)
    assert found["reward"] == pytest.approx(mean, rel=1e-4)


def test_the_warm_start_differs_from_the_cold_one_in_how_it_explores_alone():
    recipes = [dialogue.RECIPES[name] for name in ("dqn", "dqn, warm start")]
    assert len({recipe.num_updates for recipe in recipes}) == 1
    cold, warm = (dataclasses.asdict(recipe.config) for recipe in recipes)
    changed = {name for name in cold if cold[name] != warm[name]}
    assert changed == {"warm_start_steps", "epsilon_start", "epsilon_steps"}
