"""Whether moods are followed: what is composed to, what is measured, what is asked."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from reference.affect import felt as felt_plainly

from benchmarks import record
from benchmarks.tables import melody_mood


def test_feelings_are_those_of_the_plain_rule():
    events = np.random.default_rng(0).integers(38, size=(20, 32))
    expected = [felt_plainly(melody) for melody in events.tolist()]
    np.testing.assert_allclose(melody_mood.felt(jnp.asarray(events)), expected, atol=1e-6)


def test_rows_are_correlations_and_distances_of_each_feeling():
    targets = np.array([[-0.5, 0.5], [0.0, 0.0], [0.5, -0.5]])
    same, turned = targets.copy(), -targets
    rows = melody_mood.rows(
        targets, {"ppo": np.stack([same, turned]), "ppo, told nothing": np.zeros((1, 3, 2))}
    )
    values = {(row.name, row.metric): row.value for row in rows}
    assert values["ppo", "valence: correlation"] == pytest.approx(0.0)  # 1 and -1
    assert values["ppo", "arousal: distance"] == pytest.approx((0 + 2 / 3) / 2)
    assert values["ppo, told nothing", "valence: correlation"] == 0.0
    assert values["ppo, told nothing", "valence: distance"] == pytest.approx(1 / 3)
    assert [goal.reached for goal in melody_mood.goals(rows)] == [False, False]


def test_targets_of_the_table_are_held_out():
    trained = melody_mood.mood_targets(64)
    asked = melody_mood.mood_targets(melody_mood.NUM_HELD_OUT, first=melody_mood.FIRST_HELD_OUT)
    assert np.linalg.norm(trained[:, None] - asked[None], axis=-1).min() > 1e-3


def test_the_benchmark_from_its_policies_to_its_files(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    targets = melody_mood.mood_targets(8)
    came = np.stack([targets + 0.01, targets - 0.02])
    found = {melody_mood.FOLLOWS: came, melody_mood.IGNORES: np.zeros_like(came)}
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(melody_mood, "followed", lambda *_: (targets, found))
    melody_mood.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    melody_mood.main([])
    written = json.loads((tmp_path / "melody_mood.json").read_text())
    assert all(goal["reached"] for goal in written["goals"])
    assert (tmp_path / "melody_mood.png").read_bytes().startswith(b"\x89PNG")
