"""The accompaniment table: what a row plays and measures, and what is asked of it."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import accompaniment
from creative_rl import corpora, metrics
from creative_rl.corpora.chorale_windows import ChoraleCorpus, ChoraleWindows
from creative_rl.corpora.songs import songs
from creative_rl.learners.likelihood import sequence_model
from creative_rl.ops import harmony

NUM = 6
FIGURES = {"harmony": 0.5, "diversity": 20.0, "mean_log_p": -2.0, "return": 9.0, "repetition": 0.0}


@pytest.fixture(scope="module")
def windows():
    """Songs, as if Bach had written them; the last holds its first chord to the end."""
    melodies, chords = songs(NUM, accompaniment.ENV.num_frames, 1)
    chords = chords.copy()  # 0 where the chord goes on
    chords[-1] = chords[-1, 0] * (np.arange(chords.shape[1]) == 0)
    lasting = np.array([[row[: t + 1][row[: t + 1] > 0][-1] for t in range(32)] for row in chords])
    return ChoraleWindows(
        parts=np.stack([melodies] * 4, axis=1).astype(np.uint8),
        chords=lasting.astype(np.uint8),
        bars=np.full(NUM, 8, np.int32),
        names=tuple("abcdef"),
    )


@pytest.fixture(scope="module")
def prior(windows):
    model = sequence_model(accompaniment.ENV, accompaniment.CLONE)
    seen = accompaniment.ENV.observation_space.zeros()
    variables = model.init(jax.random.key(0), seen, model.init_memory())
    return accompaniment.Prior(
        variables=jax.tree.map(jnp.zeros_like, variables),  # every action is as likely
        params=accompaniment.with_melodies(windows),
        examples=jnp.zeros((1, 32, 24, 1), jnp.uint8),
        held_out=windows,
        num_updates=0,
    )


def test_the_pieces_themselves_are_played_as_they_are(prior, windows):
    (found,) = accompaniment.of_bach(prior)
    assert found["harmony"] == metrics.note_in_chord_ratio(windows.scores)
    assert found["diversity"] == pytest.approx(metrics.chord_vendi_score(windows.scores))
    assert found["mean_log_p"] == pytest.approx(-np.log(61), rel=1e-5)
    lasted = np.zeros(NUM, int)
    repeated = 0
    for now, before in zip(windows.chords.T, [None, *windows.chords.T[:-1]], strict=True):
        lasted = np.where(now == before, lasted + 1, 1)
        repeated += (lasted > 8).sum()
    assert repeated >= 24  # the held one, in three bars of four
    assert found["repetition"] == pytest.approx(repeated / (32 * NUM))
    # The rules alone pay: notes in chords, less than that for leading and repeating, and cadences.
    assert 0 < found["return"] < 32 + 4


def test_every_melody_is_played_to_once(prior, windows):
    params = accompaniment.one_each(windows)
    assert params.melodies.shape == (NUM, 1, 32) and params.bars.shape == (NUM, 1)
    np.testing.assert_array_equal(params.melodies[:, 0], windows.melodies)
    two = accompaniment.first(windows, 2)
    assert len(two) == len(two.names) == 2
    np.testing.assert_array_equal(accompaniment.with_melodies(two).melodies, windows.melodies[:2])


def test_pieces_are_shown_as_what_a_player_sees_and_does_and_how_they_look(windows):
    examples, pictures = accompaniment.demonstrated(windows)
    np.testing.assert_array_equal(examples.actions, windows.chord_actions)
    assert pictures.shape == (NUM, 32, 24, 1) and pictures.dtype == jnp.uint8
    seen = np.asarray(pictures)[..., 0] == 255
    for chord, frame in zip(windows.chords.ravel(), seen.reshape(-1, 24), strict=True):
        assert int(harmony.chord_mask(jnp.int32(chord))) == (frame[12:] << np.arange(12)).sum()
    assert (seen[:, :, :12].sum(axis=2) <= 1).all() and seen[:, :, :12].mean() > 0.05


def test_the_adversary_is_all_that_differs_at_equal_weight_of_the_clone():
    plain, closer, further, both, as_close = accompaniment.TUNED.values()
    assert further.kl == both.kl < plain.kl == as_close.kl < closer.kl
    assert plain.realism is closer.realism is further.realism is None
    assert both.realism == as_close.realism > 0


def test_rows_are_means_between_their_ends_beside_what_was_published(prior):
    found = {"ppo": [FIGURES, {**FIGURES, "harmony": 0.7}], "random": [FIGURES]}
    rows = accompaniment.rows(found, accompaniment.settings_of(prior, 7))
    by_name = {(row.name, row.metric): row for row in rows}
    harmony = by_name["ppo", "harmony"]
    assert (harmony.value, harmony.low, harmony.high, harmony.seeds) == (0.6, 0.5, 0.7, 2)
    assert harmony.published == 0.476 and "updates=7" in harmony.source
    assert "weight of KL=0.2" in harmony.source and "realism" not in harmony.source
    assert by_name["ppo", "return"].published is None
    random = by_name["random", "harmony"]
    assert (random.low, random.published) == (None, None)


def figures(harmony, diversity):
    return [
        {**FIGURES, "harmony": harmony + side, "diversity": diversity + 100 * side}
        for side in (-0.01, 0.01)
    ]


@pytest.mark.parametrize(
    ("adversarial", "reached"),
    [((0.53, 23), [True] * 6), ((0.515, 23), [False, True] * 3), ((0.5, 17), [False] * 6)],
)
def test_goals_are_intervals_apart(adversarial, reached):
    found = {
        "ppo": figures(0.5, 20),
        "ppo, closer to the clone": figures(0.5, 20),
        "ppo, further from the clone": figures(0.5, 20),
        "ppo + adversarial": figures(*adversarial),
    }
    goals = accompaniment.goals(accompaniment.rows(found, {}))
    assert [goal.reached for goal in goals] == reached
    for other in ("closer to", "further from"):
        del found[f"ppo, {other} the clone"]
    quick = accompaniment.goals(accompaniment.rows(found, {}))
    assert [goal.reached for goal in quick] == [*reached[:2], *[None] * 4]


def test_the_benchmark_from_its_rows_to_its_file(tmp_path, monkeypatch, prior, windows):
    corpus = ChoraleCorpus(windows, windows, (), (), ())
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(corpora, "load_chorales", lambda **_: corpus)
    monkeypatch.setattr(accompaniment, "learn_clone", lambda *_: (None, None, prior))
    for name in ("of_bach", "drawn", "tuned"):
        monkeypatch.setattr(accompaniment, name, lambda *_: [FIGURES, FIGURES])
    accompaniment.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    accompaniment.main(["--seeds", "2"])
    found = json.loads((tmp_path / "accompaniment.json").read_text())
    assert found["command"].endswith("accompaniment --seeds 2")
    names = list(dict.fromkeys(row["name"] for row in found["rows"]))
    assert names == ["Bach", "likelihood", *accompaniment.TUNED, "random"]
    assert len(found["goals"]) == 6


def test_seeds_below_one_are_refused(capsys):
    with pytest.raises(SystemExit):
        accompaniment.main(["--seeds", "0"])
    assert "--seeds: must be at least 1, got 0" in capsys.readouterr().err
