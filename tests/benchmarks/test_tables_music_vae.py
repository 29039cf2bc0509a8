"""What the codes of melodies are measured by, and the table from its figures to its file."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import melody_codes, music_vae
from creative_rl.stores.sequences import Sequences


def test_attributes_by_hand():
    # C4, held, E4, silence, held, D4: pitches 12, 16, 14; intervals 4 and 2.
    events = jnp.array([[14, 1, 18, 0, 1, 16], [1, 1, 0, 1, 1, 1], [1, 14, 1, 1, 1, 1]], jnp.int32)
    found = jax.vmap(melody_codes.attributes_of)(events)
    np.testing.assert_allclose(found, [[0.5, 14, 3], [0, 0, 0], [1 / 6, 12, 0]], rtol=1e-6)


def test_vectors_lead_from_the_lower_to_the_upper_quarter():
    latents = jnp.arange(16, dtype=jnp.float32).reshape(8, 2)
    up = jnp.arange(8, dtype=jnp.float32)
    attributes = jnp.stack([up, -up, jnp.float32([0, 9, 9, 0, 5, 5, 5, 5])], axis=1)
    found = melody_codes.attribute_vectors(latents, attributes)
    # Of rows 0, 1 and 6, 7; of 1, 2 and 0, 3, whose means are the same.
    np.testing.assert_allclose(found, [[12, 12], [-12, -12], [0, 0]])


def test_an_even_path_and_one_that_turns_back():
    even = np.zeros((5, 4), int)
    for place in range(5):
        even[place, :place] = 1
    back = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    found = melody_codes.path_figures(jnp.asarray(even[None], jnp.int32))
    assert float(found["interpolation: steps away from the start"]) == 1.0
    assert float(found["interpolation: largest step"]) == 0.25
    both = melody_codes.path_figures(jnp.asarray(np.stack([even, back]), jnp.int32))
    assert float(both["interpolation: steps away from the start"]) == (1 + 0.75) / 2
    assert float(both["interpolation: largest step"]) == (0.25 + 1.0) / 2


def test_of_changes_the_own_and_the_largest_other():
    changes = np.zeros((2, 3, 3))
    changes[0, 1], changes[1, 1] = [0.1, 2.0, -0.3], [-0.4, -1.5, 0.2]
    found = melody_codes.change_figures(changes)
    names = ("with its vector", "without its vector", "its vector on others, at most")
    assert [found[f"pitch: {name}"] for name in names] == [2.0, -1.5, 0.4]


def tunes(num):
    return np.random.default_rng(0).integers(2, 38, (num, 33)).astype(np.uint8)


def test_the_most_common_event_is_counted():
    windows = tunes(16)
    windows[:, :-1:2] = 1  # half of what is learned; the last event is not
    found = music_vae.counted(Sequences(jnp.asarray(windows), jnp.asarray(windows)), 16)
    assert found["most common event"][0]["accuracy, free-running"] == 0.5
    assert found["tunes"][0]["distinct works"] == 1.0


@pytest.fixture
def figures():
    """Of each setting one seed, as a perfect model has them."""
    changes = np.stack([np.eye(3), -np.eye(3)])
    plain = {
        "accuracy, teacher-forced": 1.0,
        "accuracy, free-running": 1.0,
        "interpolation: steps away from the start": 1.0,
    }
    return {name: [plain | melody_codes.change_figures(changes)] for name in music_vae.SETTINGS}


def test_the_table_from_its_figures_to_its_file(figures, tmp_path, monkeypatch):
    windows = jnp.asarray(tunes(16))
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(music_vae, "sequences_of", lambda _: Sequences(windows, windows))
    monkeypatch.setattr(music_vae, "coded", lambda *_: dict(figures))
    monkeypatch.setattr(music_vae, "predicted", lambda *_: [{"accuracy, teacher-forced": 0.75}] * 2)
    music_vae.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    music_vae.main(["--seeds", "2"])
    written = json.loads((tmp_path / "music_vae.json").read_text())
    assert all(goal["reached"] for goal in written["goals"]) and len(written["goals"]) == 10
    assert {row["name"] for row in written["rows"]} >= {"autoencoder", "likelihood", "tunes"}
    figures["beta 0.2, 48 bits free"][0]["density: without its vector"] = 0.3
    music_vae.main([])
    written = json.loads((tmp_path / "music_vae.json").read_text())
    missed = [goal["what"] for goal in written["goals"] if not goal["reached"]]
    assert len(missed) == 1 and "density: without its vector" in missed[0]


def test_seeds_below_one_are_refused():
    with pytest.raises(SystemExit):
        music_vae.main(["--seeds", "0"])
