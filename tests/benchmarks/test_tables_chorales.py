"""Chorales as tokens, their splits and baselines by hand, and what becomes of the figures."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import chorale_frames, chorales
from benchmarks.tables.chorale_frames import WINDOW, Chorales, Split
from creative_rl.configs import LikelihoodConfig

TINY = LikelihoodConfig(
    batch_size=4, num_steps=2, recurrent="transformer", memory_size=4, num_layers=1, num_heads=1,
    context=8,
)  # fmt: skip


def piece(num_frames, seed=0):
    """Four voices in ranges of their own; -1 is a rest."""
    random = np.random.default_rng(seed)
    return np.array([60, 55, 50, 40]) + random.integers(0, 5, (num_frames, 4))


def test_tokens_by_hand():
    frames = np.array([[60, 55, 50, 40], [62, -1, 50, 41]])
    letters = chorale_frames.alphabet([frames])
    assert letters == chorale_frames.Alphabet((60, 55, 50, 40), (4, 2, 2, 3))
    assert letters.num_tokens == 12
    # Soprano 1..4 (1 a rest), alto 5..6, tenor 7..8, bass 9..11; 0 is the start.
    np.testing.assert_array_equal(letters.tokens(frames), [2, 6, 8, 10, 4, 5, 8, 11])
    silent = np.array([[-1, -1, -1, -1], [60, -1, -1, -1]])
    np.testing.assert_array_equal(chorale_frames.sung(silent), silent[1:])


def test_a_split_is_by_tune_and_nothing_is_lost():
    pieces = {f"piece {i}": piece(2, i) for i in range(200)}
    families = {name: f"tune {i // 2}" for i, name in enumerate(pieces)}
    parts = chorale_frames.split_by_tune(Chorales(pieces, families), 0)
    assert sum(map(len, parts)) == 200
    train, validation, test = map(len, parts)
    assert 100 <= train <= 140 and 25 <= validation <= 55 and 25 <= test <= 55
    where = {found.tobytes(): i for i, part in enumerate(parts) for found in part}
    for i in range(0, 200, 2):
        assert where[pieces[f"piece {i}"].tobytes()] == where[pieces[f"piece {i + 1}"].tobytes()]


def test_windows_are_whole_frames_with_the_token_before():
    rows = [np.arange(1, 1 + 4 * num, dtype=np.uint8) for num in (WINDOW, WINDOW + 2)]
    windows = chorale_frames.draw_windows(rows, 200, 0)
    assert (windows.shape, windows.dtype) == ((200, 4 * WINDOW + 1), np.uint8)
    assert (np.diff(windows.astype(int), axis=1) == 1).all()
    assert set(windows[:, 0].tolist()) == {0, 4, 8}  # the start, and the bass of frames one and two
    assert (windows[:, 0] == 0).mean() == pytest.approx(0.5, abs=0.1)  # 2 of 4 places


def test_baselines_by_hand():
    high, low = [62, 55, 50, 40], [61, 55, 50, 40]
    train, test = np.array([high, high, low]), np.array([high, low])
    letters = chorale_frames.alphabet([train])
    assert letters.sizes == (3, 2, 2, 2)
    parts = Split([train], [], [test])
    # Counts plus one: soprano 1 : 2 : 3 of (rest, 61, 62), each other voice 1 : 4.
    others = -3 * np.log(4 / 5)
    expected = others - (np.log(3 / 6) + np.log(2 / 6)) / 2
    assert chorale_frames.unigram(parts, letters) == pytest.approx(expected)
    # From the start 1 : 1 : 2, from 62 1 : 2 : 2; others from the start 1 : 2, then 1 : 3.
    others = -3 * (np.log(2 / 3) + np.log(3 / 4)) / 2
    expected = others - (np.log(2 / 4) + np.log(2 / 5)) / 2
    assert chorale_frames.bigram(parts, letters) == pytest.approx(expected)


def test_a_network_learns_and_is_measured_on_whole_pieces(monkeypatch):
    """Its nats are those of each piece by itself, token by token."""
    for name, size in (
        ("NUM_WINDOWS", 8), ("NUM_VALIDATION", 4), ("LENGTH", 12), ("TEST_BATCH", 2),
    ):  # fmt: skip
        monkeypatch.setattr(chorales, name, size)
    monkeypatch.setattr(chorale_frames, "WINDOW", 3)
    pieces = [piece(num, num) for num in (7, 3, 4)]
    letters = chorale_frames.alphabet(pieces)
    network = chorales.Network(TINY, letters.num_tokens)
    windows = chorales.as_sequences(Split(pieces, pieces, pieces), letters, 0)
    assert (windows.train.shape, windows.held_out.shape) == ((8, 13), (4, 13))
    state = network.train(0, windows, 2)
    assert state.num_updates == 2
    np.testing.assert_array_equal(state.sequences.train, windows.train)
    rows = [letters.tokens(found) for found in pieces]
    step = jax.jit(network._model.apply)
    nats = 0.0
    for row in rows:
        memory = network._model.init_memory()
        for before, token in zip([0, *row[:-1]], row, strict=True):
            logits, memory = step(state.variables, jnp.int32(before), memory)
            nats -= float(jax.nn.log_softmax(logits)[token])
    measured = network.nats_a_frame(state.variables, rows)
    assert measured == pytest.approx(nats / (7 + 3 + 4), rel=1e-4)


def test_the_networks_are_of_one_size():
    sizes = []
    for config in chorales.MODELS.values():
        model = chorales.sequence_model(chorales.Tokens(133), config)
        arguments = (jax.random.key(0), jnp.int32(0), model.init_memory())
        variables = jax.eval_shape(model.init, *arguments)
        sizes.append(sum(leaf.size for leaf in jax.tree.leaves(variables)))
    assert max(sizes) < 1.05 * min(sizes)
    kinds = [config.recurrent for config in chorales.MODELS.values()]
    assert kinds == ["gru", "lstm", "transformer"]


def test_the_benchmark_from_its_pieces_to_its_file(tmp_path, monkeypatch):
    class Guesser:
        """Knows a little more the more it is."""

        def __init__(self, config, num_tokens):
            self.nats = {"gru": 3.0, "lstm": 2.0, "transformer": 1.0}[config.recurrent]

        def train(self, seed, windows, num_updates):
            assert windows.train.shape == (chorales.NUM_WINDOWS, 4 * WINDOW + 1)
            return chorales.Tokens(seed)

        def nats_a_frame(self, variables, pieces):
            return self.nats + 0.1 * variables

        def num_weights(self, state):
            return 7

    pieces = {f"piece {i}": piece(WINDOW + 2, i) for i in range(20)}
    monkeypatch.setattr(chorales.Tokens, "best_variables", property(lambda self: self.num), False)
    monkeypatch.setattr(chorales.Tokens, "num_updates", 1, False)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(chorales, "Network", Guesser)
    monkeypatch.setattr(
        chorale_frames, "load", lambda: Chorales(pieces, {name: name for name in pieces})
    )
    chorales.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    chorales.main([])
    found = json.loads((tmp_path / "chorales.json").read_text())
    by_name = {row["name"]: row for row in found["rows"]}
    assert list(by_name) == ["unigram", "bigram", "GRU", "LSTM", "Transformer"]
    assert (by_name["LSTM"]["value"], by_name["LSTM"]["published"]) == (2.1, 8.67)
    assert by_name["GRU"]["source"].startswith("7 weights; published: arXiv 1412.3555, table 2")
    assert by_name["Transformer"]["published"] is None
    # Each of five pitches with equal probability: the baselines know no more.
    assert by_name["unigram"]["value"] == pytest.approx(4 * np.log(5), rel=0.05)
    assert by_name["unigram"]["seeds"] == 3
    assert [goal["reached"] for goal in found["goals"]] == [True] * 3
