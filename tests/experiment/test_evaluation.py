"""What an evaluation measures of arrangements, by a run that has learned next to nothing."""

import jax
import numpy as np
import pytest

from creative_rl import configs, metrics, wrappers
from creative_rl.experiment import RunSpec, evaluation, start
from creative_rl.experiment.opening import load_states, open_run, seed_state

SPEC = RunSpec(
    "arrangement",
    "reinforce",
    configs.ReinforceConfig(num_envs=2, hidden_sizes=(4,), num_steps=3),
    env_overrides={"num_slots": 3, "num_phrases": 2, "phrase_frames": 8, "ensemble": "strings"},
    num_updates=1,
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "arranger"
    return open_run(start(SPEC, folder, progress=False, loggers=[])[0].path)


def wanted(env, params, num):
    """The curves of the episodes that seed 0 plays, from the observations that they begin with."""
    reset = jax.jit(lambda key: env.reset(key, params)[1].observation["wanted"])
    keys = [jax.random.fold_in(jax.random.key(0), index) for index in range(num)]
    return np.stack([reset(jax.random.split(key)[0]) for key in keys])


def test_arrangements_are_held_against_the_curves_of_their_episodes(opened):
    found = {row.measure: row for row in evaluation.evaluate(opened.run.path, 6).rows}
    state = seed_state(load_states(opened), 0)
    works = opened.play(state, jax.random.key(0), 6).works
    curves = wanted(opened.env, opened.params(state), 6)
    assert len(np.unique(curves, axis=0)) == 6
    expected = metrics.energy_correlation(works, curves)
    assert expected.std() > 0
    assert found["energy_correlation"].mean == pytest.approx(expected.mean())
    shares = metrics.playable_share(works)
    assert found["playable_share"].mean == pytest.approx(shares.mean())
    assert 0 < shares.mean() <= 1
    # A wrapper around the environment changes nothing.
    wrapped = opened._replace(env=wrappers.EpisodeLog(opened.env))
    inside = evaluation._as_asked(wrapped, state, jax.random.key(0), works)
    np.testing.assert_allclose(inside["energy_correlation"], expected)
