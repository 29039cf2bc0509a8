"""Whether several are better than one: what is measured of them, and what is asked."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import ensembles
from benchmarks.tables.ensembles import ONE, SEVERAL, Played
from creative_rl.corpora.songs import songs


def played(gain=1.0):
    """Three groups of two members, whose returns are 1 and 3, 2 and 4, 3 and 5, each of two works
    that differ by 2; ensembles have their groups' means and a gain."""
    first = np.array([[1.0, 3.0], [2.0, 4.0], [3.0, 5.0]])
    members = np.stack([first - 1, first + 1], axis=2)
    pooled = members.mean(axis=1) + gain
    return Played(members, {"mixture": pooled, "product": pooled[::-1]})


def test_rows_are_means_and_variances_of_members_and_of_groups():
    value = {(row.name, row.metric): row.value for row in ensembles.policy_rows("dqn", played())}
    assert value["dqn: a member", "return"] == pytest.approx(3.0)
    assert value["dqn: a member", "deviation over works"] == pytest.approx(1.0)
    # Of 1, 3, 2, 4, 3, 5 around 3: squares 4, 0, 1, 1, 0, 4 over 5.
    assert value["dqn: a member", "deviation over policies"] == pytest.approx(np.sqrt(2.0))
    assert value["dqn: best member", "return"] == pytest.approx(4.0)
    assert value["dqn: best member", "gain"] == pytest.approx(1.0)
    assert value["dqn: mixture", "return"] == pytest.approx(4.0)
    assert value["dqn: mixture", "gain"] == pytest.approx(1.0)
    assert value["dqn: mixture", "deviation over policies"] == pytest.approx(1.0)
    assert value["dqn: mixture", "variance"] == pytest.approx(0.5)
    assert value["dqn: product", "gain"] == pytest.approx(1.0)  # 2 + 1 - 2 and so on, turned


def test_intervals_are_of_groups_drawn_anew():
    row = ensembles.bootstrapped("x", "y", lambda groups: float(groups.max()), 3)
    assert (row.value, row.low, row.high, row.seeds) == (2.0, 1.0, 2.0, 3)


def test_songs_look_as_their_chords():
    known = ensembles.known_songs(2, seed=3)
    first = songs(2, ensembles.ENV.num_frames, 3)
    assert known.pictures.shape == (2, 32, 24, 1) and known.pictures.dtype == jnp.uint8
    assert set(np.unique(known.pictures)) == {0, 255}
    assert (np.asarray(known.pictures[:, :, 12:]) == 255).sum(axis=(2, 3)).tolist() == [
        [3] * 32
    ] * 2
    is_c = first.chords == 1
    assert is_c.any()
    classes = np.asarray(known.pictures)[is_c][:, 12:, 0]
    np.testing.assert_array_equal(np.flatnonzero(classes[0]), [0, 4, 7])
    assert (classes == classes[0]).all()


def test_goals_are_ends_of_intervals():
    told = {"own judges": 0.5, "harmony": 0.5}
    found = {
        ONE: [{**told, "fresh judge": value} for value in (0.1, 0.2, 0.1)],
        SEVERAL: [{**told, "fresh judge": value} for value in (0.3, 0.4, 0.3)],
    }
    rows = ensembles.policy_rows("dqn", played(1.0)) + ensembles.judged_rows(found)
    goals = {goal.what: goal for goal in ensembles.goals(rows)}
    assert goals["dqn: gain in return of a mixture, low end"].reached
    gap = f"fresh judge: gap between the intervals, {SEVERAL} above {ONE}"
    assert goals[gap].value == pytest.approx(0.3 - 0.2)
    gap = f"fresh judge, deviation: gap between the intervals, {ONE} above {SEVERAL}"
    assert goals[gap].value < 0  # both deviate alike
    worse = ensembles.policy_rows("dqn", played(-1.0)) + ensembles.judged_rows(found)
    lost = {goal.what: goal for goal in ensembles.goals(worse)}
    assert lost["dqn: gain in return of a mixture, low end"].reached is False


def test_the_benchmark_from_its_policies_to_its_files(tmp_path, monkeypatch):
    told = [{"own judges": 0.8, "fresh judge": value, "harmony": value} for value in (0.1, 0.2)]
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(ensembles, "population", lambda *_: played())
    monkeypatch.setattr(ensembles, "known_songs", lambda num, seed: None)
    monkeypatch.setattr(ensembles, "judged", lambda *_: told)
    ensembles.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    ensembles.main([])
    written = json.loads((tmp_path / "ensembles.json").read_text())
    names = {row["name"] for row in written["rows"]}
    assert {"dqn: mixture", "ppo: product", ONE, SEVERAL} <= names and len(written["goals"]) == 10


def test_a_fresh_judge_tells_what_it_has_not_seen_apart():
    real, made = jnp.full((16, 8, 24, 1), 255, jnp.uint8), jnp.zeros((16, 8, 24, 1), jnp.uint8)
    judge = jax.jit(ensembles.fresh_judge)
    assert judge(real, made, jax.random.key(0)) < 0.1
    assert 0.3 < judge(made, made, jax.random.key(0)) < 0.7
