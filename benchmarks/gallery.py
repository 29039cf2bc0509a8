"""The README's picture: what the package makes, in one sheet, `docs/gallery.png`.

Run `python -m benchmarks.gallery [--quick]`, some minutes on two cores. From top to bottom: a
photograph (Grace Hopper, by James S. Davis for the United States Navy, in the public domain; it
comes with matplotlib) painted by more and more strokes, as `creative-rl paint` does; labyrinths
from an archive of MAP-Elites, and of 64 puzzles by PPO those with the longest solutions; solids
that the expert of `sculpture-boxes` models; handwritten digits that a GAN draws after it has seen
those of scikit-learn; and a melody of the demo's policy, the first that it plays. Nothing is picked
by hand. `--quick` trains less and writes nothing.
"""

import dataclasses
import io
import pathlib
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import creative_rl as crl
from benchmarks import record
from benchmarks.tables import pcgrl, pcgrl_recipes
from benchmarks.tables.generation_recipes import RECIPES, SHORT_RECIPES, Generator
from creative_rl.atomic import write_bytes
from creative_rl.corpora import digits, pixels
from creative_rl.experiment import compilation_cache, demo
from creative_rl.experiment.painting import PaintSettings, paint
from creative_rl.learners import elite_works
from creative_rl.works import level_picture, sculpture_picture
from creative_rl.works.canvas_picture import as_image
from creative_rl.works.pillow import drawing, pillow, png

GALLERY = pathlib.Path(__file__).parents[1] / "docs" / "gallery.png"
WIDTH, GAP, INK, PAPER = 1280, 8, "#5b6275", "#ffffff"
CAPTION = 26
STROKES, QUICK_STROKES = (10, 40, 120, 360), (2, 4)
NUM_DIGITS = 18
NUM_LEVELS = 5  # of each kind
NUM_SOLIDS = 9
SIDE = 224  # of a level, in points


def painted(counts: Sequence[int]) -> list[np.ndarray]:
    """The photograph painted with each number of strokes, and itself: uint8[H, W, 3] each."""
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as file:
        photograph = np.asarray(pillow().open(file).convert("RGB"))
    side = (WIDTH - GAP * len(counts)) // (len(counts) + 1)
    height = round(side * photograph.shape[0] / photograph.shape[1])
    target = pixels.fit(photograph[None], height, side)[0]
    made = [paint(target, PaintSettings(num_strokes=count)).canvas.pixels for count in counts]
    return [*made, target]


def labyrinths(quick: bool) -> list[Any]:
    """Of MAP-Elites' archive, from its first cell to its last: from short ways to long ones."""
    env = crl.make("level-binary-wide", change_share=1.0)
    params = env.default_params.replace(path_gain=jnp.int32(1000))  # no episode ends early
    config = crl.MAPElitesConfig(
        batch_size=128,
        num_steps=64,
        cells=(12, 12),
        descriptors="path_length:10:70,wall_share:0.25:0.55",
    )
    learner = crl.learners.map_elites(env, config, params)
    num_updates = 2 if quick else 120
    state = crl.train(learner, jax.random.key(0), num_updates, progress=False).state
    filled = np.flatnonzero(state.archive.is_filled)
    chosen = filled[np.linspace(0, len(filled) - 1, NUM_LEVELS).astype(int)]
    return _levels(elite_works(env, state, jnp.asarray(chosen)))


def puzzles(quick: bool) -> list[Any]:
    """Of Sokoban, by the policy of `benchmarks.tables.pcgrl`."""
    task = ("sokoban", "narrow")
    recipe = pcgrl_recipes.RECIPES[task]._replace(num_steps=2_048 if quick else 614_400)
    env, learner, num_updates = pcgrl.prepared(task, recipe)
    state = crl.train(learner, jax.random.key(0), num_updates, progress=False).state
    params = env.default_params
    works = crl.experiment.rollout(env, params, learner, state, jax.random.key(1), 64).works
    order = np.argsort(-np.asarray(works.length), kind="stable")[:NUM_LEVELS]
    return _levels(jax.tree.map(lambda leaf: leaf[order], works))


def _levels(levels: Any) -> list[Any]:
    drawings = map(level_picture.draw, crl.works.unbatch(levels))
    return [drawing.resize((SIDE, SIDE)) for drawing in drawings]


def modelled(quick: bool) -> list[Any]:
    """The first solids of `sculpture-boxes`, as the expert makes them of boxes."""
    env = crl.make("sculpture-boxes", sees_target=True, num_steps=27 if quick else 300)
    expert, params = crl.learners.rule_policy(env), env.default_params

    def made(place: int) -> Any:
        only = slice(place, place + 1)
        alone = params.replace(targets=params.targets[only], views=params.views[only])
        works = crl.experiment.rollout(env, alone, expert, (), jax.random.key(0), 1).works
        return sculpture_picture.draw(crl.works.unbatch(works)[0])

    return list(map(made, range(NUM_SOLIDS)))


def drawn(quick: bool) -> list[np.ndarray]:
    """Digits by the GAN of `benchmarks.tables.digits_generation`: uint8[8, 8, 1] each."""
    recipe = next(r for r in (SHORT_RECIPES if quick else RECIPES) if r.learner == "gan")
    return list(Generator(recipe).samples(0, digits.pictures(), NUM_DIGITS))


def composed(quick: bool) -> Any:
    """The first melody that the demo's tuned policy plays, as the picture of its piano roll."""
    if quick:
        demo.PRIOR_UPDATES, demo.TUNING_UPDATES = 5, 10
        demo.PRIOR = dataclasses.replace(demo.PRIOR, num_steps=10)
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "demo"
        if code := demo.main(str(out)):
            sys.exit(code)
        data = (out / "tuned" / "works" / "sample-00.png").read_bytes()
    return pillow().open(io.BytesIO(data)).convert("RGB")


def sheet(rows: Sequence[tuple[str, Sequence[Any]]]) -> bytes:
    """A PNG file of rows of Pillow's pictures, each row scaled to the sheet's width."""
    scaled = []
    for caption, pictures in rows:
        room = WIDTH - GAP * (len(pictures) - 1)
        factor = room / sum(picture.width for picture in pictures)
        sizes = [(int(p.width * factor), round(p.height * factor)) for p in pictures]
        scaled.append((caption, [p.resize(size) for p, size in zip(pictures, sizes, strict=True)]))
    height = sum(CAPTION + max(p.height for p in pictures) + GAP for _, pictures in scaled)
    image = pillow().new("RGB", (WIDTH, height), PAPER)
    draw, top = drawing(image), 0
    for caption, pictures in scaled:
        draw.text((0, top + CAPTION / 2), caption, fill=INK, anchor="lm", font_size=15)
        top, left = top + CAPTION, 0
        for picture in pictures:
            image.paste(picture, (left, top))
            left += picture.width + GAP
        top += max(picture.height for picture in pictures) + GAP
    return png(image)


def enlarged(picture: np.ndarray, factor: int = 8) -> Any:
    """A small picture with hard pixels."""
    return as_image(picture.repeat(factor, axis=0).repeat(factor, axis=1)).convert("RGB")


def main(argv: Sequence[str] | None = None) -> None:
    quick = record.parser(__doc__).parse_args(argv).quick
    compilation_cache.enable()
    counts = QUICK_STROKES if quick else STROKES
    strokes = ", ".join(map(str, counts))
    data = sheet(
        [
            (
                f"painted with {strokes} strokes, after the photograph on the right",
                [as_image(picture) for picture in painted(counts)],
            ),
            (
                "labyrinths from an archive of MAP-Elites; puzzles by PPO, which a solver solves",
                labyrinths(quick) + puzzles(quick),
            ),
            ("modelled with boxes by the expert of its environment", modelled(quick)),
            ("drawn by a GAN that has seen handwritten digits", list(map(enlarged, drawn(quick)))),
            ("composed by PPO, after tunes and rules of music theory", [composed(quick)]),
        ]
    )
    if quick:
        print(f"{len(data)} bytes; a full run writes them to {GALLERY}")
    else:
        write_bytes(GALLERY, data)
        print(GALLERY)


if __name__ == "__main__":
    main()
