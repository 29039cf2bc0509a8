"""The adversarial reward: what it pays by the judge's own word, and that the judge learns."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.envs.accompaniment import Accompaniment
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.learners import stream
from creative_rl.networks import PictureEncoder
from creative_rl.rewards import judge
from creative_rl.testing import check_environment
from creative_rl.wrappers import AdversarialReward, EpisodeLog

T, C, AM = 8, 1, 22
INNER = Accompaniment(num_frames=T, window=1)
ENV = AdversarialReward(INNER, PictureEncoder(1, "mlp", (8,)), num_steps=3)
BLANK = np.zeros((2, T, 24, 1), np.uint8)


@pytest.fixture(scope="module")
def params():
    return ENV.init_params(jax.random.key(3), INNER.default_params, BLANK, weight=0.5)


@jax.jit
def play(params, keys, actions):
    """States and timesteps of episodes, time first: leaves [T + 1, B], the start included."""

    def step(carry, action):
        state, timestep = jax.vmap(ENV.step, (0, 0, 0, None))(keys, carry[0], action, params)
        return (state, timestep), (state, timestep)

    start = jax.vmap(ENV.reset, (0, None))(keys, params)
    _, after = jax.lax.scan(step, start, actions.T)
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, after)


def played(params, actions):
    """Of actions int[B, T], and two steps past the end."""
    actions = np.pad(actions, ((0, 0), (0, 2)))
    keys = jax.random.split(jax.random.key(1), len(actions))
    return play(params, keys, jnp.asarray(actions, jnp.int32))


def chords(num, chord):
    return np.where(np.arange(T) == 0, chord, np.zeros((num, 1), int))


def test_steps_pay_what_they_add_to_the_judges_probability(params):
    actions = np.random.default_rng(0).integers(0, 61, (4, T))
    states, timesteps = played(params, actions)
    appearance = jax.vmap(jax.vmap(INNER.appearance, (0, None)), (0, None))(states.env, params.env)
    thought = np.asarray(judge.likelihood(ENV.network, params.judge, appearance))
    paid = np.asarray(timesteps.info["reward_terms"]["realism"])
    np.testing.assert_allclose(paid[1 : T + 1], np.diff(thought, axis=0)[:T], atol=1e-6)
    assert np.abs(paid[1 : T + 1]).min() > 0
    np.testing.assert_allclose(paid.sum(0), thought[-1] - thought[0], atol=1e-5)
    assert not paid[0].any() and not paid[T + 1 :].any()
    weights = {**params.env.weights, "realism": params.weight}
    total = sum(
        float(weights[name]) * np.asarray(value)
        for name, value in timesteps.info["reward_terms"].items()
    )
    np.testing.assert_allclose(timesteps.reward, total, rtol=1e-5, atol=1e-6)


def test_the_judge_learns_to_tell_what_is_made_from_examples(params):
    """Examples have A minor; C major is played. Unfinished works teach nothing, truncated ones do
    as those that terminated."""
    _, timesteps = played(params, chords(16, AM))
    examples = timesteps.info["appearance"][T]
    assert examples.dtype == jnp.uint8 and set(np.unique(examples)) == {0, 255}
    eager = params.judge.replace(learning_rate=jnp.float32(0.02), penalty_coef=jnp.float32(0.01))
    taught = params.replace(examples=examples, judge=eager)
    _, timesteps = played(taught, chords(16, C))
    learned_from = jax.tree.map(lambda leaf: leaf[1 : T + 1], timesteps)
    learn = jax.jit(ENV.update_params)
    for _ in range(20):
        taught = learn(taught, learned_from)
    assert int(taught.judge.num_steps) == 20 * ENV.num_steps
    pays = {}
    for chord in (AM, C):
        states, timesteps = played(taught, chords(16, chord))
        pays[chord] = float(timesteps.info["reward_terms"]["realism"].sum(0).mean())
        pays[chord, "realism"] = float(states.realism[-1].mean())
    assert pays[AM, "realism"] > 0.9 > 0.1 > pays[C, "realism"]
    assert pays[AM] > pays[C] + 0.8
    unfinished = jax.tree.map(lambda leaf: leaf[:T], timesteps)
    again = learn(taught, unfinished)
    jax.tree.map(np.testing.assert_array_equal, again.judge, taught.judge)
    truncated = unfinished.replace(truncated=unfinished.truncated.at[-1].set(True))
    assert int(learn(taught, truncated).judge.num_steps) == 21 * ENV.num_steps


def test_the_judge_learns_from_what_learners_collect(params, key):
    """Through the log and the learners' stream: the finished works, and not the next starts."""
    logged = EpisodeLog(ENV)

    @jax.jit
    def collect(key):
        def step(current, keys):
            following = stream.step(logged, keys, current, jnp.full(4, AM), params)
            return following, following.timestep

        start = stream.init(logged, key, params, 4)
        return jax.lax.scan(step, start, stream.step_keys(key, T, 4))[1]

    timesteps = collect(key)
    assert timesteps.ended.sum() == 4 and timesteps.ended[-1].all()
    finished = np.asarray(timesteps.info["appearance"])[-1]
    assert (finished[:, :, 12:].sum(axis=(2, 3)) == 3 * 255).all()  # a chord of three in each frame
    learned = jax.jit(logged.update_params)(params, timesteps).judge
    assert int(learned.num_steps) == ENV.num_steps and float(learned.loss) > 0


def test_judges_of_other_keys_keep_the_settings(params):
    slow = params.replace(judge=params.judge.replace(learning_rate=jnp.float32(1e-5)))
    other = ENV.init_judge(jax.random.key(4), slow)
    assert float(other.learning_rate) == np.float32(1e-5) and other.seed != slow.judge.seed


def test_several_judges_pay_their_mean_less_their_variance(params):
    """By the word of each alone; and each learns as it would alone."""
    env = dataclasses.replace(ENV, num_judges=2)
    together = env.init_params(jax.random.key(3), INNER.default_params, BLANK)
    shares, penalty = np.array([0.75, 0.25], np.float32), np.float32(0.5)
    together = together.replace(shares=jnp.asarray(shares), penalty=jnp.asarray(penalty))
    judges = [jax.tree.map(lambda leaf, i=i: leaf[i], together.judge) for i in range(2)]

    @jax.jit
    def first_step(key):
        state, start = env.reset(key, together)
        _, timestep = env.transition(key, state, jnp.int32(C), together)
        return start.info["appearance"], timestep.info

    def realism(picture):
        one, other = (float(judge.likelihood(ENV.network, j, picture / 255.0)) for j in judges)
        assert abs(one - other) > 1e-3
        mean = 0.75 * one + 0.25 * other
        return mean - 0.5 * (0.75 * (one - mean) ** 2 + 0.25 * (other - mean) ** 2)

    empty, info = first_step(jax.random.key(0))
    gain = realism(info["appearance"]) - realism(empty)
    np.testing.assert_allclose(info["reward_terms"]["realism"], gain, atol=1e-6)
    _, timesteps = played(params, chords(4, C))
    finished = jax.tree.map(lambda leaf: leaf[1 : T + 1], timesteps)
    learned = jax.jit(env.update_params)(together, finished).judge
    for i, alone in enumerate(judges):
        alone = jax.jit(ENV.update_params)(params.replace(judge=alone), finished).judge
        mine = jax.tree.map(lambda leaf, i=i: leaf[i], learned)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), mine, alone)
    other = env.init_judge(jax.random.key(4), together)
    assert other.seed.shape == (2,) and other.seed[0] != other.seed[1]


def test_it_keeps_the_contract():
    env = AdversarialReward(
        PixelDrawing(goal="style", height=4, width=4, num_steps=2, judge_sizes=(4,)), ENV.network
    )
    params = env.default_params
    check_environment(env, weights={**params.env.weights, "realism": params.weight})


def test_what_has_examples_of_its_own_needs_no_others():
    env = AdversarialReward(PixelDrawing(height=4, width=4))
    params = env.default_params
    np.testing.assert_array_equal(params.examples, params.env.targets)
    assert env.examples(params) is params.examples
    with pytest.raises(ValueError, match="Accompaniment has no examples to learn from"):
        _ = ENV.default_params


@pytest.mark.parametrize(
    ("examples", "got"),
    [
        (BLANK[..., 0], r"uint8\[2, 8, 24\]"),
        (BLANK.astype(np.float32), r"float32\[2, 8, 24, 1\]"),
        (BLANK[:0], r"uint8\[0, 8, 24, 1\]"),
    ],
)
def test_other_examples_are_refused(examples, got):
    with pytest.raises(ValueError, match=rf"of \[8, 24, 1\].*got {got}"):
        ENV.init_params(jax.random.key(0), INNER.default_params, examples)


def test_a_number_of_steps_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be a whole number in 1\.\.1000, got 0"):
        dataclasses.replace(ENV, num_steps=0)
    with pytest.raises(ValueError, match=r"num_judges must be a whole number in 1\.\.100, got 101"):
        dataclasses.replace(ENV, num_judges=101)
