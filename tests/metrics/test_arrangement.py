"""Energies and playable notes of scores by hand; with the environment they are compared in
tests/envs/test_arrangement.py."""

import numpy as np
import pytest

from creative_rl.metrics import energies, energy_correlation, playable_share
from creative_rl.works.score import Score

FLUTE, TRUMPET, CELLO = 73, 56, 42
C4, C2 = 2 + 60, 2 + 36


def scores(events, velocities, programs, lengths=None):
    events = np.asarray(events, np.int32)
    num, _, num_steps = events.shape
    lengths = [num_steps] * num if lengths is None else lengths
    velocities = np.broadcast_to(np.asarray(velocities, np.int32), events.shape)
    programs = np.broadcast_to(programs, events.shape[:2])
    return Score(events, velocities, np.zeros((num, num_steps)), programs, np.asarray(lengths))


TWO = scores(
    [[[C4, 1, 0, 1, C4, C4], [0, 1, C2, 1, C4, 1]]],
    [[[33] * 4 + [112] * 2, [33, 33, 96, 96, 33, 33]]],
    [TRUMPET, CELLO],
)
ENERGIES = [
    0.4 * 0 + 0.4 * 0.25 + 0.2 * 1.0,  # a trumpet, pp
    0.4 * 0.8 + 0.4 * 0.25 + 0.2 * 0.4,  # a cello, f
    0.4 * 2 / 3 + 0.4 * 0.5 + 0.2 * 0.7,  # two notes ff and one pp
]


def test_energies_by_hand():
    np.testing.assert_allclose(energies(TWO, 3), [ENERGIES])
    between = scores([[[C4]]], (64 + 80) / 2, [FLUTE])  # from mp to mf, half way
    np.testing.assert_allclose(energies(between, 1), [[0.4 * 0.5 + 0.1 + 0.2 * 0.5]])
    assert energies(scores([[[0, 1]]], 112, [FLUTE]), 2).tolist() == [[0, 0]]
    assert energies(scores([[[C4]] * 6], 112, [TRUMPET]), 1)[0, 0] == pytest.approx(1)


def test_correlation_by_hand():
    rising = np.array([0.0, 0.5, 1.0])
    three = scores(np.repeat(TWO.events, 4, 0), np.repeat(TWO.velocities, 4, 0), [TRUMPET, CELLO])
    curves = [ENERGIES, [1 - energy for energy in ENERGIES], [0.5] * 3, rising]
    found = energy_correlation(three, curves)
    assert found.dtype == np.float64
    expected = np.corrcoef(ENERGIES, rising)[0, 1]
    np.testing.assert_allclose(found, [1, -1, 0, expected], atol=1e-9)
    silent = scores([[[0, 0, 0]]], 80, [FLUTE])
    assert energy_correlation(silent, [rising]).tolist() == [0]


def test_playable_share_by_hand():
    low = scores([[[C4, C2, C4 + 1, C2], [C2, 1, C2 - 1, 0]]], 80, [FLUTE, CELLO])
    assert playable_share(low).tolist() == [3 / 6]
    assert playable_share(scores([[[0, 1]]], 80, [FLUTE])).tolist() == [0]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: energies(TWO, 4), "energies: num_slots must divide the 6 steps .*, got 4"),
        (lambda: energies(TWO, 0), "energies: num_slots must divide"),
        (lambda: energies(scores([[[C4]]], 80, [0]), 1), r"instruments in ops.*, got 0"),
        (lambda: playable_share(scores([[[C4]]], 80, [FLUTE], [0])), r"be whole, .* values \[0\]"),
        (
            lambda: playable_share(
                Score(np.array([[C4]]), np.array([[80]]), np.zeros(1), np.zeros(1), np.int32(1))
            ),
            r"playable_share: scores must be a batch with events \[N, V, T\], .* got \[1, 1\]",
        ),
        (
            lambda: energy_correlation(TWO, [[0.5, 1]] * 2),
            r"curves must be \[N, H\] with N = 1 works and H at least 2, got \[2, 2\]",
        ),
        (lambda: energy_correlation(TWO, [[1]]), r"H at least 2, got \[1, 1\]"),
    ],
)
def test_refusals(call, line):
    with pytest.raises(ValueError, match=line) as caught:
        call()
    assert "\n" not in str(caught.value)
