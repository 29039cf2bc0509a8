"""How near generated digits come to real ones, how true and how varied they are.

Run `python -m benchmarks.tables.digits_generation [--quick]`. For each of five random splits of
scikit-learn's digits a learner sees the 1,297 to learn from, alone, and then draws as many; the
figures are those of `digit_judge`, in the features of a classifier, against the split's 500 others:
Frechet distance (fid), precision and recall of the five nearest neighbours, inception score. `gan`
and `vae` draw pixels, `spiral` and `dqn_gan` a few brush strokes. All are judged as the uint8
pictures that they are, 256 levels of ink; the real digits have 17, and rounding to those changes no
figure by more than its seeds differ.

A row is the mean over splits with its 95 percent interval. The settings of every row are in its
source; they were chosen on splits that are not among these five. Samplers without a network are
measured beside: the real digits that were learned from are the floor.
"""

import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import painting_sheet
from benchmarks.tables.digit_judge import (
    BASELINES,
    HIGHER_IS_BETTER,
    NUM_SAMPLES,
    DigitJudge,
    measure_baselines,
)
from benchmarks.tables.generation_recipes import RECIPES, SHORT_RECIPES, Generator
from benchmarks.tables.painting_learners import Recipe
from benchmarks.tables.seeds import over_seeds
from creative_rl.corpora import digits
from creative_rl.experiment import compilation_cache

NUM_SEEDS, QUICK_SEEDS = 5, 1
SHOWN, ENLARGED = 20, 2
PUBLISHED: Mapping[str, tuple[float, ...]] = {
    "real digits": (0.403, 0.964, 0.967, 9.61),
    "Gaussian mixture, 20": (0.706, 0.978, 0.831, 9.12),
    "kernel density, PCA 15": (1.083, 0.920, 0.919, 8.33),
    "one Gaussian": (2.169, 0.663, 0.803, 5.84),
    "uniform noise": (52.6, 0.006, 0.005, 2.06),
}
"""Fid, precision, recall and inception score; measured when the task was set, on other splits."""
MIXTURE_FID = PUBLISHED["Gaussian mixture, 20"][0]
ASKED_RECALL, STRETCH_FID = 0.92, 0.50

Measures = Mapping[str, float]


def learned(
    recipe: Recipe, judges: Sequence[DigitJudge]
) -> tuple[list[Measures], list[np.ndarray]]:
    """Of every split, what a recipe's samples reach, and the samples, uint8[1297, 8, 8, 1]."""
    generator = Generator(recipe)
    measures, samples = [], []
    for seed, judge in enumerate(judges):
        begin = time.perf_counter()
        samples.append(generator.samples(seed, training_pictures(seed), NUM_SAMPLES))
        measures.append(judge.measure(samples[-1]))
        seconds = time.perf_counter() - begin
        figures = ", ".join(f"{name} {value:.3f}" for name, value in measures[-1].items())
        print(f"{recipe.name}, split {seed}: {figures} ({seconds:.0f} s)", file=sys.stderr)
    return measures, samples


def training_pictures(seed: int) -> np.ndarray:
    """What a split leaves to learn from, uint8[1297, 8, 8, 1]: `DigitJudge(seed).train`."""
    return digits.pictures(digits.split(seed)[0])


def rows(found: Mapping[str, Sequence[Measures]], sources: Mapping[str, str]) -> list[Row]:
    """Of every sampler its four figures, the means over splits."""
    made = []
    for name, splits in found.items():
        published = PUBLISHED.get(name, (None,) * len(HIGHER_IS_BETTER))
        for metric, figure in zip(HIGHER_IS_BETTER, published, strict=True):
            values = [measures[metric] for measures in splits]
            source = sources.get(name, "scikit-learn and NumPy")
            made.append(over_seeds(name, metric, values, figure, source))
    return made


def goals(found: Sequence[Row]) -> list[Goal]:
    """What is asked of the best of the learners, that of the least distance."""
    values = {(row.name, row.metric): row.value for row in found if row.name not in BASELINES}
    best = min((name for name, _ in values), key=lambda name: values[name, "fid"])
    fid, recall = values[best, "fid"], values[best, "recall"]
    return [
        Goal("best learner: fid, below a Gaussian mixture's", MIXTURE_FID, fid, at_most=True),
        Goal("best learner: recall, above a kernel density's", ASKED_RECALL, recall),
        Goal("best learner: fid, nearer to the real digits'", STRETCH_FID, fid, at_most=True),
    ]


def sheet(samples: Mapping[str, np.ndarray]) -> bytes:
    """A PNG file: some of the first split's digits, and of what each learner drew for it."""
    shown = {"real digits": training_pictures(0), **samples}
    return painting_sheet.encode(
        {
            name: pictures[:SHOWN].repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
            for name, pictures in shown.items()
        }
    )


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    recipes = SHORT_RECIPES if options.quick else RECIPES
    judges = [DigitJudge(seed) for seed in range(QUICK_SEEDS if options.quick else NUM_SEEDS)]
    baselines = [measure_baselines(judge, seed) for seed, judge in enumerate(judges)]
    found = {name: [split[name] for split in baselines] for name in BASELINES}
    first = {}
    for recipe in recipes:
        found[recipe.name], samples = learned(recipe, judges)
        first[recipe.name] = samples[0]
    table = rows(found, {recipe.name: str(recipe) for recipe in recipes})
    session.finish(table, goals(table), worker.device(), record.versions(["scikit-learn"]))
    session.picture(lambda: sheet(first))


if __name__ == "__main__":
    main()
