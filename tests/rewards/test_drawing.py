"""The terms of drawings: gains of measures by hand, the style that a judge decides, slow moves."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.ops import composition
from creative_rl.rewards import drawing as rewards
from creative_rl.rewards import judge
from creative_rl.typing import Transition

STYLE = PixelDrawing(goal="style", height=4, width=4, num_steps=3, judge_sizes=(8,))


def view(picture, **fields):
    defaults = dict(
        target=None,
        blank_error=jnp.float32(1),
        background=0.0,
        params=SimpleNamespace(wanted_coverage=jnp.float32(0.5)),
        likelihood_fn=lambda picture: picture.mean(),
    )
    return rewards.View(picture=jnp.asarray(picture, jnp.float32), **{**defaults, **fields})


def between(before, after):
    """The transition between two states, of which terms read these fields."""
    return Transition(SimpleNamespace(**before), jnp.int32(0), SimpleNamespace(**after), None)


# Measures.


def test_likeness_is_the_share_of_the_empty_canvass_error_that_is_gone():
    target = jnp.ones((2, 2, 1), jnp.float32)
    halves = np.float32([[1, 1], [0, 0]])[..., None]
    likeness = rewards.MEASURES["likeness"]
    assert float(likeness(view(np.zeros((2, 2, 1)), target=target))) == 0
    assert float(likeness(view(halves, target=target))) == 0.5
    assert float(likeness(view(target, target=target))) == 1
    # Half of the way is three quarters of the square; a blank error of 1/4 weighs it by 4.
    assert float(likeness(view(np.full((2, 2, 1), 0.5), target=target))) == 0.75
    assert float(likeness(view(halves, target=target, blank_error=jnp.float32(0.25)))) == -1


def test_squared_error_is_the_mean_over_pixels_and_channels():
    first = jnp.zeros((1, 2, 3), jnp.float32)
    second = jnp.float32([[[1, 0, 0], [0.5, 0.5, 0]]])
    assert float(rewards.squared_error(first, second)) == pytest.approx(1.5 / 6)


@pytest.mark.parametrize("name", ["balance", "symmetry"])
def test_ink_is_what_differs_from_the_background(name):
    """Black on white is worth what white on black is."""
    picture = jax.random.uniform(jax.random.key(0), (5, 6, 3)).at[:, 4:].multiply(0.1)
    measure = rewards.MEASURES[name]
    value = measure(view(picture))
    np.testing.assert_allclose(measure(view(1 - picture, background=1.0)), value, rtol=1e-5)
    of_ink = getattr(composition, name)(picture.mean(axis=-1))
    np.testing.assert_allclose(value, of_ink, rtol=1e-5)
    assert abs(float(value) - float(measure(view(1 - picture)))) > 0.01


@pytest.mark.parametrize("name", ["contrast", "harmony", "complexity"])
def test_other_measures_are_those_of_the_picture(name):
    picture = jax.random.uniform(jax.random.key(0), (5, 6, 3))
    expected = getattr(composition, name)(picture)
    assert float(rewards.MEASURES[name](view(picture))) == float(expected) > 0


def test_coverage_is_wanted_by_the_params():
    half = np.float32([[1, 1], [0, 0]])[..., None]
    wants = [SimpleNamespace(wanted_coverage=jnp.float32(share)) for share in (0.5, 1.0, 0.25)]
    found = [float(rewards.MEASURES["coverage"](view(half, params=want))) for want in wants]
    # All that was wanted; half of it; a third of the way too far.
    np.testing.assert_allclose(found, [1, 0.5, 2 / 3], rtol=1e-6)


def test_style_is_what_the_judge_thinks():
    assert float(rewards.MEASURES["style"](view(np.full((2, 2, 1), 0.75)))) == 0.75


# Terms.


def test_terms_are_gains_with_the_documented_weights():
    weights = {term.name: term.weight for term in rewards.FREE_TERMS}
    names = {"balance", "symmetry", "contrast", "harmony", "complexity", "coverage"}
    assert set(weights) == names and sum(weights.values()) == pytest.approx(1)
    assert [term.weight for term in (rewards.LIKENESS, rewards.STYLE)] == [1.0, 1.0]
    terms = (*rewards.FREE_TERMS, *rewards.COPY_TERMS, *rewards.STYLE_TERMS)
    assert {term.name for term in terms} == set(rewards.MEASURES)
    before = {name: jnp.float32(n) for n, name in enumerate(rewards.MEASURES)}
    after = {name: 3 * value + 1 for name, value in before.items()}
    for n, name in enumerate(rewards.MEASURES):
        (term,) = (term for term in terms if term.name == name)
        assert float(term.fn(between({"scores": before}, {"scores": after}))) == 2 * n + 1
        assert term.source


@pytest.mark.parametrize(
    ("moved", "slow"), [((0, 0), 1), ((4, 4), 1), ((-4, 2), 1), ((5, 0), 0), ((1, -5), 0)]
)
def test_moves_below_five_pixels_are_slow(moved, slow):
    start = jnp.array([20, 30], jnp.int32)
    seen = between({"place": start}, {"place": start + jnp.array(moved, jnp.int32)})
    value = rewards.SLOW_MOVE.fn(seen)
    assert value.dtype == jnp.float32 and float(value) == slow
    assert rewards.SLOW_MOVE.weight == -0.005


# The style of a drawing.


def random_episodes(env, params, num=4):
    """Timesteps [T, B] of random pictures, and the last states."""
    key_reset, key_actions = jax.random.split(jax.random.key(5))
    keys = jax.random.split(key_reset, num)
    states, _ = jax.vmap(env.reset, (0, None))(keys, params)
    actions = env.action_space.sample(key_actions, (env.num_steps, num))

    @jax.jit
    def play(states):
        def step(states, actions):
            return jax.vmap(env.transition, (0, 0, 0, None))(keys, states, actions, params)

        return jax.lax.scan(step, states, actions)

    return states, *play(states)


def test_the_gains_of_style_are_the_judges_change_of_mind():
    params = STYLE.default_params
    first, last, timesteps = random_episodes(STYLE, params)
    likelihoods = [
        judge.likelihood(STYLE._judge_network, params.judge, state.canvas / jnp.float32(255))
        for state in (first, last)
    ]
    gains = timesteps.info["reward_terms"]["style"].sum(0)
    np.testing.assert_allclose(gains, likelihoods[1] - likelihoods[0], atol=1e-6)
    np.testing.assert_allclose(timesteps.reward.sum(0), gains, atol=1e-6)
    assert np.abs(gains).min() > 1e-4


def test_updating_the_params_teaches_the_judge_and_nobody_else():
    params = STYLE.default_params
    _, _, timesteps = random_episodes(STYLE, params)
    assert timesteps.ended[-1].all() and not timesteps.ended[:-1].any()
    update = jax.jit(STYLE.update_params)
    after = update(params, timesteps)
    jax.tree.map(np.testing.assert_array_equal, after.replace(judge=params.judge), params)
    assert int(after.judge.num_steps) == STYLE.judge_steps
    # It learned from the finished drawings: what came before may be anything.
    canvas = timesteps.observation["canvas"].at[:-1].set(7)
    blotted = timesteps.replace(observation={**timesteps.observation, "canvas": canvas})
    jax.tree.map(np.testing.assert_array_equal, update(params, blotted), after)
    # Without any, nothing changes.
    early = timesteps.replace(terminated=jnp.zeros_like(timesteps.terminated))
    jax.tree.map(np.testing.assert_array_equal, update(params, early), params)


def test_the_last_observation_counts_where_the_episode_was_reset():
    """Learners show the next episode's first canvas; the finished one is in the info."""
    params = STYLE.default_params
    _, _, timesteps = random_episodes(STYLE, params)
    blank = jax.tree.map(jnp.zeros_like, timesteps.observation)
    shown = timesteps.replace(
        observation=blank, info={**timesteps.info, "final_observation": timesteps.observation}
    )
    update = jax.jit(STYLE.update_params)
    expected = update(params, timesteps)
    jax.tree.map(np.testing.assert_array_equal, update(params, shown), expected)


def test_other_goals_have_no_judge():
    env = PixelDrawing(goal="free", height=4, width=4)
    params = env.default_params
    assert params.judge is None
    _, _, timesteps = random_episodes(env, params)
    assert env.update_params(params, timesteps) is params
