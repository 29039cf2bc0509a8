"""Texts: terms against plain strings where they are paid, ends, references, verse by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.text import PlainFreeText, PlainVerseText

import creative_rl as crl
from creative_rl.corpora.poem import LAMB, TYGER
from creative_rl.envs.text import CHARACTERS, FreeText, VerseText
from creative_rl.rewards import text as rewards
from creative_rl.works import Vocabulary

ALL = (rewards.REPETITION, rewards.OVERLAP, rewards.BLEU)
VERSE = (*ALL, rewards.RHYME, rewards.METRE)


@functools.cache
def stepper(env):
    return jax.jit(env.step)


def play(env, actions, params=None):
    """The last state, timesteps, and the terms of every step."""
    params = env.default_params if params is None else params
    key = jax.random.key(0)
    state, timestep = env.reset(key, params)
    timesteps = []
    for action in actions:
        state, timestep = stepper(env)(key, state, jnp.int32(action), params)
        timesteps.append(timestep)
    return state, timesteps, [timestep.info["reward_terms"] for timestep in timesteps]


def assert_terms_are(plain, env, actions):
    plain.reset()
    _, timesteps, terms = play(env, actions)
    for action, timestep, found in zip(actions, timesteps, terms, strict=True):
        observation, reward, is_over = plain.step(action)
        np.testing.assert_array_equal(timestep.observation, observation)
        assert is_over == bool(timestep.ended)
        for name, value in plain.terms.items():
            np.testing.assert_allclose(found[name], value, atol=2e-5, err_msg=name)
        np.testing.assert_allclose(timestep.reward, reward, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_terms_are_those_of_plain_lists(seed):
    # Three tokens, so that everything comes again and stands in a reference, and an end.
    env = FreeText(length=24, vocabulary=("a", "b", "c"), ends=True, terms=ALL)
    random = np.random.default_rng(seed)
    lines = [random.integers(3, size=length).tolist() for length in (9, 5, 5, 14)]
    params = env.with_references(lines, repeat_length=3)
    actions = random.choice(4, size=24, p=[0.33, 0.33, 0.32, 0.02])
    plain = PlainFreeText(env)
    plain.references, plain.repeat_length = lines, 3
    plain.reset()
    _, _, terms = play(env, actions, params)
    for action, found in zip(actions.tolist(), terms, strict=True):
        plain.step(action)
        for name, value in plain.terms.items():
            np.testing.assert_allclose(found[name], value, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(
    "text", ["\n".join(TYGER), "\n".join(LAMB), "a\n\n'tis table, able; the\n"]
)
def test_verse_is_that_of_plain_strings(text):
    env = VerseText(length=120, terms=VERSE)
    assert_terms_are(PlainVerseText(env), env, env.letters.encode(text[:120].ljust(120, "!")))


def test_a_couplet_by_hand():
    text = "tyger tyger, burning bright,\nin the forests of the night;\n"
    env = VerseText(length=len(text))
    _, _, terms = play(env, env.letters.encode(text))
    metre = [float(found["metre"]) for found in terms]
    rhyme = [float(found["rhyme"]) for found in terms]
    first = text.index("\n")
    # Seven syllables each: ty-ger ty-ger bur-ning bright; in the fo-rests of the night.
    assert [i for i, value in enumerate(metre) if value] == [first, len(text) - 1]
    assert metre[first] == metre[-1] == 1.0
    assert [i for i, value in enumerate(rhyme) if value] == [len(text) - 1] and rhyme[-1] == 1.0


def test_what_verse_should_be_is_in_the_params():
    text = "a bee\nto say\nto see\na day\n"  # two syllables each, alternate rhyme
    env = VerseText(length=len(text))
    params = env.default_params
    asked = params.replace(syllables=jnp.array([2, 3], jnp.int32), rhyme_lag=jnp.int32(2))
    for given, rhyme, metre in ((params, 0.0, 0.0), (asked, 2.0, 2 * 1.0 + 2 * 0.5)):
        _, _, terms = play(env, env.letters.encode(text), given)
        assert sum(float(found["rhyme"]) for found in terms) == rhyme
        assert sum(float(found["metre"]) for found in terms) == metre


def test_after_the_end_only_the_end_is_allowed_and_nothing_is_paid():
    env = FreeText(length=6, vocabulary=("x", "y"), ends=True, terms=ALL)
    params = env.with_references([[0, 1, 2]])
    state, timesteps, _ = play(env, [0, 1, 2, 0, 0, 2], params)
    assert env.letters.end == 2 and env.horizon == 6
    masks = [timestep.action_mask.tolist() for timestep in timesteps]
    assert masks[1] == [True] * 3 and masks[2] == masks[4] == [False, False, True]
    rewards = [float(timestep.reward) for timestep in timesteps]
    assert rewards[:3] == [0.25, 0.5, pytest.approx(0.75 + (1 / 10) ** 0.25)]
    assert rewards[3:] == [0, 0, 0]
    assert [bool(timestep.terminated) for timestep in timesteps] == [False] * 5 + [True]
    work = env.work(state, params)
    assert (int(work.length), work.tokens.tolist()) == (3, [0, 1, 2, 0, 0, 0])
    assert crl.works.text(work) == "xy"


def test_the_last_token_and_the_step_are_seen():
    env = FreeText(length=3, observe_step=True)
    _, timesteps, _ = play(env, [5, 6, 7])
    seen = [(int(t.observation["token"]), int(t.observation["step"])) for t in timesteps]
    assert seen == [(5, 1), (6, 2), (7, 3)]
    _, start = env.reset(jax.random.key(0), env.default_params)
    assert int(start.observation["token"]) == CHARACTERS.number("\n") == env.start
    assert FreeText(vocabulary=("a", "b")).start == 0


def test_the_vocabulary_may_be_anybodys():
    words = Vocabulary(["the ", "lamb", "\n"])
    env = crl.make("text", vocabulary=words, length=4)
    assert env == crl.make("text", vocabulary=words.pieces, length=4) and env.start == 2
    assert hash(env) == hash(crl.make("text", vocabulary=tuple(words.pieces), length=4))
    state, _, terms = play(env, [0, 1, 2, 0])
    assert crl.works.text(env.work(state, env.default_params)) == "the lamb\nthe "
    assert float(terms[0]["overlap"]) == 0  # the poem is not of these words
    with pytest.raises(ValueError, match="there must be 2 to 65536 tokens, got 1"):
        crl.make("text", vocabulary=("a",))
    with pytest.raises(ValueError, match=r"FreeText: length must be a whole number in 1\.\.1024"):
        crl.make("text", length=0)


def test_looks_are_numbers_in_binary():
    env = FreeText(length=3, vocabulary=("a", "b", "c"))
    params = env.with_references([[2, 0, 1, 1], [1]])
    state, _, _ = play(env, [2, 0], params)
    # 3 is 11, 1 is 01, nothing is 00; low bits first.
    seen = np.array([[1, 1], [1, 0], [0, 0]], np.float32)[..., None]
    np.testing.assert_array_equal(env.appearance(state, params), seen)
    probabilities = jnp.array([[0, 0, 1.0], [1, 0, 0], [0.5, 0.5, 0]], jnp.float32)
    relaxed = env.relaxed_appearance(probabilities, params)[..., 0]
    np.testing.assert_allclose(relaxed, [[1, 1], [1, 0], [0.5, 0.5]])
    looks = env.examples(params)
    assert (looks.dtype, looks.shape) == (jnp.uint8, (2, 3, 2, 1))
    np.testing.assert_array_equal(looks[0, :, :, 0], [[255, 255], [255, 0], [0, 255]])
    np.testing.assert_array_equal(looks[1, :, :, 0], [[0, 255], [255, 0], [255, 0]])


def test_a_discriminator_may_judge_texts(key):
    env = crl.wrappers.AdversarialReward(FreeText(length=8))
    _, timestep = jax.eval_shape(lambda: env.reset(key, env.default_params))
    assert "realism" in timestep.info["reward_terms"]
