"""The reward against copying: by hand, against the metric on the host, and the contract."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import intervals as twin

import creative_rl as crl
from creative_rl.envs.melody import TargetMelody
from creative_rl.metrics import originality_report
from creative_rl.testing import check_environment
from creative_rl.wrappers import EpisodeLog, OriginalityReward
from creative_rl.wrappers.originality_reward import NOTHING_KNOWN, _contains


@dataclasses.dataclass(frozen=True, kw_only=True)
class Events(TargetMelody):
    """A melody whose 24 actions are events, rests and holds too; quicker to compile than the rules
    of music theory."""

    lowest_code: ClassVar[int] = 0
    num_pitches: int = 24


def play(env, params, actions):
    """The works and the timesteps [B, T] of a batch of action sequences [B, T]."""

    def episode(actions):
        state, _ = env.reset(jax.random.key(0), params)

        def step(state, action):
            return env.transition(jax.random.key(1), state, action, params)

        state, timesteps = jax.lax.scan(step, state, actions)
        return env.work(state, params), timesteps

    return jax.jit(jax.vmap(episode))(jnp.asarray(actions, jnp.int32))


def paid(timesteps):
    return np.asarray(timesteps.info["reward_terms"]["originality"])


def test_each_note_that_completes_a_known_run_costs_one():
    env = OriginalityReward(Events(length=12), n=2)
    # The tune: +2 +2 -4. Neither a rest nor a hold nor another key hides it.
    params = env.init_params(env.env.default_params, [[14, 16, 1, 18, 0, 14]], weight=0.5)
    actions = [12, 0, 14, 1, 16, 16, 18, 20, 16, 1, 0, 2]
    # Intervals:        +2    +2  0  +2  +2  -4       -14
    expected = [0, 0, 0, 0, -1, 0, 0, -1, -1, 0, 0, 0]
    state, start = env.reset(jax.random.key(0), params)
    assert float(start.reward) == float(start.info["reward_terms"]["originality"]) == 0
    _, timesteps = play(env, params, [actions])
    assert paid(timesteps)[0].tolist() == expected
    inner = play(env.env, params.env, [actions])[1]
    np.testing.assert_allclose(timesteps.reward, inner.reward + 0.5 * paid(timesteps), rtol=1e-6)
    # Past the end nothing is paid, and nothing is remembered.
    ended = state.replace(env=state.env.replace(step=jnp.int32(12)))
    after, timestep = env.step(jax.random.key(1), ended, jnp.int32(14), params)
    assert float(timestep.reward) == 0 and int(after.event) == 0


@pytest.mark.parametrize("n", [2, 4, 5, 8])
def test_an_episode_pays_what_the_metric_counts(n):
    """For runs of one word and of two; few pitches, so that much is found and much is not."""
    rng = np.random.default_rng(n)
    pitches = np.arange(14, 24 - n)  # 2 for the longest runs, 8 for the shortest
    corpus = rng.choice([1, *pitches], (40, 24)).astype(np.uint8)
    env = OriginalityReward(Events(length=20), n=n)
    params = env.init_params(env.env.default_params, corpus)
    actions = rng.choice([0, 1, *(pitches - 3)], (64, 20))
    works, timesteps = play(env, params, actions)
    found = originality_report(works, corpus, n=n)
    expected = np.rint(found.share * found.num_ngrams)
    np.testing.assert_array_equal(-paid(timesteps).sum(axis=1), expected)
    assert 0 < found.share_of_all < 1


def test_another_corpus_of_the_same_size_compiles_nothing_and_none_costs_nothing():
    env = OriginalityReward(crl.make("melody-target", length=4), n=2)
    traces = []

    @jax.jit
    def pay(params, actions):
        traces.append(params)
        state, _ = env.reset(jax.random.key(0), params)
        total = jnp.float32(0)
        for i in range(4):
            state, timestep = env.transition(jax.random.key(1), state, actions[i], params)
            total += timestep.info["reward_terms"]["originality"]
        return total

    up = jnp.array([0, 2, 4, 6], jnp.int32)  # of pitch classes: two runs of +2 +2
    one, other = (
        env.init_params(env.env.default_params, [tune]) for tune in ([14, 16, 18], [18, 16, 14])
    )
    assert [float(pay(params, up)) for params in (one, other)] == [-2.0, 0.0] and len(traces) == 1
    assert float(pay(env.default_params, up)) == 0 and len(traces) == 1
    nothing = env.init_params(env.env.default_params, [[14, 16]])  # shorter than an n-gram
    np.testing.assert_array_equal(nothing.ngrams, NOTHING_KNOWN)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(0, 2**64 - 1))
def test_the_search_finds_what_is_there_and_nothing_else(numbers, wanted):
    rows = np.full((20, 2), 2**32 - 1, np.uint32)  # filled to one size, which compiles once
    halves = [[number >> 32, number % 2**32] for number in sorted(numbers)]
    rows[: len(halves)] = halves
    wanted_rows = np.array([*halves, [wanted >> 32, wanted % 2**32]], np.uint32)
    wanted_rows = np.resize(wanted_rows, (21, 2))
    found = SEARCH(rows, wanted_rows)
    expected = [tuple(row) in {tuple(other) for other in rows.tolist()} for row in
                wanted_rows.tolist()]  # fmt: skip
    assert found.tolist() == expected


SEARCH = jax.jit(jax.vmap(_contains, (None, 0)))


def test_a_table_of_every_size_is_searched_to_its_ends():
    for num in (1, 2, 3, 8):
        rows = jnp.array([[0, 2 * i + 1] for i in range(num)], jnp.uint32)
        wanted = jnp.array([[0, i] for i in range(2 * num + 2)], jnp.uint32)
        assert SEARCH(rows, wanted).tolist() == [i % 2 == 1 and i < 2 * num for i in
                                                 range(2 * num + 2)]  # fmt: skip


def test_it_keeps_the_contract():
    env = OriginalityReward(crl.make("melody-target-tutorial"), n=2)
    params = env.init_params(env.env.default_params, [twin_tune()], weight=2.0)
    weights = {**params.env.weights, "originality": params.weight}
    check_environment(env, params, weights=weights)


def twin_tune():
    """All runs of two intervals among the four pitches that have a +1 in them."""
    tune = [14, 15, 16, 17, 16, 17, 14, 15, 14, 16, 17, 15, 16]
    assert (1, 1) in twin.grams_of(twin.intervals_of(tune), 2)
    return tune


def test_other_wrappers_may_lie_between():
    env = EpisodeLog(OriginalityReward(EpisodeLog(crl.make("melody-target", length=4)), n=2))
    params = env.env.init_params(env.env.env.default_params, [[14, 16, 18]])
    _, timesteps = play(env, params, [[0, 2, 4, 5]])
    assert paid(timesteps)[0].tolist() == [0, 0, -1, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OriginalityReward(crl.make("melody-target"), n=1), "n must be 2 to 8 .* got 1"),
        (lambda: OriginalityReward("melody-target"), "env must be an environment"),
    ],
)
def test_what_is_refused_when_it_is_made(make, message):
    with pytest.raises(ValueError, match=f"OriginalityReward: {message}"):
        make()


def test_works_that_are_no_melodies_are_refused():
    env = OriginalityReward(crl.make("grid-path"))
    with pytest.raises(ValueError, match="works must be melodies that grow by one event") as error:
        jax.eval_shape(lambda key: step_once(env, key), jax.random.key(0))
    assert "\n" not in str(error.value)
    events = OriginalityReward(crl.make("melody-target"))
    with pytest.raises(ValueError, match=r"OriginalityReward: events must be codes in 0\.\.81"):
        events.init_params(None, [[14, 99]])


def step_once(env, key):
    params = env.default_params
    state, _ = env.reset(key, params)
    return env.transition(key, state, env.action_space.zeros(), params)
