"""What draws digits: who learns from what, and what becomes of the figures."""

import io
import json

import jax
import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import digits_generation
from benchmarks.tables.digit_judge import BASELINES, NUM_SAMPLES, DigitJudge
from benchmarks.tables.generation_recipes import RECIPES, SHORT_RECIPES, Generator
from benchmarks.tables.painting_learners import Recipe
from creative_rl.configs import GANConfig

TINY = Recipe(
    "tiny",
    "gan",
    GANConfig(network="mlp", hidden_sizes=(8,), latent_size=3, batch_size=4, num_steps=2),
    "drawing-pixels",
    {"height": 8, "width": 8},
    num_updates=2,
    num_seeds=1,
)


def test_learners_see_what_their_judge_was_trained_on_and_nothing_else():
    judge = DigitJudge(3)
    pictures = digits_generation.training_pictures(3)
    assert pictures.shape == (NUM_SAMPLES, 8, 8, 1)
    ink = np.rint(pictures.reshape(NUM_SAMPLES, 64) / 255 * 16) / 16
    np.testing.assert_array_equal(ink, judge.train)


def test_one_program_learns_from_whatever_it_is_given(key):
    generator = Generator(TINY)
    dark, bright = (np.full((6, 8, 8, 1), level, np.uint8) for level in (0, 255))
    states = [generator.train(key, jax.numpy.asarray(pictures)) for pictures in (dark, bright)]
    for state, pictures in zip(states, (dark, bright), strict=True):
        np.testing.assert_array_equal(state.env_params.targets, pictures)
        assert state.num_updates == 2
    kernels = [jax.tree.leaves(state.discriminator)[-1] for state in states]
    assert not np.array_equal(*kernels)
    samples = generator.samples(0, dark, 5)
    assert (samples.shape, samples.dtype) == ((5, 8, 8, 1), np.uint8)


def test_recipes_are_of_all_four_learners_and_short_in_a_quick_run():
    assert [recipe.learner for recipe in RECIPES] == ["gan", "vae", "spiral", "dqn_gan"]
    for recipe, short in zip(RECIPES, SHORT_RECIPES, strict=True):
        assert recipe.num_seeds == digits_generation.NUM_SEEDS
        assert short.num_seeds == digits_generation.QUICK_SEEDS
        assert 1 <= short.num_updates <= 0.05 * recipe.num_updates
        assert (short.learner, short.config) == (recipe.learner, recipe.config)


def figures(fid, recall):
    return {"fid": fid, "precision": 0.9, "recall": recall, "inception_score": 8.0}


def test_a_row_is_a_mean_over_splits_beside_what_was_published():
    found = {
        "one Gaussian": [figures(2.0, 0.8)],
        "vae": [figures(1.0, 0.5), figures(3.0, 0.7)],
    }
    rows = digits_generation.rows(found, {"vae": "settings"})
    assert [(row.name, row.metric) for row in rows[:2]] == [
        ("one Gaussian", "fid"),
        ("one Gaussian", "precision"),
    ]
    by_name = {(row.name, row.metric): row for row in rows}
    assert by_name["one Gaussian", "inception_score"].published == 5.84
    fid = by_name["vae", "fid"]
    assert (fid.value, fid.low, fid.high, fid.seeds) == (2.0, 1.0, 3.0, 2)
    assert (fid.source, fid.published) == ("settings", None)
    assert by_name["one Gaussian", "fid"].low is None


def test_goals_are_asked_of_the_learner_of_least_distance_and_not_of_the_baselines():
    found = {
        "real digits": [figures(0.4, 0.97)],
        "gan": [figures(0.6, 0.93)],
        "vae": [figures(1.0, 0.99)],
    }
    goals = digits_generation.goals(digits_generation.rows(found, {}))
    assert [(goal.value, goal.reached) for goal in goals] == [
        (0.6, True),
        (0.93, True),
        (0.6, False),
    ]
    assert [goal.bound for goal in goals] == [0.706, 0.92, 0.5]


def test_the_benchmark_from_its_learners_to_its_files(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")

    class Copier:
        """Draws what it was given to learn from."""

        def __init__(self, recipe):
            pass

        def samples(self, seed, pictures, num):
            assert num == len(pictures)
            return pictures

    def baselines(judge, seed):
        return {name: figures(1.0 + seed, 0.9) for name in BASELINES}

    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(digits_generation, "Generator", Copier)
    monkeypatch.setattr(digits_generation, "measure_baselines", baselines)
    monkeypatch.setattr(digits_generation, "NUM_SEEDS", 2)
    digits_generation.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    digits_generation.main([])
    found = json.loads((tmp_path / "digits_generation.json").read_text())
    values = {(row["name"], row["metric"]): row["value"] for row in found["rows"]}
    assert values["uniform noise", "fid"] == 1.5
    assert len(values) == 4 * (len(BASELINES) + len(RECIPES))
    assert values["gan", "fid"] == pytest.approx(0.403, rel=0.3)  # real digits, anew
    assert [goal["reached"] for goal in found["goals"]] == [True, True, True]
    assert "scikit-learn" in found["versions"]
    sheet = image.open(io.BytesIO((tmp_path / "digits_generation.png").read_bytes()))
    assert sheet.size[1] > 5 * 8 * 2 * 3
