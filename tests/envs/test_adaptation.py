"""What is special to adaptations; edits and terms by hand are in tests/ops and tests/rewards."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.adaptation import PlainAdaptation
from reference.play import play

import creative_rl as crl
from creative_rl import corpora
from creative_rl.envs.adaptation import STYLES, Adaptation
from creative_rl.metrics import recognisability
from creative_rl.ops.edits import OPERATIONS
from creative_rl.testing import episodes
from creative_rl.works.melody import Melody

T = 16
ENV = Adaptation(length=T, num_edits=6)
NUM = 48
C, D, E = 14, 16, 18
PARAMS = ENV.default_params.replace(  # one melody with a black key, and two of the songs
    originals=ENV.default_params.originals.at[0].set(
        jnp.array([C, 1, 1, D, 1, 0, E + 2, 1, 1, 1, C, C, 1, 1, 1, 1], jnp.uint8)
    )[:3]
)


@pytest.fixture(scope="module")
def allowed():
    """Random episodes of actions that the mask allows."""
    played = episodes.play(ENV, PARAMS, jax.random.key(0), NUM, 6)
    return jax.tree.map(np.asarray, played.replace(step_keys=jax.random.key_data(played.step_keys)))


def action_of(operation, place, length=T):
    return 1 + OPERATIONS.index(operation) * length + place


def compare(starts, timesteps, actions):
    """Hold episodes [B, T] against the plain loop; the values of the terms that were seen.

    `starts` are the original and the style of each.
    """
    plain = PlainAdaptation(ENV)
    plain.originals = np.asarray(PARAMS.originals).tolist()
    seen = {term.name: set() for term in ENV.terms}
    for episode, sequence in enumerate(actions.tolist()):
        plain.begin(int(starts[0][episode]), int(starts[1][episode]))
        for step, action in enumerate(sequence):
            observation, reward, _ = plain.step(action)
            for name, value in observation.items():
                found = timesteps.observation[name][episode, step]
                np.testing.assert_allclose(found, value, rtol=1e-6, atol=1e-6, err_msg=name)
            for name, value in plain.terms.items():
                found = float(timesteps.info["reward_terms"][name][episode, step])
                assert found == pytest.approx(value, abs=1e-5), (name, episode, step)
                seen[name].add(round(value, 3))
            assert timesteps.reward[episode, step] == pytest.approx(reward, abs=1e-5)
    return seen


def test_allowed_edits_are_the_plain_loop_s_and_cost_no_validity(allowed):
    starts = allowed.states.original[:, 0], allowed.states.style[:, 0]
    assert [set(drawn.tolist()) for drawn in starts] == [{0, 1, 2}, {0, 1, 2, 3}]
    after = jax.tree.map(lambda leaf: leaf[:, 1:], allowed.timesteps)
    seen = compare(starts, after, allowed.actions)
    assert min(seen["validity"]) > -1 and len(seen["validity"]) >= 2
    assert len(seen["style"]) > 20 and len(seen["closeness"]) > 20
    assert {(action - 1) // T for action in allowed.actions.ravel()} >= set(range(7))


def test_any_actions_are_the_plain_loop_s_and_cost_where_not_possible(allowed):
    actions = np.random.default_rng(0).integers(0, ENV.action_space.num, (NUM, 6))
    actions[:8] = 0
    timesteps, works = play(ENV, PARAMS, actions)
    keys = jax.random.split(jax.random.key(0), NUM)
    draw = jax.vmap(lambda key: ENV.reset(jax.random.split(key)[0], PARAMS)[0])
    starts = draw(keys)
    seen = compare((starts.original, starts.style), timesteps, actions)
    assert -1.0 in seen["validity"] and 0.0 in seen["validity"]
    np.testing.assert_array_equal(works.events[:, -1], timesteps.observation["melody"][:, -1])
    np.testing.assert_array_equal(works.events[:8, -1], timesteps.observation["original"][:8, -1])


def test_terms_sum_to_what_is_reached(allowed):
    paid = allowed.timesteps.info["reward_terms"]
    like = recognisability(
        Melody(allowed.states.events[:, -1], np.full(NUM, T, np.int32), steps_per_quarter=2),
        np.asarray(PARAMS.originals)[allowed.states.original[:, 0]],
    )
    np.testing.assert_allclose(1 + paid["closeness"].sum(axis=1), like, rtol=1e-5)
    wanted = np.asarray(PARAMS.styles)[allowed.states.style[:, 0]]
    fit = 1 - np.abs(allowed.states.features[:, [0, -1]] - wanted[:, None]).mean(axis=2)
    np.testing.assert_allclose(paid["style"].sum(axis=1), fit[:, 1] - fit[:, 0], atol=1e-5)


def test_to_change_nothing_is_possible_where_the_first_step_has_no_note_to_edit(key):
    state, _ = ENV.reset(key, PARAMS)
    rest_first = state.replace(events=state.events.at[0].set(0))
    after = ENV.next_state(key, rest_first, jnp.int32(0), PARAMS)
    assert after.was_possible
    np.testing.assert_array_equal(after.events, rest_first.events)


def test_the_mask_is_what_is_possible():
    state, timestep = ENV.reset(jax.random.key(0), PARAMS)
    events = jnp.array([C, 1, 1, D] + [1] * 12, jnp.int32)
    mask = np.asarray(ENV.action_mask(state.replace(events=events), PARAMS))
    assert mask.shape == timestep.action_mask.shape == (ENV.action_space.num,)
    possible = {(OPERATIONS[(a - 1) // T], (a - 1) % T) for a in np.flatnonzero(mask[1:]) + 1}
    both = {"raise", "lower", "split", "later", "ornament"}
    assert possible == {(name, place) for name in both for place in (0, 3)} | {
        ("merge", 0), ("earlier", 3),
    }  # fmt: skip
    assert mask[0]


def test_a_version_is_recognised_among_all_songs():
    """The figures of the docstring."""
    env = Adaptation()
    params = env.default_params
    played = episodes.play(env, params, jax.random.key(0), 128, env.num_edits)
    versions = np.asarray(played.states.events[:, -1])
    which = np.asarray(played.states.original[:, 0])
    originals = np.asarray(params.originals)

    def all_pairs(melodies):
        grid = np.repeat(melodies, 64, axis=0), np.tile(originals, (len(melodies), 1))
        whole = Melody(grid[0], np.full(len(grid[0]), 32, np.int32), steps_per_quarter=2)
        return recognisability(whole, grid[1]).reshape(-1, 64)

    unlike = all_pairs(originals)[~np.eye(64, dtype=bool)]
    assert unlike.mean() == pytest.approx(0.43, abs=0.005)
    alike = all_pairs(versions)
    assert alike[np.arange(128), which].mean() == pytest.approx(0.62, abs=0.02)
    assert (alike.argmax(axis=1) == which).mean() > 0.95


def test_a_greedy_editor_gains_style_and_the_tune_stays():
    """The best of all edits, one after the other: what a learner can gain."""
    env = Adaptation(length=T, num_edits=6)
    params = env.default_params
    edits = jnp.arange(env.action_space.num, dtype=jnp.int32)
    transition = jax.vmap(env.transition, (None, None, 0, None))

    @jax.jit
    @jax.vmap
    def edited(key):
        key_reset, key_step = jax.random.split(key)
        state = env.reset(key_reset, params)[0]

        def best(state, _):
            states, timesteps = transition(key_step, state, edits, params)
            chosen = timesteps.reward.argmax()
            return jax.tree.map(lambda leaf: leaf[chosen], states), timesteps.reward[chosen]

        state, paid = jax.lax.scan(best, state, None, length=6)
        return paid.sum(), state.resemblance

    paid, like = edited(jax.random.split(jax.random.key(0), 16))
    assert (paid >= 0).all() and float(paid.mean()) > 0.25
    assert float(like.mean()) > 0.6


def test_tunes_are_windows_of_the_corpus_on_their_grid(monkeypatch):
    windows = np.arange(3 * 33, dtype=np.uint8).reshape(3, 33) % 38
    parts = types.SimpleNamespace(train=windows[:2], held_out=windows[2:])
    asked = []
    monkeypatch.setattr(
        corpora, "load", lambda **f: asked.append(f) or types.SimpleNamespace(sequences=parts)
    )
    for corpus, rows in (("tunes", slice(2)), ("tunes-held-out", slice(2, None))):
        env = crl.make("adaptation", corpus=corpus)
        params = env.default_params
        np.testing.assert_array_equal(params.originals, windows[rows, :32])
        state, _ = env.reset(jax.random.key(0), params)
        assert env.work(state, params).steps_per_quarter == env.steps_per_quarter == 4
    assert asked == [{"length": 32}] * 2


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"length": 7}, r"length must be a whole number in 8\.\.256, got 7"),
        ({"num_edits": 0}, r"num_edits must be a whole number in 1\.\.1024, got 0"),
        ({"corpus": "jazz"}, "corpus must be one of songs, tunes, tunes-held-out, got 'jazz'"),
    ],
)
def test_fields_out_of_range_are_one_clear_line(fields, line):
    with pytest.raises(ValueError, match=f"Adaptation: {line}") as caught:
        crl.make("adaptation", **fields)
    assert "\n" not in str(caught.value)


def test_params_that_do_not_fit_are_one_clear_line():
    for wrong in ({"originals": PARAMS.originals[:, :8]}, {"styles": PARAMS.styles[:, :3]}):
        with pytest.raises(ValueError, match=r"originals must be \[M, 16\] .*styles \[S, 4\], got"):
            ENV.reset(jax.random.key(0), PARAMS.replace(**wrong))
    assert len(STYLES) == len(PARAMS.styles)
