import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import VideoGANConfig
from creative_rl.envs.pixel_animation import PixelAnimation
from creative_rl.learners.video_gan import video_gan
from creative_rl.wrappers import AutoReset

SIZES = {"num_frames": 4, "height": 8, "width": 8}
TINY = VideoGANConfig(
    batch_size=2, num_steps=2, channels=(2, 3), content_size=2, motion_size=2, code_size=2,
    hidden_size=16, num_pictures=2, num_probes=6,
)  # fmt: skip
CASE = Case(small=TINY, task=("animation-pixels", SIZES))

ENV = PixelAnimation(**SIZES)


@pytest.fixture(scope="module")
def params():
    """One clip, of a bright band that goes from left to right over red."""
    clip = np.zeros((4, 8, 8, 3), np.uint8)
    clip[..., 0] = 120
    for frame in range(4):
        clip[frame, :, 2 * frame : 2 * frame + 2] = 255
    return ENV.default_params.replace(clips=jnp.asarray(np.stack([clip] * 8)))


def test_makes_what_the_examples_are(params):
    config = VideoGANConfig(
        batch_size=8, num_steps=30, channels=(8, 16), content_size=4, motion_size=4, code_size=8,
        hidden_size=32, num_pictures=2, num_probes=32, learning_rate=2e-3,
        discriminator_learning_rate=4e-3, ema_decay=0.95, penalty_coef=0.1,
    )  # fmt: skip
    learner = video_gan(ENV, config, params)

    @jax.jit
    def run(key):
        state = learner.init(key)
        state, metrics = jax.lax.scan(lambda s, _: learner.update(s), state, None, 12)
        return learner.generate(state, jax.random.key(1), 64), metrics

    made, metrics = run(jax.random.key(0))
    assert made.length.tolist() == [4] * 64 and made.frames.dtype == jnp.uint8
    shown = np.asarray(made.frames, int)
    errors = np.abs(shown - np.asarray(params.clips[0], int)).mean((1, 2, 3, 4))
    assert np.median(errors) < 45  # at first more than 90
    # The band is where it belongs in every frame: brighter than the rest, which is red.
    green = shown[..., 1].mean(axis=(0, 2)).reshape(4, 4, 2).mean(axis=2)
    assert green.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert metrics["discriminator_loss"][-1] > 0
    assert set(metrics) == {
        "discriminator_loss", "generator_loss", "real_score", "fake_score",
        "real_picture_score", "fake_picture_score", "gradient_penalty", "recall", "vendi",
        "colour_drift", "motion", "jolt", "real_colour_drift", "real_motion", "real_jolt",
    }  # fmt: skip


def test_a_step_moves_both_critics_and_then_the_generator(params):
    config = dataclasses.replace(TINY, num_steps=1, loss="hinge", spectral_norm=True)
    learner = video_gan(ENV, config, params)
    state = learner.init(jax.random.key(0))
    new, metrics = jax.jit(learner.update)(state)
    kernels = [
        jax.tree.leaves(jax.tree.map(lambda a, b: bool((a != b).any()), tree, other))
        for tree, other in (
            (state.discriminator["params"], new.discriminator["params"]),
            (state.generator, new.generator),
        )
    ]
    # But for the two last biases, which move real and made scores alike.
    assert np.mean(kernels[0]) > 0.8 and np.mean(kernels[1]) > 0.9
    # A first step of Adam without momentum is as long as its rate, wherever there is a gradient.
    moves = jax.tree.map(lambda a, b: np.abs(a - b).max(), new.generator, state.generator)
    np.testing.assert_allclose(max(jax.tree.leaves(moves)), config.learning_rate, rtol=1e-2)
    hinge = 2 - metrics["real_score"] + metrics["fake_score"]
    hinge += 2 - metrics["real_picture_score"] + metrics["fake_picture_score"]
    np.testing.assert_allclose(metrics["discriminator_loss"], hinge, rtol=1e-4)
    kernel = [
        jax.tree.leaves(getattr(each, name))[-1]
        for each, name in ((state, "generator"), (new, "generator"), (new, "mean_generator"))
    ]
    np.testing.assert_allclose(kernel[2], 0.1 * kernel[0] + 0.9 * kernel[1], rtol=1e-4, atol=1e-6)
    assert optax.tree.norm(new.discriminator["spectral"]) > 0


def test_slopes_of_the_critics_at_real_clips_cost(params):
    def after(coef):
        learner = video_gan(ENV, dataclasses.replace(TINY, penalty_coef=coef), params)
        metrics = jax.lax.scan(
            lambda state, _: learner.update(state), learner.init(jax.random.key(0)), None, 20
        )[1]
        return metrics["gradient_penalty"]

    free, dear = jax.jit(jax.vmap(after))(jnp.array([0.0, 100.0]))
    assert free[0] > 0 and dear[-1] < 0.5 * free[-1]


def test_works_are_what_act_draws_of_the_mean(params):
    learner = video_gan(ENV, TINY, params)
    state = learner.init(jax.random.key(0))
    other = state.replace(generator=jax.tree.map(jnp.zeros_like, state.generator))
    timestep = ENV.reset(jax.random.key(1), params)[1]
    act = jax.jit(learner.act)
    action, _ = act(other, jax.random.key(2), timestep, ())
    np.testing.assert_array_equal(action, act(state, jax.random.key(2), timestep, ())[0])
    assert action.shape == ENV.shape and float(action.std()) > 0
    works = learner.generate(state, jax.random.key(3), 2)
    assert not np.array_equal(works.frames[0], works.frames[1])
    assert learner.steps_per_update == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(num_probes=5), "video_gan: num_probes must be above 5, the neighbours that recall"),
        (dict(channels=(2, 2, 2)), "3 layers takes clips .* divisible by 8, got 4; give fewer"),
        (dict(ema_decay=1.0), "VideoGANConfig: ema_decay must be below 1, at which nothing new"),
        (dict(loss="cross"), "loss must be one of non_saturating, least_squares, hinge, wasserst"),
    ],
)
def test_impossible_configs_are_refused(change, message, params):
    with pytest.raises(ValueError, match=message):
        video_gan(ENV, dataclasses.replace(TINY, **change), params)


def test_environments_without_clips_are_refused(params):
    with pytest.raises(ValueError, match=r"video_gan takes environments whose action is a clip, B"):
        video_gan(crl.make("drawing-pixels"), TINY)
    with pytest.raises(ValueError, match="video_gan resets its environments; give it one without"):
        video_gan(AutoReset(ENV), TINY)
    wrong = params.replace(clips=params.clips[:, :2])
    with pytest.raises(ValueError, match=r"must be uint8\[M, 4, 8, 8, 3\] .* got uint8\[8, 2, 8"):
        video_gan(ENV, TINY, wrong)
