"""What is special to drawings: strokes on the canvas, gains that sum up, pens, and bad sizes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.envs.pen_drawing import DoodleDrawing, GridDrawing
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.envs.stroke_drawing import StrokeDrawing
from creative_rl.ops import raster
from creative_rl.rewards import drawing as rewards
from creative_rl.spaces import Box, Discrete
from creative_rl.works import Canvas

SMALL = {"height": 16, "width": 20, "num_steps": 3}
COLOUR = {"channels": 3, "background": 1.0}
PENS = {
    "strokes": StrokeDrawing(**SMALL),
    "bundle": StrokeDrawing(**SMALL, **COLOUR, strokes_per_step=2, goal="free"),
    "short": StrokeDrawing(height=32, width=32, num_steps=3, reach=6, max_radius=0.05),
    "grid": GridDrawing(height=32, width=24, num_steps=3),
    "doodle": DoodleDrawing(height=32, width=24, num_steps=3, patch=5),
    "pixels": PixelDrawing(height=8, width=8),
}


def episode(env, key, params=None):
    """The states after reset and every step of random actions, and the timesteps."""
    params = env.default_params if params is None else params
    key_reset, key_actions = jax.random.split(key)
    state, timestep = env.reset(key_reset, params)
    states, timesteps = [state], [timestep]
    for key_action in jax.random.split(key_actions, env.num_steps):
        action = env.action_space.sample(key_action)
        state, timestep = jax.jit(env.transition)(key_action, state, action, params)
        states.append(state)
        timesteps.append(timestep)
    return states, timesteps


@pytest.mark.parametrize("env", PENS.values(), ids=PENS)
def test_the_rewards_of_gains_sum_to_what_the_canvas_is_worth(env, key):
    params = env.default_params
    states, timesteps = episode(env, key)
    for term in env.terms:
        if term.name in states[-1].scores:
            gains = [float(t.info["reward_terms"][term.name]) for t in timesteps]
            whole = states[-1].scores[term.name] - states[0].scores[term.name]
            np.testing.assert_allclose(sum(gains), whole, atol=1e-5)
    picture = np.float32(states[-1].canvas) / 255
    if env.goal == "copy":
        target = np.float32(params.targets[states[0].target]) / 255
        errors = [np.square(p - target).mean() for p in (picture, np.full_like(picture, 0))]
        np.testing.assert_allclose(states[-1].scores["likeness"], 1 - errors[0] / errors[1], 1e-4)
        np.testing.assert_array_equal(
            timesteps[0].observation["target"], params.targets[states[0].target]
        )


@pytest.mark.parametrize("name", ["strokes", "bundle", "short", "grid", "doodle"])
def test_the_strokes_that_a_work_keeps_make_its_picture(name, key):
    env = PENS[name]
    states, _ = episode(env, key)
    work = env.work(states[-1], env.default_params)
    assert isinstance(work, Canvas) and int(work.length) == env.num_steps * env.num_strokes
    again = raster.render(work.strokes, env.height, env.width, env.background)
    differences = np.abs(np.int32(again) - np.int32(work.pixels))
    assert differences.max() <= 1
    early = env.work(states[1], env.default_params)
    assert int(early.length) == env.num_strokes
    assert not np.asarray(early.strokes[env.num_strokes :]).any()
    assert np.ptp(np.asarray(work.pixels)) > 0


def test_learning_to_paints_action_has_65_numbers():
    env = StrokeDrawing(channels=3, strokes_per_step=5)
    assert env.action_space == Box(0.0, 1.0, (65,))


def test_short_strokes_are_drawn_in_a_window_that_holds_them():
    env = StrokeDrawing(height=64, width=64, reach=8, least_radius=0.5, max_radius=1 / 64)
    assert env.window == 8 + 2 * 3  # radius 1.5 and the edge, on both sides
    assert StrokeDrawing(height=16, width=16, reach=8, max_radius=0.3).window is None


@pytest.mark.parametrize("goal", ["copy", "free"])
def test_the_differentiable_twin_earns_the_same_and_has_gradients(goal, key):
    env = StrokeDrawing(**SMALL, goal=goal, terms=() if goal == "copy" else (rewards.BALANCE,))
    twin = dataclasses.replace(env, differentiable=True)
    assert twin.observation_space.zeros()["canvas"].dtype == jnp.float32
    action = env.action_space.sample(key)
    params = env.default_params

    def reward(env, action):
        state, _ = env.reset(key, params)
        return env.transition(key, state, action, params)[1].reward

    np.testing.assert_allclose(reward(env, action), reward(twin, action), atol=0.01)
    gradient = jax.grad(lambda action: reward(twin, action))(action)
    assert jnp.isfinite(gradient).all() and (gradient != 0).sum() >= 8


def test_a_copy_of_the_target_earns_one(key):
    env = PixelDrawing(goal="copy", height=8, width=8)
    params = env.default_params
    state, timestep = env.reset(key, params)
    picture = timestep.observation["target"].astype(jnp.float32) / 255
    state, timestep = env.step(key, state, picture, params)
    assert timestep.reward == pytest.approx(1, abs=1e-5)
    assert timestep.terminated
    np.testing.assert_array_equal(env.work(state, params).pixels, timestep.observation["target"])


def test_a_target_like_the_empty_canvas_makes_no_rewards_explode(key):
    env = StrokeDrawing(**SMALL)
    params = env.default_params
    params = params.replace(targets=jnp.zeros_like(params.targets))
    _, timesteps = episode(env, key, params)
    assert all(jnp.isfinite(timestep.reward) for timestep in timesteps)


def test_the_doodling_pen_moves_and_pays_for_slowness(key):
    env = DoodleDrawing(height=32, width=32, num_steps=4, patch=11)
    params = env.default_params
    state, timestep = env.reset(key, params)
    state = state.replace(place=jnp.array([16, 16], jnp.int32))
    assert env.action_space == Discrete(242)
    # Pen up, five to the left; then down, two to the right.
    state, timestep = env.step(key, state, jnp.int32(121 + 5 * 11 + 0), params)
    assert state.place.tolist() == [11, 16] and not state.canvas.any()
    assert timestep.info["reward_terms"]["slow_move"] == 0
    state, timestep = env.step(key, state, jnp.int32(5 * 11 + 7), params)
    assert state.place.tolist() == [13, 16] and timestep.info["reward_terms"]["slow_move"] == 1
    drawn = np.argwhere(np.asarray(state.canvas)[..., 0] > 127)
    assert drawn[:, 1].min() in (10, 11) and drawn[:, 1].max() in (13, 14)
    np.testing.assert_allclose(timestep.observation["place"], [13 / 31, 16 / 31], atol=1e-6)


def test_pens_draw_black_on_white_paper_too(key):
    env = DoodleDrawing(height=16, width=16, num_steps=2, patch=5, background=1.0)
    state, _ = env.reset(key, env.default_params)
    state, _ = env.step(key, state, jnp.int32(14), env.default_params)
    assert state.canvas.min() < 60


def test_the_registry_makes_the_published_sizes():
    assert crl.make("drawing-copy-doodle").action_space == Discrete(242)
    assert crl.make("drawing-copy-doodle").shape == (84, 84, 1)
    assert crl.make("drawing-copy-pen").action_space == Discrete(512)
    assert crl.make("drawing-digits").shape == (32, 32, 1)


def test_other_weights_do_not_compile_again(key):
    env = PENS["bundle"]
    step = jax.jit(env.step)
    params = env.default_params
    state, _ = env.reset(key, params)
    step(key, state, env.action_space.zeros(), params)
    weights = {name: jnp.float32(2) for name in params.weights}
    step(key, state, env.action_space.zeros(), params.replace(weights=weights))
    assert step._cache_size() == 1


@pytest.mark.parametrize(
    ("make", "fields", "message"),
    [
        (StrokeDrawing, {"height": 3}, r"height must be a whole number in 4\.\.1024, got 3"),
        (StrokeDrawing, {"width": 4096}, r"width must be a whole number in 4\.\.1024, got 4096"),
        (StrokeDrawing, {"channels": 2}, r"channels must be 1 \(grey\) or 3 \(colours\), got 2"),
        (StrokeDrawing, {"channels": True}, r"channels must be a whole number in 1\.\.3, got True"),
        (StrokeDrawing, {"goal": "win"}, r"goal must be one of .*, got 'win'"),
        (StrokeDrawing, {"background": 2.0}, r"background must be a number in 0\.\.1, got 2\.0"),
        (StrokeDrawing, {"num_steps": 0}, r"num_steps must be a whole number in 1\.\.10000, got 0"),
        (StrokeDrawing, {"strokes_per_step": 17}, r"strokes_per_step .* 1\.\.16, got 17"),
        (StrokeDrawing, {"reach": 65}, r"reach .* 0\.\.64, got 65"),
        (StrokeDrawing, {"max_radius": 0.6}, r"max_radius .* 0\.\.0\.5, got 0\.6"),
        (StrokeDrawing, {"least_radius": -1}, r"least_radius .* 0\.\.64, got -1"),
        (GridDrawing, {"num_tools": 5}, r"num_tools .* 1\.\.4, got 5"),
        (DoodleDrawing, {"patch": 4}, r"patch must be odd, .* got 4"),
        (
            StrokeDrawing,
            {"goal": "free", "terms": (rewards.LIKENESS,)},
            r"the term likeness needs goal 'copy', got 'free'",
        ),
    ],
)
def test_sizes_out_of_range_are_refused(make, fields, message):
    with pytest.raises(ValueError, match=f"{make.__name__}: {message}"):
        make(**fields)
