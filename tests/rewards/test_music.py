"""RL Tuner's nine terms, as the environment pays them: by hand, and against the plain twin."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from reference import tunes
from reference.music_theory import TERMS, TheoryTwin
from reference.play import play
from reference.theory_cases import CASES

import creative_rl as crl
from creative_rl.rewards.music import RL_TUNER

ENV = crl.make("melody-theory")
BATCH = 256  # one compilation serves all
HAND_COMPUTED = [
    pytest.param(term, case, id=f"{term}: {case.name}")
    for term, cases in CASES.items()
    for case in cases
]


def paid_by_environment(melodies) -> dict[str, np.ndarray]:
    """The terms and the reward, float[N, 32]; shorter melodies are filled with rests."""
    padded = [[*melody, *[0] * (32 - len(melody))] for melody in melodies]
    padded += [[0] * 32] * (-len(padded) % BATCH)
    chunks = []
    for chunk in np.asarray(padded, np.int32).reshape(-1, BATCH, 32):
        timesteps, _ = play(ENV, ENV.default_params, chunk)
        chunks.append({**timesteps.info["reward_terms"], "reward": timesteps.reward})
    return {name: np.concatenate([c[name] for c in chunks])[: len(melodies)] for name in chunks[0]}


def paid_by_twin(melodies) -> dict[str, np.ndarray]:
    """The terms, float[N, 32]."""
    paid = {name: np.zeros((len(melodies), 32)) for name in TERMS}
    for i, melody in enumerate(melodies):
        twin = TheoryTwin()
        for t, action in enumerate(melody):
            for name, value in twin.step(action).items():
                paid[name][i, t] = value
    return paid


def assert_alike(melodies) -> dict[str, np.ndarray]:
    """Every term at every step; returns what the twin paid."""
    found, expected = paid_by_environment(melodies), paid_by_twin(melodies)
    for name in TERMS:
        wrong = np.argwhere(np.abs(found[name] - expected[name]) > 1e-4)
        if len(wrong):
            i, t = wrong[0]
            raise AssertionError(
                f"{name} at step {t}: {found[name][i, t]}, twin {expected[name][i, t]}, "
                f"{len(wrong)} differ; events {list(map(int, melodies[i][: t + 1]))}"
            )
    np.testing.assert_allclose(found["reward"], sum(expected.values()), atol=1e-3)
    return expected


@pytest.fixture(scope="module")
def hand_computed_by_environment():
    cases = [(term, case) for term in CASES for case in CASES[term]]
    paid = paid_by_environment([case.events for _, case in cases])
    return {
        (term, case.name): paid[term][i, len(case.events) - 1]
        for i, (term, case) in enumerate(cases)
    }


def test_the_terms_are_the_nine_of_the_paper_at_weight_one():
    assert tuple(term.name for term in RL_TUNER) == TERMS
    assert all(term.weight == 1 and "1611.02796" in term.source for term in RL_TUNER)


@pytest.mark.parametrize(("term", "case"), HAND_COMPUTED)
def test_environment_pays_the_hand_computed_value(term, case, hand_computed_by_environment):
    assert hand_computed_by_environment[term, case.name] == pytest.approx(case.value, abs=1e-5)


@pytest.mark.parametrize(("term", "case"), HAND_COMPUTED)
def test_twin_pays_the_hand_computed_value(term, case):
    twin = TheoryTwin()
    for action in case.events:
        paid = twin.step(action)
    assert paid[term] == pytest.approx(case.value, abs=1e-9)


# Kinds of melodies in which the rare events of the rules are common.


def _uniform(rng, num):
    return rng.integers(0, 38, (num, 32))


def _few_pitches(rng, num):
    """Three codes each: repeats, zero variance, small autocorrelations, ties."""
    alphabet = rng.integers(0, 38, (num, 3))
    return np.take_along_axis(alphabet, rng.integers(0, 3, (num, 32)), axis=1)


def _waits(rng, num):
    """Runs of one note with many holds and rests."""
    runs = np.repeat(rng.integers(2, 38, (num, 4)), 8, axis=1)
    kinds = rng.random((num, 32))
    rests = rng.random((num, 1)) * 0.3
    return np.where(kinds < rests, 0, np.where(kinds < rests + 0.2, 1, runs))


def _runs(rng, num):
    """Long runs of a single event, holds and rests among them, broken here and there."""
    codes = rng.choice([0, 1, 1, 14, 16, 16, 18], (num, 32))
    is_new = rng.random((num, 32)) < rng.random((num, 1)) * 0.4
    is_new[:, 0] = True
    last_new = np.maximum.accumulate(np.where(is_new, np.arange(32), 0), axis=1)
    return np.take_along_axis(codes, last_new, axis=1)


def _repeated_bars(rng, num):
    """A bar over and over from any offset, with few pitches, and an event changed sometimes."""
    bars = rng.choice([0, 1, 14, 16, 18, 19, 21], (num, 12))
    periods = rng.integers(3, 13, (num, 1))
    melodies = np.take_along_axis(bars, np.arange(32) % periods, axis=1)
    is_changed = rng.random((num, 32)) < rng.choice([0.0, 0.03], (num, 1))
    return np.where(is_changed, rng.integers(0, 38, (num, 32)), melodies)


def _leaps(rng, num):
    """Walks of small steps, with leaps of a fifth or more now and then, and waits."""
    is_leap = rng.random((num, 32)) < 0.15
    size = np.where(is_leap, rng.integers(7, 15, (num, 32)), rng.integers(0, 7, (num, 32)))
    moves = size * rng.choice([-1, 1], (num, 32))
    notes = np.zeros((num, 32), np.int64)
    pitch = rng.integers(10, 30, num)
    for t in range(32):
        bounced = np.where((pitch + moves[:, t] < 2) | (pitch + moves[:, t] > 37), -1, 1)
        pitch = np.clip(pitch + bounced * moves[:, t], 2, 37)
        notes[:, t] = pitch
    waits = rng.random((num, 32)) < rng.choice([0.0, 0.2], (num, 1))
    return np.where(waits, rng.choice([0, 1, 1, 1], (num, 32)), notes)


KINDS = {
    # kind: melodies, and how often each rare term must have paid for the test to mean something
    "uniform": (_uniform, 2048, {"motif": 10_000, "leap": 1_000, "unique_extrema": 500}),
    "few pitches": (_few_pitches, 2048, {"repetition": 300, "autocorrelation": 10_000}),
    "waits": (_waits, 2048, {"repetition": 500}),
    "runs": (_runs, 2048, {"repetition": 5_000}),
    "repeated bars": (_repeated_bars, 2048, {"repeated_motif": 3_000, "tonic": 500}),
    "leaps": (_leaps, 2048, {"leap": 1_000, "unique_extrema": 500}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_environment_pays_what_the_twin_pays(kind):
    generate, num, least_paid = KINDS[kind]
    paid = assert_alike(generate(np.random.default_rng(7), num).tolist())
    for name, least in least_paid.items():
        assert np.count_nonzero(paid[name]) >= least, f"too few cases of {name}"
    if kind == "leaps":
        assert np.sum(paid["leap"] > 0) > 500 and np.sum(paid["leap"] < 0) > 500


PHRASES = st.one_of(
    st.lists(st.integers(0, 37), min_size=1, max_size=8),
    st.lists(st.sampled_from([0, 1, 14, 21]), min_size=1, max_size=8),
    st.builds(lambda code, times: [code] * times, st.integers(0, 37), st.integers(1, 9)),
    st.builds(lambda bar: bar * 2, st.lists(st.integers(0, 37), min_size=8, max_size=8)),
)
MELODIES = st.lists(PHRASES, min_size=1, max_size=12).map(
    lambda phrases: (list(itertools.chain(*phrases)) * 32)[:32]
)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.lists(MELODIES, min_size=1, max_size=8))
def test_environment_pays_what_the_twin_pays_for_any_melody(melodies):
    assert_alike(melodies)


@pytest.mark.parametrize("name", tunes.TUNES)
def test_environment_pays_what_the_twin_pays_for_old_tunes(name):
    melodies = tunes.windows(tunes.events(tunes.TUNES[name]))
    paid = assert_alike(melodies)
    assert np.count_nonzero(paid["interval"]) > 0


@pytest.mark.parametrize("length", [12, 64])
def test_environment_pays_what_the_twin_pays_at_other_lengths(length):
    rng = np.random.default_rng(length)
    bars = rng.choice([0, 1, 14, 16, 18, 37], (64, 8))
    melodies = np.concatenate([np.tile(bars, 8)[:, :length], rng.integers(0, 38, (64, length))])
    melodies[0] = np.repeat([0, 37], length // 2)  # the largest sums that there are
    env = crl.make("melody-theory", length=length)
    timesteps, _ = play(env, env.default_params, melodies)
    found = {name: np.asarray(value) for name, value in timesteps.info["reward_terms"].items()}
    for i, melody in enumerate(melodies.tolist()):
        twin = TheoryTwin(length)
        for t, action in enumerate(melody):
            for name, value in twin.step(action).items():
                assert abs(found[name][i, t] - value) < 1e-4, (name, melody[: t + 1])


def test_tunes_are_read_as_written():
    assert tunes.events("C4:2 G#4:1 R:3 C3:1 B5:1") == [14, 1, 22, 0, 1, 1, 2, 37]
    assert all(max(tunes.events(tune)) < 38 for tune in tunes.TUNES.values())
    ode = tunes.events(tunes.TUNES["Ode to Joy (Beethoven)"])
    assert len(ode) == 128 and ode[:8] == [18, 1, 1, 1, 18, 1, 1, 1]


def test_environment_pays_what_the_twin_pays_on_the_corpus():
    from creative_rl import corpora

    train = np.asarray(corpora.load("default").sequences.train)[:, 1:].astype(np.int32)
    chosen = np.random.default_rng(0).permutation(len(train))[:8192]
    assert_alike(train[chosen].tolist())


# Figures measured before this package existed, with another implementation.


def test_a_uniform_random_policy_earns_what_was_measured():
    """-17.7 a composition over 3,000 melodies, whose standard deviation is about 25."""
    actions = _uniform(np.random.default_rng(1), 64 * BATCH)
    returns = paid_by_environment(actions.tolist())["reward"].sum(axis=1)
    error = returns.std() * np.sqrt(1 / 3000 + 1 / len(returns))
    assert abs(returns.mean() - (-17.7)) < 3 * error
    assert error < 0.6


def test_a_loop_of_eight_pitches_games_the_reward():
    """It is a repeated motif of every pitch from step 15 on: 9 a step, on 4.5 for the motif."""
    paid = assert_alike([[26, 28, 16, 23, 14, 19, 25, 21] * 4])
    totals = {name: values.sum() for name, values in paid.items()}
    assert totals["repeated_motif"] == pytest.approx(17 * 9.0)
    assert totals["motif"] == pytest.approx(25 * 4.5)
    assert sum(totals.values()) >= 287.6
