"""Melodies to a mood: what is asked, what is paid, and that a policy can follow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.envs.melody_mood import MoodMelody, mood_targets
from creative_rl.ops import affect

ENV = MoodMelody(length=12)
PARAMS = ENV.default_params


@jax.jit
def play(key, actions, params):
    state, first = ENV.reset(key, params)

    def step(state, action):
        state, timestep = ENV.transition(key, state, action, params)
        return state, timestep

    state, timesteps = jax.lax.scan(step, state, actions)
    return state, first, timesteps


def test_terms_sum_to_how_near_the_melody_came(key):
    actions = jnp.array([14, 18, 21, 1, 26, 0, 14, 18, 1, 1, 21, 26], jnp.int32)
    state, first, timesteps = play(key, actions, PARAMS)
    wanted = np.asarray(first.observation["wanted"])
    assert wanted.tolist() in PARAMS.targets.tolist()
    reached = [float(affect.valence(state.affect)), float(affect.arousal(state.affect))]
    np.testing.assert_allclose(timesteps.observation["reached"][-1], reached)
    for name, want, found in zip(("valence", "arousal"), wanted, reached, strict=True):
        paid = timesteps.info["reward_terms"][f"{name}_match"].sum()
        np.testing.assert_allclose(paid, 1 - abs(found - want) / 2, atol=1e-6)
    np.testing.assert_array_equal(ENV.work(state, PARAMS).events, actions)


def test_the_mood_stays_through_an_episode_and_all_are_asked_for():
    keys = jax.random.split(jax.random.key(3), 2048)
    _, first, timesteps = jax.vmap(play, (0, None, None))(keys, jnp.full(12, 14), PARAMS)
    wanted = np.asarray(first.observation["wanted"])
    assert (np.asarray(timesteps.observation["wanted"]) == wanted[:, None]).all()
    assert len(np.unique(wanted, axis=0)) == len(PARAMS.targets)


def test_targets_fill_the_square_and_later_ones_are_others():
    seen, held_out = mood_targets(64), mood_targets(64, first=65)
    assert np.abs(np.concatenate([seen, held_out])).max() <= 0.8
    quarter = (seen > 0) @ np.array([1, 2])
    assert (np.bincount(quarter, minlength=4) >= 12).all()
    nearest = np.linalg.norm(seen[:, None] - held_out[None], axis=-1).min()
    assert nearest > 0.01


def test_other_shapes_of_targets_are_refused(key):
    with pytest.raises(ValueError, match=r"params.targets must be \[M, 2\].*got \[3\]"):
        ENV.reset(key, PARAMS.replace(targets=jnp.zeros(3)))


def test_a_policy_follows_moods_that_it_has_not_seen():
    config = crl.PPOConfig(
        num_envs=64, num_steps=12, hidden_sizes=(64,), learning_rate=3e-3, gamma=1.0
    )
    learner = crl.learners.ppo(ENV, config)
    result = crl.train(learner, jax.random.key(1), num_updates=60, progress=False)
    unseen = PARAMS.replace(targets=jnp.asarray(mood_targets(64, first=65)))
    episodes = crl.experiment.rollout(
        ENV, unseen, learner, result.state, jax.random.key(2), num=256
    )
    for name in ("valence", "arousal"):
        assert episodes.reward_terms[f"{name}_match"].mean() > 0.8
