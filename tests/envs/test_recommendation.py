"""The user of RecSim's interest evolution, by hand-computed numbers and in the mean."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.envs.recommendation import InterestRecommendation
from creative_rl.works.slate import text

ENV = crl.make("recommendation-interest")
PARAMS = ENV.default_params
SURE = PARAMS.replace(quality_deviation=jnp.float32(0))
STEP = jax.jit(jax.vmap(ENV.transition, (0, None, None, None)))
KEYS = jax.random.split(jax.random.key(1), 4096)


def user(interest, topics, budget=200.0):
    """A state at the start, with these interests by topic, 0 elsewhere."""
    state, _ = ENV.reset(jax.random.key(0), PARAMS)
    values = np.zeros(20, np.float32)
    for topic, value in interest.items():
        values[topic] = value
    return state.replace(
        interest=jnp.asarray(values),
        topics=jnp.asarray(topics, jnp.int32),
        budget=jnp.float32(budget),
    )


TOPICS = [19, 0, 13, 5, 5, 5, 5, 5, 5, 5]
"""Of qualities 3, -3 and 0; -3 + 15 / 13."""


def test_choices_watching_and_the_budget():
    start = user({19: 0.5, 0: 1.0, 13: -1.0}, TOPICS)
    after, timestep = STEP(KEYS, start, jnp.array([0, 1, 2], jnp.int32), SURE)
    choice = np.asarray(after.choice)
    # Scores 1.5, 2, 0, and 2 for nothing.
    shares = np.bincount(choice, minlength=4) / len(KEYS)
    np.testing.assert_allclose(shares, [2 / 5.5, 1.5 / 5.5, 2 / 5.5, 0], atol=0.03)
    gain = 4 * 0.9 / 3.4 * 3
    budget = {0: 199.5, 1: 196 + gain, 2: 196 - gain}
    for place, expected in budget.items():
        np.testing.assert_allclose(np.asarray(after.budget)[choice == place], expected, rtol=1e-6)
    np.testing.assert_array_equal(timestep.reward, np.where(choice > 0, 4.0, 0.0))
    quality = np.array([0.0, 3.0, -3.0])[choice]
    np.testing.assert_allclose(timestep.info["reward_terms"]["quality"], quality, rtol=1e-6)
    np.testing.assert_array_equal(timestep.info["reward_terms"]["clicks"], choice > 0)
    np.testing.assert_allclose(after.qualities, [[3.0, -3.0, 0.0]] * len(KEYS), atol=1e-6)


def test_only_the_interest_in_what_was_watched_moves():
    start = user({19: 0.5, 0: 1.0}, TOPICS)
    after, _ = STEP(KEYS, start, jnp.array([0, 1, 2], jnp.int32), SURE)
    moved = np.asarray(after.interest) - np.asarray(start.interest)
    choice = np.asarray(after.choice)
    assert not np.delete(moved, [19, 13], axis=1).any()  # an interest of 1 stays
    assert not moved[choice == 0].any() and not moved[choice == 1][:, 13].any()
    up, down = moved[choice == 1][:, 19] > 0, moved[choice == 1][:, 19] < 0
    assert (up | down).all()
    np.testing.assert_allclose(up.mean(), 0.75, atol=0.05)
    np.testing.assert_allclose(np.abs(moved[choice == 1][:, 19]), 0.3 * 0.5 * 0.5, rtol=1e-5)


def test_the_last_minutes():
    start = user({19: 1.0, 0: 1.0}, TOPICS, budget=1.5)
    after, timestep = STEP(KEYS, start, jnp.array([0, 1, 1], jnp.int32), SURE)
    choice, budget = np.asarray(after.choice), np.asarray(after.budget)
    assert set(choice) == {0, 1, 2}
    np.testing.assert_array_equal(timestep.reward, np.where(choice > 0, 1.5, 0.0))
    np.testing.assert_allclose(budget[choice == 1], 1.5 * 0.9 / 3.4 * 3, rtol=1e-5)
    np.testing.assert_array_equal(timestep.terminated, choice == 2)
    assert not timestep.truncated.any()


def test_what_stands_twice_is_shown_once():
    start = user({19: 1.0}, TOPICS)
    after, timestep = STEP(KEYS, start, jnp.array([0, 0, 0], jnp.int32), PARAMS)
    shares = np.bincount(np.asarray(after.choice), minlength=4) / len(KEYS)
    np.testing.assert_allclose(shares, [0.5, 0.5, 0, 0], atol=0.03)
    assert not timestep.observation["quality"][:, 1:].any()
    # Two candidates of one topic are two.
    after, _ = STEP(KEYS, start, jnp.array([3, 4, 5], jnp.int32), PARAMS)
    shares = np.bincount(np.asarray(after.choice), minlength=4) / len(KEYS)
    np.testing.assert_allclose(shares, [0.4, 0.2, 0.2, 0.2], atol=0.03)


def test_candidates_are_drawn_anew_and_qualities_about_their_means():
    start = user({}, TOPICS)
    after, timestep = STEP(KEYS, start, jnp.array([0, 1, 2], jnp.int32), PARAMS)
    np.testing.assert_allclose(after.qualities.mean(0), [3, -3, 0], atol=0.01)
    np.testing.assert_allclose(after.qualities.std(0), 0.1, atol=0.005)
    topics = timestep.observation["candidates"]
    shares = np.bincount(np.asarray(topics).ravel(), minlength=20) / topics.size
    np.testing.assert_allclose(shares, 0.05, atol=0.005)
    correlation = np.corrcoef(np.asarray(topics), rowvar=False) - np.eye(10)
    assert np.abs(correlation).max() < 0.08


def test_what_learners_of_slates_are_told():
    state = user({19: 0.5, 0: -1.0}, TOPICS)
    told = ENV.candidates(ENV.observe(state, PARAMS), PARAMS)
    np.testing.assert_array_equal(told.user, state.interest)
    np.testing.assert_array_equal(told.items.argmax(1), TOPICS)
    np.testing.assert_allclose(told.scores, [1.5, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    assert (float(told.nothing), int(told.choice)) == (2.0, 0)
    assert crl.wrappers.EpisodeLog(ENV).candidates(ENV.observe(state, PARAMS), PARAMS).choice == 0
    with pytest.raises(ValueError, match="TargetMelody has no candidates to recommend"):
        crl.make("melody-target").candidates(jnp.int32(0), None)


def test_the_work_is_what_was_shown():
    env = InterestRecommendation(num_topics=5, num_steps=3, names=tuple("abcde"))
    state, _ = env.reset(jax.random.key(0), env.default_params)
    shown, choices, step = [], [], jax.jit(env.step)
    for key in jax.random.split(jax.random.key(2), 4):  # one more than is kept
        if len(shown) < 3:
            shown.append(state.topics[jnp.array([2, 0])].tolist())
        state, timestep = step(key, state, jnp.array([2, 0, 2], jnp.int32), env.default_params)
        choices.append(int(timestep.observation["choice"]))
    assert bool(timestep.truncated) and int(state.step) == 3
    work = env.work(state, env.default_params)
    assert work.items[:, :2].tolist() == shown and work.items[:, 2].tolist() == [-1] * 3
    assert work.choices.tolist() == choices[:3]
    assert text(work).count("–") == 3 and work.names == tuple("abcde")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_topics": 1}, r"num_topics must be a whole number in 2\.\.256, got 1"),
        ({"num_candidates": 0}, r"num_candidates must be a whole number in 1\.\.256, got 0"),
        ({"slate_size": 11}, r"slate_size must be a whole number in 1\.\.10, got 11"),
        ({"num_steps": 0}, r"num_steps must be a whole number in 1\.\.4096, got 0"),
        ({"names": ("a",)}, r"names must be none or 20 \(num_topics\), got 1"),
    ],
)
def test_sizes_out_of_range_are_refused(fields, message):
    with pytest.raises(ValueError, match=f"InterestRecommendation: {message}"):
        InterestRecommendation(**fields)
