import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.music_theory import table_one

from creative_rl.metrics import RL_TUNER_DIRECTIONS, RL_TUNER_PUBLISHED, rl_tuner_metrics
from creative_rl.works import Melody

RUN = [14, 16, 18, 19, 21, 23, 25, 26]  # C major, an octave


def works(melodies, lengths=None) -> Melody:
    """A batch from lists of events, filled to one length."""
    lengths = lengths or [len(melody) for melody in melodies]
    length = max(len(melody) for melody in melodies)
    padded = [[*melody, *[0] * (length - len(melody))] for melody in melodies]
    return Melody(events=jnp.array(padded, jnp.int32), length=jnp.array(lengths, jnp.int32))


def test_the_table_has_eleven_metrics_in_its_order():
    found = rl_tuner_metrics(works([RUN * 4]))
    assert [*found] == [*RL_TUNER_DIRECTIONS, "num_leaps"] and len(RL_TUNER_DIRECTIONS) == 11
    assert all(type(value) is float for value in found.values())
    assert set(RL_TUNER_DIRECTIONS.values()) == {"+", "-", "0"}
    assert [*RL_TUNER_PUBLISHED] == ["Note RNN", "Q", "Psi", "G"]
    assert all([*column] == [*RL_TUNER_DIRECTIONS] for column in RL_TUNER_PUBLISHED.values())
    assert RL_TUNER_PUBLISHED["Note RNN"]["notes_excessively_repeated"] == 0.633
    assert RL_TUNER_PUBLISHED["Note RNN"]["notes_in_repeated_motif"] == 0.00007
    assert RL_TUNER_PUBLISHED["Q"]["notes_in_repeated_motif"] == 0.0011
    assert RL_TUNER_PUBLISHED["Q"]["leaps_resolved"] == 0.911
    assert RL_TUNER_PUBLISHED["Psi"]["autocorrelation_lag_2"] == -0.01
    assert RL_TUNER_PUBLISHED["G"]["autocorrelation_lag_1"] == 0.55


def test_a_run_up_by_hand():
    """From the eighth event on a motif, from the sixteenth on a repeated one."""
    found = rl_tuner_metrics(works([RUN * 4]))
    assert found["starts_with_tonic"] == 1.0
    assert found["notes_in_motif"] == 25 / 32
    assert found["notes_in_repeated_motif"] == 17 / 32
    assert found["notes_not_in_key"] == found["notes_excessively_repeated"] == 0.0
    assert found["unique_max_note"] == found["unique_min_note"] == 0.0
    # C5 down to C4 is a leap (3 of them); the climb back to C5 resolves each.
    assert found["leaps_resolved"] == 1.0 and found["num_leaps"] == 3.0


def test_one_note_by_hand():
    """No variance, no leap: defined, and not a NaN. From the sixth on, 27 are too many."""
    found = rl_tuner_metrics(works([[15] * 32]))
    assert found["notes_excessively_repeated"] == 27 / 32
    assert found["notes_not_in_key"] == 1.0
    assert [found[f"autocorrelation_lag_{lag}"] for lag in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert found["leaps_resolved"] == found["num_leaps"] == 0.0


def test_two_works_by_hand():
    """Shares of notes are over all notes, of leaps over all leaps, of works over works."""
    first = [14, 21, 28, 26, 21, 16, 14, 15]  # doubled, then back to the origin
    second = [2, 9, 16, 23, 16, 18, 18, 0]  # doubled twice, cancelled
    found = rl_tuner_metrics(works([first, second]))
    assert found["leaps_resolved"] == 1 / 4 and found["num_leaps"] == 4.0
    assert found["notes_not_in_key"] == 1 / 16
    assert found["starts_with_tonic"] == 1 / 2
    assert found["unique_max_note"] == 1.0  # 28 and 23
    assert found["unique_min_note"] == 1 / 2  # 14 stands twice, 2 once
    assert found["notes_in_motif"] == 2 / 16


def test_autocorrelation_is_the_mean_over_the_works_that_vary():
    found = rl_tuner_metrics(works([[14, 16, 14, 16], [14, 14, 14, 14], [2, 3, 5, 4]]))
    expected = [(-3 / 4 + 3 / 20) / 2, (1 / 2 - 1 / 2) / 2, (-1 / 4 - 3 / 20) / 2]
    correlations = [found[f"autocorrelation_lag_{lag}"] for lag in (1, 2, 3)]
    np.testing.assert_allclose(correlations, expected, atol=1e-7)


def _structured(rng, num):
    """Few codes that like to stay, in bars that come again: every count is far from zero."""
    alphabet = rng.choice([0, 1, 2, 9, 14, 15, 16, 18, 21, 28], (num, 10))
    codes = np.take_along_axis(alphabet, rng.integers(0, 5, (num, 32)), axis=1)
    is_new = rng.random((num, 32)) < rng.random((num, 1))
    is_new[:, 0] = True
    since = np.maximum.accumulate(np.where(is_new, np.arange(32), 0), axis=1)
    periods = rng.integers(6, 33, (num, 1))
    return np.take_along_axis(codes, np.take_along_axis(since, np.arange(32) % periods, 1), 1)


@pytest.mark.parametrize("kind", ["uniform", "structured"])
def test_the_metrics_are_the_counts_of_the_twin(kind):
    rng = np.random.default_rng(11)
    melodies = _structured(rng, 512) if kind == "structured" else rng.integers(0, 38, (512, 32))
    found, expected = rl_tuner_metrics(works(melodies.tolist())), table_one(melodies.tolist())
    for name in RL_TUNER_DIRECTIONS:
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name
    if kind == "structured":
        assert [name for name in RL_TUNER_DIRECTIONS if abs(expected[name]) < 0.005] == []


def test_what_lies_beyond_the_length_means_nothing():
    rng = np.random.default_rng(5)
    melodies = _structured(rng, 512).tolist()
    lengths = rng.integers(1, 33, 512).tolist()
    found = rl_tuner_metrics(works(melodies, lengths))
    cut = [melody[:length] for melody, length in zip(melodies, lengths, strict=True)]
    expected = table_one(cut)
    for name in RL_TUNER_DIRECTIONS:
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name


# A uniform random policy, as measured over 3,000 melodies with another implementation.
RANDOM_SHARES = {
    "notes_not_in_key": (0.397, 3000 * 32),
    "starts_with_tonic": (0.028, 3000),
    "leaps_resolved": (0.023, 5500),  # the leaps that there are in 3,000 melodies
    "unique_max_note": (0.631, 3000),
    "unique_min_note": (0.636, 3000),
    "notes_in_motif": (0.781, 3000 * 25),
}
RANDOM_CORRELATIONS = {
    "autocorrelation_lag_1": -0.034,
    "autocorrelation_lag_2": -0.030,
    "autocorrelation_lag_3": -0.028,
}


def test_a_uniform_random_policy_scores_what_was_measured():
    num = 30_000
    events = jax.random.randint(jax.random.key(0), (num, 32), 0, 38, jnp.int32)
    found = rl_tuner_metrics(Melody(events=events, length=jnp.full(num, 32, jnp.int32)))
    assert found["num_leaps"] / num == pytest.approx(5500 / 3000, rel=0.05)
    for name, (share, count) in RANDOM_SHARES.items():
        error = np.sqrt(share * (1 - share) / count) + 0.0005  # sampling, and rounding
        assert abs(found[name] - share) < 3 * error, name
    for name, value in RANDOM_CORRELATIONS.items():
        assert abs(found[name] - value) < 3 * np.sqrt(1 / 32 / 3000) + 0.0005, name
    assert found["notes_excessively_repeated"] < 1e-4
    assert found["notes_in_repeated_motif"] == 0.0
    # What makes these metrics weak: chance beats the model of the paper.
    for name in ("unique_max_note", "unique_min_note", "notes_in_motif"):
        assert found[name] > RL_TUNER_PUBLISHED["Q"][name]


def test_a_batch_of_one_shape_is_compiled_once():
    from creative_rl.metrics import rl_tuner

    rl_tuner_metrics(works([RUN]))
    num_compiled = rl_tuner._judge._cache_size()
    rl_tuner_metrics(works([RUN[::-1]]))
    assert rl_tuner._judge._cache_size() == num_compiled


@pytest.mark.parametrize(
    ("events", "lengths", "message"),
    [
        (np.zeros(32), 32, r"events \[N, T\], N at least 1 and T in 1\.\.64, got \[32\]"),
        (np.zeros((0, 32)), np.zeros(0), r"got \[0, 32\]"),
        (np.zeros((2, 65)), np.full(2, 65), r"T in 1\.\.64, got \[2, 65\]"),
        (np.zeros((2, 32)), np.array([32, 0]), r"lengths must be \[N\], each in 1\.\.32"),
        (np.zeros((2, 32)), np.array([32, 33]), r"each in 1\.\.32, .* values \[32, 33\]"),
        (np.full((2, 32), 38), np.full(2, 32), r"codes in 0\.\.37, got 38\.\.38"),
        (np.full((2, 32), -1), np.full(2, 32), r"codes in 0\.\.37, got -1\.\.-1"),
        (np.zeros((2, 32)), np.array([32]), r"lengths must be \[N\], .* got shape \[1\]"),
    ],
)
def test_what_is_no_batch_of_melodies_is_refused(events, lengths, message):
    melodies = Melody(events=events.astype(np.int32), length=np.asarray(lengths, np.int32))
    with pytest.raises(ValueError, match=message) as refused:
        rl_tuner_metrics(melodies)
    assert "\n" not in str(refused.value)
