"""SlateQ's table: its rows are what their names say, the goals, and a run from end to end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.record import Row
from benchmarks.tables import slateq as table
from creative_rl.configs import SlateQConfig
from creative_rl.typing import Timestep


@pytest.mark.parametrize(
    ("name", "target", "serve"),
    [
        ("SARSA-TS", "sarsa", "top"),
        ("SARSA-GS", "sarsa", "greedy"),
        ("QL-TT-TS", "top", "top"),
        ("QL-OT-TS", "optimal", "top"),
        ("QL-OT-OS", "optimal", "optimal"),
    ],
)
def test_published_variants_are_what_their_names_say(name, target, serve):
    config = table.LEARNERS[name]
    assert (config.target, config.serve, config.nothing) == (target, serve, "zero")
    assert config.gamma == SlateQConfig().gamma


def test_every_published_row_is_measured_and_ours_differ_in_what_is_said():
    assert set(table.PUBLISHED) <= {*table.RULES, *table.LEARNERS}
    for name in (table.OURS, table.OUR_SARSA):
        assert table.LEARNERS[name].nothing == "learned"


def test_rules_rank_as_they_say():
    interest = np.zeros(20, np.float32)
    interest[[3, 4, 19]] = [0.9, 0.8, -0.9]
    observation = {
        "interest": jnp.asarray(interest),
        "candidates": jnp.array([0, 3, 4, 19, 18, 0, 0, 0, 0, 0], jnp.int32),
        "choice": jnp.int32(0),
    }
    timestep = Timestep(observation, jnp.float32(0), jnp.bool_(0), jnp.bool_(0), {})

    def slate(name):
        learner = table.ranking(table.RULES[name])
        params = table.ENV.default_params
        return learner.act(params, jax.random.key(0), timestep, ())[0].tolist()

    assert slate("myopic")[:2] == [1, 2]
    assert slate("privileged: quality")[:2] == [3, 4]
    # exp(0.3 * 2.4) against 1.9 exp(0.3 * -2.3) and 0.1 exp(0.9).
    assert slate("privileged: (interest + 1) exp(0.3 quality)")[0] == 4
    assert len(set(slate("random"))) == 3


def figures(name, earned, quality):
    return [Row(name, "return", earned, seeds=3), Row(name, "quality", quality, seeds=3)]


def test_goals_by_hand():
    found = [
        *figures("random", 160.0, -0.6), *figures("myopic", 170.0, -0.5),
        *figures(table.OURS, 260.0, 1.2),
    ]  # fmt: skip
    goals = {goal.what: goal for goal in table.goals(found, 1300.0)}
    assert [goal.reached for goal in goals.values()] == [True, True, True, True, False, False]
    near = goals["myopic: percent between its return and the published one"]
    assert near.value == pytest.approx(100 * (170 / 166.3 - 1))


def test_quick_runs_from_end_to_end_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(table, "QUICK_LEARNERS", (table.OURS,))
    table.main(["--quick", "--seeds", "1"])
    out = capsys.readouterr().out
    assert f"| {table.OURS} | return |" in out and "| random | quality |" in out
    assert list(tmp_path.iterdir()) == []
