"""Tastes that drift: likings by hand, repeats, songs that can be heard, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.corpora.songs import songs
from creative_rl.envs.recommendation_factors import FactorRecommendation
from creative_rl.ops.melody_style import style_of

ENV = FactorRecommendation(num_items=3, num_factors=2, num_steps=3, names=("a", "b", "c"))
PARAMS = ENV.default_params.replace(
    users=jnp.array([[2.0, 1.0]]),
    items=jnp.array([[0.5, -0.5], [1.0, 1.0], [-2.0, 1.0]]),
    drift=jnp.float32(0),
)
STEP = jax.jit(ENV.step)
KEYS = jax.random.split(jax.random.key(0), 3)


def test_likings_pulls_and_repeats_by_hand():
    state, timestep = ENV.reset(KEYS[0], PARAMS)
    np.testing.assert_array_equal(timestep.observation["taste"], [2, 1])
    state, timestep = STEP(KEYS[0], state, jnp.int32(0), PARAMS)  # rated 3 + 1 - 0.5
    assert float(timestep.reward) == pytest.approx(2.5 / 4)
    moved = 0.05 * 0.625 * np.array([0.5 - 2, -0.5 - 1])
    np.testing.assert_allclose(timestep.observation["taste"], np.array([2, 1]) + moved, rtol=1e-6)
    assert timestep.observation["seen"].tolist() == [1, 0, 0]
    state, timestep = STEP(KEYS[1], state, jnp.int32(0), PARAMS)
    liking = float(timestep.info["reward_terms"]["liking"])
    assert float(timestep.reward) == pytest.approx(liking - 1)
    state, timestep = STEP(KEYS[2], state, jnp.int32(1), PARAMS)  # rated above 5: cut
    assert float(timestep.reward) == 1.0 and bool(timestep.terminated)
    work = ENV.work(state, PARAMS)
    assert crl.works.text(work).splitlines()[0] == "1 | [a] | 3.5 stars, liking 0.62"
    assert crl.works.suffixes(work) == [".svg", ".txt", ".json"]


def test_tastes_drift():
    params = PARAMS.replace(pull=jnp.float32(0), drift=jnp.float32(0.2))
    state, _ = ENV.reset(KEYS[0], params)
    keys = jax.random.split(jax.random.key(1), 2048)
    after, _ = jax.jit(jax.vmap(ENV.step, (0, None, None, None)))(keys, state, jnp.int32(2), params)
    moved = np.asarray(after.taste) - [2, 1]
    np.testing.assert_allclose(moved.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(moved.std(0), 0.2, atol=0.01)


def sung(song):
    """MIDI pitches at every frame."""
    pitch = 0
    for event in song:
        pitch = event - 2 if event >= 2 else pitch
        yield pitch


def test_songs_are_told_by_their_style_and_can_be_heard(tmp_path):
    env = crl.make("recommendation-music", num_steps=2)
    params = env.default_params
    made = songs(64, 32, 0).melodies.astype(np.int32)
    codes = np.where(made >= 2, made - 48, made)
    assert params.music.tolist() == codes.tolist()
    style = np.stack([np.asarray(style_of(jnp.asarray(song), 2)) for song in codes[:4]])
    items = np.asarray(params.items)
    np.testing.assert_allclose(items.std(axis=0), 0.5, rtol=1e-4)
    pitches = [np.mean(list(sung(song))) for song in made[:4]]
    style = np.column_stack([style[:, :3], pitches])
    for feature in range(4):  # an affine map of each
        slope = np.ptp(items[:4, feature]) / np.ptp(style[:, feature])
        expected = (style[:, feature] - style[0, feature]) * slope
        np.testing.assert_allclose(items[:4, feature] - items[0, feature], expected, atol=1e-4)
    state, _ = env.reset(KEYS[0], params)
    step = jax.jit(env.step)
    for item in (5, 9):
        state, _ = step(KEYS[1], state, jnp.int32(item), params)
    work = env.work(state, params)
    assert "[song 5]" in crl.works.text(work)
    heard = crl.works.load(crl.works.save(work, tmp_path / "list.mid"))
    assert crl.works.text(heard)[:2] == crl.works.text(crl.works.Melody(codes[5], np.int32(32)))[:2]
    assert int(heard.length) == 64


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"catalogue": "films"}, "catalogue must be one of random, songs, got 'films'"),
        ({"num_items": 1}, r"num_items must be a whole number in 2\.\.30000, got 1"),
        ({"num_factors": 0}, r"num_factors must be a whole number in 1\.\.256, got 0"),
        ({"catalogue": "songs"}, r"num_items must be a whole number in 64\.\.64 \(the songs"),
        ({"num_steps": 0}, "num_steps must be"),
        ({"names": ("a",)}, r"names must be none or 100 \(num_items\), got 1"),
    ],
)
def test_sizes_out_of_range_are_refused(fields, message):
    with pytest.raises(ValueError, match=f"FactorRecommendation: {message}"):
        FactorRecommendation(**fields)


def test_params_of_other_sizes_are_refused():
    env = FactorRecommendation(num_items=4, num_factors=2)
    with pytest.raises(ValueError, match=r"params\.items must be \[4, 2\] .* got \[3, 2\]"):
        env.reset(KEYS[0], PARAMS)
