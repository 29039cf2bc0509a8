"""Networks of clips: what their convolutions are, and what every part of them sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.networks import convolutions
from creative_rl.networks.clips import ClipCritic, ClipDecoder, ClipEncoder

SHAPE = (4, 8, 8, 3)
CHANNELS = (2, 3)


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_halving_the_length_is_a_strided_convolution_along_time():
    clips, kernel = normal(2, 6, 3, 2, 5), normal(20, 4, seed=1)
    # Rows are (pair, frame in the pair, channel): four frames in their order.
    expected = jax.lax.conv_general_dilated(
        clips.transpose(0, 2, 3, 1, 4).reshape(12, 6, 5),
        kernel.reshape(4, 5, 4),
        (2,),
        ((1, 1),),
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    found = convolutions.halve_length(clips, kernel)
    assert found.shape == (2, 3, 3, 2, 4)
    expected = expected.reshape(2, 3, 2, 3, 4).transpose(0, 3, 1, 2, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_shapes_with_any_batch_axes(key):
    decoder = ClipDecoder(SHAPE, 3, code_size=2, hidden_size=4, channels=CHANNELS)
    encoder = ClipEncoder(2, CHANNELS)
    latents = normal(2, 3, 5)
    clips = jax.jit(lambda: decoder.apply(decoder.init(key, latents[0, 0]), latents))()
    assert clips.shape == (2, 3, *SHAPE)
    variables = encoder.init(key, clips[0, 0])
    outputs = encoder.apply(variables, clips)
    assert outputs.shape == (2, 3, 2)
    alone = encoder.apply(variables, clips[1, 2])
    np.testing.assert_allclose(outputs[1, 2], alone, rtol=1e-3, atol=1e-4)


def test_frames_differ_by_what_is_drawn_from_the_motion_alone(key):
    decoder = ClipDecoder(SHAPE, 3, code_size=2, hidden_size=8, channels=CHANNELS)
    variables = decoder.init(key, jnp.zeros(5, jnp.float32))
    apply = jax.jit(decoder.apply)
    still = apply(variables, jnp.zeros(5, jnp.float32).at[:3].set(1.0))
    # Without noise of motion, and with biases of zero, all frames' codes are 0.
    np.testing.assert_allclose(still, jnp.broadcast_to(still[:1], SHAPE), atol=1e-6)
    moving = apply(variables, jnp.ones(5, jnp.float32))
    assert np.abs(np.diff(moving, axis=0)).max((1, 2, 3)).min() > 1e-3


def test_neighbouring_frames_are_alike_at_first(key):
    decoder = ClipDecoder((16, 8, 8, 3), 3, code_size=4, hidden_size=16, channels=CHANNELS)
    variables = decoder.init(key, jnp.zeros(6, jnp.float32))
    clips = np.asarray(jax.jit(decoder.apply)(variables, normal(32, 6)))
    apart = {gap: np.square(clips[:, gap:] - clips[:, :-gap]).mean() for gap in (1, 4)}
    # Codes without an order, all from one layer, would make both the same.
    assert apart[1] < 0.5 * apart[4]


def test_the_critic_of_clips_tells_a_batch_of_equal_ones(key):
    critic = ClipCritic(CHANNELS)
    clips, pictures = normal(4, *SHAPE), normal(4, 1, 8, 8, 3, seed=1)
    variables = critic.init(key, clips, pictures)
    apply = jax.jit(critic.apply)
    scores = apply(variables, clips, pictures)
    alone = jnp.stack([apply(variables, clips[n : n + 1], pictures[:1])[0][0] for n in range(4)])
    same = apply(variables, jnp.stack([clips[0]] * 4), pictures)
    np.testing.assert_allclose(same[0], jnp.stack([alone[0]] * 4), rtol=1e-4, atol=1e-4)
    # Every clip of a various batch is moved by as much, and frames by nothing.
    moved = np.asarray(scores[0] - alone)
    np.testing.assert_allclose(moved, np.full(4, moved[0]), rtol=1e-3, atol=1e-4)
    assert abs(moved[0]) > 1e-2
    np.testing.assert_array_equal(same[1], scores[1])


def test_the_critic_of_pictures_sees_none_of_the_clip(key):
    critic = ClipCritic(CHANNELS, normalize_spectrum=True)
    clips, pictures = normal(2, *SHAPE), normal(2, 3, 8, 8, 3, seed=1)
    variables = critic.init(key, clips, pictures)

    def total(clips, pictures, which):
        return critic.apply(variables, clips, pictures)[which].sum()

    slopes = jax.jit(lambda: [jax.grad(total, (0, 1))(clips, pictures, n) for n in (0, 1)])()
    seen = [[bool(np.any(slope)) for slope in each] for each in slopes]
    assert seen == [[True, False], [False, True]]
    # And the other sees every frame.
    assert (np.abs(slopes[0][0]).max((0, 2, 3, 4)) > 0).all()
    scores = critic.apply(variables, clips, pictures)
    assert [score.shape for score in scores] == [(2,), (2, 3)]
    # In another order of frames another score.
    other = critic.apply(variables, clips[:, ::-1], pictures)
    assert (np.asarray(other[0]) != scores[0]).all()


def test_lengths_that_cannot_be_halved_are_refused(key):
    with pytest.raises(ValueError, match=r"2 layers takes clips .* divisible by 4, got 6; give"):
        ClipEncoder(1, CHANNELS).init(key, jnp.zeros((6, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"divisible by 4, got 8 x 6"):
        ClipEncoder(1, CHANNELS).init(key, jnp.zeros((4, 8, 6, 3)))
