"""Policies under attack: what is worst, what is asked, and the noise of the one beside."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import robustness
from creative_rl.configs import PPOConfig
from creative_rl.experiment.robustness import ATTACKS
from creative_rl.networks import features
from creative_rl.testing import probes

NAMES = (robustness.PLAIN, robustness.NOISE, robustness.ROBUST)


def curves_of(plain, robust):
    """Two seeds over the radii of a whole run; the second attack does most."""
    harm = dict(zip(ATTACKS, (1.0, 4.0, 2.0), strict=True))
    radii = np.array(robustness.RADII)
    return {
        name: {
            attack: start - slope * by * radii + np.array([[-1.0], [1.0]])
            for attack, by in harm.items()
        }
        for name, (start, slope) in zip(NAMES, (plain, plain, robust), strict=True)
    }


def test_rows_and_goals_are_those_of_the_worst_attack():
    found = curves_of(plain=(50.0, 60.0), robust=(49.0, 5.0))
    rows = robustness.rows(found, robustness.RADII)
    values = {(row.name, row.metric): row.value for row in rows}
    assert values["plain", "radius 0"] == pytest.approx(50.0)
    assert values["plain", "radius 0.1"] == pytest.approx(50 - 60 * 4 * 0.1)
    assert values["robust, divergence alone", "radius 0.1"] == pytest.approx(49 - 5 * 0.1)
    under, without = robustness.goals(found, robustness.RADII)
    assert under.value == pytest.approx(47 / 26) and under.reached
    assert without.value == pytest.approx(49 / 50) and without.reached
    losing = curves_of(plain=(50.0, 60.0), robust=(47.0, 30.0))
    assert not any(goal.reached for goal in robustness.goals(losing, robustness.RADII))


def test_the_worst_attack_is_told_seed_by_seed_and_may_move_less_than_it_could():
    found = {"a": np.array([[1.0, 5.0], [2.0, 2.0]]), "b": np.array([[3.0, 4.0], [1.0, 2.5]])}
    np.testing.assert_array_equal(robustness.worst(found), [[1.0, 1.0], [1.0, 1.0]])
    found = {"a": np.array([[5.0, 4.0], [2.0, 2.0]]), "b": np.array([[6.0, 3.0], [4.0, 1.5]])}
    np.testing.assert_array_equal(robustness.worst(found), [[5.0, 3.0], [2.0, 1.5]])


def test_noise_moves_every_feature_within_its_radius(key):
    env = probes.MatchProbe()
    noisy, params = robustness.NoisyFeatures(env, 0.25), env.default_params

    def moved(key):
        key_reset, key_step = jax.random.split(key)
        state, first = noisy.reset(key_reset, params)
        _, second = noisy.transition(key_step, state, jnp.int32(0), params)
        seen = noisy.observe(state, params)
        return seen, jnp.stack([first.observation - seen, second.observation - seen])

    seen, noise = jax.jit(jax.vmap(moved))(jax.random.split(key, 2000))
    assert set(map(tuple, np.asarray(seen).tolist())) == {(0.0, 1.0), (1.0, 0.0)}
    assert noisy.observation_space.shape == (2,)
    np.testing.assert_allclose(np.abs(noise).max(axis=0), 0.25, rtol=0.01)
    np.testing.assert_allclose(np.asarray(noise).mean(axis=0), 0.0, atol=0.015)
    assert features(noisy.observation_space, noise[0, 0]).shape == (2,)


def test_policies_are_attacked_seed_by_seed(monkeypatch):
    """What is learned from features fits what is attacked."""
    small = PPOConfig(
        num_envs=2, num_steps=2, num_minibatches=1, hidden_sizes=(4,), learning_rate=1.0
    )  # in its steps, seeds become different policies
    monkeypatch.setattr(robustness, "CONFIG", small)
    monkeypatch.setattr(robustness, "ATTACKS", ("best_action",))
    policies = {robustness.NOISE: robustness.learned(robustness.NOISE, 2, 1)}
    found = robustness.curves(policies, (0.0, 0.3), 3)
    returns = found[robustness.NOISE]["best_action"]
    assert returns.shape == (2, 2) and np.isfinite(returns).all()
    assert returns[0, 0] != returns[1, 0]


def test_the_benchmark_from_its_policies_to_its_files(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    found = curves_of(plain=(50.0, 60.0), robust=(49.0, 5.0))
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(robustness, "learned", lambda *_: None)
    monkeypatch.setattr(
        robustness,
        "curves",
        lambda policies, radii, num: {
            name: {
                attack: returns[:, [robustness.RADII.index(radius) for radius in radii]]
                for attack, returns in found[name].items()
            }
            for name in policies
        },
    )
    robustness.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    robustness.main([])
    written = json.loads((tmp_path / "robustness.json").read_text())
    assert all(goal["reached"] for goal in written["goals"])
    assert (tmp_path / "robustness.png").read_bytes().startswith(b"\x89PNG")
