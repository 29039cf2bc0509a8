"""Clickbait and satisfaction in the mean, against the formulas of the source."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.envs.recommendation_satisfaction import SatisfactionRecommendation

ENV = crl.make("recommendation-satisfaction")
PARAMS = ENV.default_params
STEP = jax.jit(jax.vmap(ENV.transition, (0, None, None, None)))
RESET = jax.jit(jax.vmap(ENV.reset, (0, None)))
KEYS = jax.random.split(jax.random.key(1), 4096)


@pytest.mark.parametrize(("clickbait", "exposure"), [(1.0, 0.0), (0.25, 1.5)])
def test_engagement_and_exposure(clickbait, exposure):
    state, _ = ENV.reset(jax.random.key(0), PARAMS)
    state = state.replace(
        clickbait=jnp.full(10, clickbait, jnp.float32), exposure=jnp.float32(exposure)
    )
    after, timestep = STEP(KEYS, state, jnp.int32(3), PARAMS)
    log = np.log(np.asarray(timestep.reward))
    mean = (5 * clickbait + 4 * (1 - clickbait)) / (1 + np.exp(-0.01 * exposure))
    np.testing.assert_allclose([log.mean(), log.std()], [mean, 1], atol=0.06)
    moved = np.asarray(after.exposure)
    expected = 0.7 * exposure - 2 * (clickbait - 0.5)
    np.testing.assert_allclose([moved.mean(), moved.std()], [expected, 0.05], atol=0.005)
    assert abs(np.corrcoef(log, moved)[0, 1]) < 0.06
    told = np.asarray(timestep.observation["engagement"])
    np.testing.assert_allclose(told, np.minimum(timestep.reward, 100.0))
    assert (np.asarray(timestep.reward) > 100).any()


def test_a_session_starts_anywhere_and_candidates_are_drawn_anew():
    state, timestep = RESET(KEYS, PARAMS)
    exposure = np.asarray(state.exposure)
    np.testing.assert_allclose([exposure.min(), exposure.max()], [-1 / 0.6, 1 / 0.6], atol=0.01)
    np.testing.assert_allclose(timestep.observation["candidates"].mean(), 0.5, atol=0.01)


def test_the_work_tells_clickbait_and_engagement():
    env = SatisfactionRecommendation(num_candidates=2, num_steps=2)
    state, _ = env.reset(jax.random.key(0), PARAMS)
    percent = [round(100 * float(c)) for c in state.clickbait]
    state, timestep = jax.jit(env.step)(jax.random.key(1), state, jnp.int32(1), PARAMS)
    work = env.work(state, PARAMS)
    assert work.items[0].tolist() == [percent[1]] and int(work.length) == 1
    np.testing.assert_allclose(work.amounts[0], timestep.reward, rtol=1e-3)
    line = crl.works.text(work).splitlines()[0]
    assert f"[{percent[1]} % clickbait]" in line and "engagement, clickbait" in line


@pytest.mark.parametrize("fields", [{"num_candidates": 0}, {"num_steps": 0}])
def test_sizes_out_of_range_are_refused(fields):
    with pytest.raises(ValueError, match=r"SatisfactionRecommendation: num_.* whole number in 1"):
        SatisfactionRecommendation(**fields)
