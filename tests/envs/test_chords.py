"""What is special to chord progressions; the terms by hand are in tests/rewards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.chords import PlainChords
from reference.play import play

import creative_rl as crl
from creative_rl.envs.chords import Chords
from creative_rl.ops.harmony import chord_code

T = 8  # half bars; small programs compile quickly
ENV = Chords(length=T)
NUM = 96
C, G7, AM = 1, 44, 22
IN_C_MAJOR = ENV.default_params.replace(tonality_weights=jnp.zeros(24, jnp.float32).at[0].set(2.0))


def lively(keys):
    """Random actions, but chords of the key are likely, and going on, also for long."""
    rng = np.random.default_rng(0)
    actions = rng.integers(0, 61, (NUM, T))
    near = np.where(
        keys < 12, [[0], [5], [7], [43], [9 + 12], [2 + 12]], [[12], [17], [7], [43], [8], [7]]
    )
    chosen = near[rng.integers(0, 6, actions.shape), np.arange(NUM)[:, None]]
    on_key = 1 + chosen // 12 * 12 + (chosen % 12 + keys[:, None]) % 12
    actions = np.where(rng.random(actions.shape) < 0.7, on_key, actions)
    actions[rng.random(actions.shape) < 0.2] = 0
    actions[: NUM // 4, 2:] = 0
    actions[NUM // 2 :, 0] = actions[NUM // 2 :, -1] = 1 + keys[NUM // 2 :]
    return actions


@pytest.fixture(scope="module")
def played():
    """Actions, timesteps and works of episodes in all keys."""
    starts, _ = play(ENV, ENV.default_params, np.zeros((NUM, T)))
    keys = np.asarray(starts.observation["key"])[:, 0]
    actions = lively(keys)
    return keys, actions, *play(ENV, ENV.default_params, actions)


def test_every_term_and_observation_is_the_plain_loop_s(played):
    keys, actions, timesteps, _ = played
    timesteps = jax.tree.map(np.asarray, timesteps)
    plain, seen = PlainChords(ENV), {term.name: set() for term in ENV.terms}
    for episode, sequence in enumerate(actions.tolist()):
        plain.reset()
        plain.key = int(keys[episode])
        for step, action in enumerate(sequence):
            observation, reward, _ = plain.step(action)
            for name, value in observation.items():
                found = timesteps.observation[name][episode, step]
                np.testing.assert_array_equal(found, value, err_msg=f"{name} {episode} {step}")
            for name, value in plain.terms.items():
                found = float(timesteps.info["reward_terms"][name][episode, step])
                assert found == pytest.approx(value, abs=1e-5), (name, episode, step)
                seen[name].add(round(value, 3))
            assert timesteps.reward[episode, step] == pytest.approx(reward, abs=1e-5)
    assert {len(seen[name]) for name in ("in_key", "repetition", "variety")} == {2}, seen
    assert seen["function"] == {-1, 0, 0.25, 0.5, 1} and len(seen["cadence"]) == 3, seen


def test_all_keys_are_drawn_and_params_say_which(played):
    assert set(played[0].tolist()) == set(range(24))
    for key in range(8):
        assert ENV.reset(jax.random.key(key), IN_C_MAJOR)[0].tonality == 0
    with pytest.raises(
        ValueError, match=r"params.tonality_weights must be one .* 24 keys, .* shape \[12\]"
    ):
        ENV.reset(jax.random.key(0), ENV.default_params.replace(tonality_weights=jnp.ones(12)))


def test_a_work_is_symbols_and_voices_in_eighth_notes(played):
    actions = played[1].copy()
    actions[0] = [0, C, 0, C, G7, AM, 0, 0]
    _, works = play(ENV, ENV.default_params, actions)
    work = jax.tree.map(lambda leaf: np.asarray(leaf[0, 5]), works)
    assert work.length == 24 and work.steps_per_quarter == 2
    assert work.events.shape == (4, 32) and not work.events[:, 24:].any()
    assert np.flatnonzero(work.chords).tolist() == [4, 16, 20]
    assert work.chords[[4, 16, 20]].tolist() == [C, G7, AM]
    assert work.names == ("seventh", "fifth", "third", "root")
    assert work.events[3, ::4].tolist() == [1, 50, 1, 50, 57, 59, 0, 0]
    assert (work.events[3, 1:4] == 1).all() and work.events[0, 16] == 2 + 65  # F4 in G7


def test_textbook_progressions_pay_more_than_turning_back_holding_and_chance():
    env = Chords()
    rng = np.random.default_rng(0)
    players = {
        "textbook": "C Am F G7 C Em Dm7 G C F Bdim C Am7 Dm G7 C",
        "backwards": "C G7 F Am C G Dm7 Em C Bdim F C G7 Dm Am7 C",
        "shuttle": "C G7 C G7 C G7 C G7 C G7 C G7 C G7 G7 C",
        "held": " ".join(["C"] * 16),
    }
    actions = np.array([[chord_code(s) for s in chords.split()] for chords in players.values()])
    actions = np.concatenate([actions, rng.integers(0, 61, (28, 16))])
    returns = np.asarray(play(env, IN_C_MAJOR, actions)[0].reward).sum(axis=1)
    textbook, backwards, shuttle, held, *random = returns.tolist()
    assert textbook > shuttle > backwards > held > max(random)


def test_lengths_out_of_range_are_one_clear_line():
    for length in (1, 257, 8.0):
        with pytest.raises(
            ValueError, match=rf"Chords: length .* 2\.\.256, got {length}"
        ) as caught:
            crl.make("chords", length=length)
        assert "\n" not in str(caught.value)
