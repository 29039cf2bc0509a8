"""What is special to clips made at once: the terms by hand, and where the examples come from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl import works
from creative_rl.envs.pixel_animation import PixelAnimation

ENV = PixelAnimation(num_frames=4, height=8, width=16)


@pytest.fixture(scope="module")
def params():
    return ENV.default_params


def paid(params, clip):
    """The terms of one clip, and its work."""
    key_reset, key_step = jax.random.split(jax.random.key(0))
    state, _ = ENV.reset(key_reset, params)
    state, timestep = ENV.step(key_step, state, jnp.asarray(clip, jnp.float32), params)
    assert bool(timestep.terminated)
    terms = {name: float(value) for name, value in timestep.info["reward_terms"].items()}
    return terms, ENV.work(state, params)


def dots(columns, colours):
    clip = np.zeros(ENV.shape, np.float32)
    for frame, (column, colour) in enumerate(zip(columns, colours, strict=True)):
        clip[frame, 3, column] = colour
    return clip


def test_terms_by_hand(params):
    red, green = (1, 0, 0), (0, 1, 0)
    params = params.replace(
        most_drift=jnp.float32(2.0), most_jolt=jnp.float32(0.5), wanted_motion=jnp.float32(0.25)
    )
    terms, work = paid(params, dots([1, 3, 5, 7], [red] * 4))
    assert terms == pytest.approx({"colour": 0, "steadiness": 0, "motion": 0.5}, abs=1e-6)
    assert work.frames[0, 3, 1].tolist() == [255, 0, 0] and int(work.length) == 4
    # One frame of four is green: three of six pairs differ, by the root of 2. The way turns once.
    terms, _ = paid(params, dots([1, 3, 5, 3], [red, red, red, green]))
    expected = {"colour": -0.5 * 2**0.5 / 2, "steadiness": -0.125 / 0.5, "motion": 0.5}
    assert terms == pytest.approx(expected, abs=1e-6)
    terms, _ = paid(params, dots([5] * 4, [red] * 4))
    assert terms == pytest.approx({"colour": 0, "steadiness": 0, "motion": 0}, abs=1e-6)


def test_examples_earn_more_than_their_frames_in_disorder(params):
    clips = np.asarray(ENV.examples(params))[:40] / np.float32(255)
    assert clips.shape == (40, 4, 8, 16, 3)
    order = np.random.default_rng(0).permuted(np.tile(np.arange(4), (40, 1)), axis=1)
    shuffled = np.take_along_axis(clips, order[:, :, None, None, None], axis=1)
    noisy = np.random.default_rng(1).random(clips.shape, np.float32)

    @jax.jit
    def rewards(clips):
        state, _ = ENV.reset(jax.random.key(0), params)
        step = jax.vmap(ENV.step, (None, None, 0, None))
        return step(jax.random.key(1), state, clips, params)[1].reward.mean()

    ordered, *others = (float(rewards(jnp.asarray(each))) for each in (clips, shuffled, noisy))
    assert ordered > max(others) + 0.05


def test_examples_are_your_films(tmp_path):
    levels = 30 * np.arange(8, dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (8, 8, 8, 3))
    film = works.Clip(frames, np.int32(8))
    works.save(film, tmp_path / "film.gif")
    env = crl.make("animation-pixels", num_frames=4, height=8, width=8, clips=str(tmp_path))
    found = np.asarray(env.examples(env.default_params))
    assert found.shape == (2, 4, 8, 8, 3)
    np.testing.assert_allclose(found.mean((2, 3, 4)).ravel(), levels, atol=3)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_frames": 1}, r"num_frames must be a whole number in 2\.\.64, got 1"),
        ({"height": 4}, r"PixelAnimation: height must be a whole number in 8\.\.256, got 4"),
        ({"rate": 90}, r"rate must be a whole number in 1\.\.60, got 90"),
    ],
)
def test_bad_sizes_are_refused_in_one_line(keywords, message):
    with pytest.raises(ValueError, match=message):
        PixelAnimation(**keywords)


def test_before_the_step_there_is_no_frame(params):
    state, timestep = ENV.reset(jax.random.key(0), params)
    work = ENV.work(state, params)
    assert int(work.length) == 0 and not np.asarray(work.frames).any()
    assert works.suffixes(work) == [".json"]
    assert float(timestep.observation["time"]) == 0


def test_params_may_be_asked_for_inside_a_program():
    env = crl.make("animation-pixels", num_frames=2, height=8, width=8)
    shape = jax.eval_shape(
        lambda key: env.reset(key, env.default_params)[0].step, jax.random.key(0)
    )
    assert shape.shape == ()
