"""`dqn_gan` against its parts alone, at equal compute: quality, novelty, diversity, originality.

Run `python -m benchmarks.tables.creative [--quick]`. Drawings are four strokes on 8 x 8 pixels;
examples are two thirds of scikit-learn's digits, and the environment pays for its rules of
composition (`drawing-free`, without colour harmony, which grey pictures have none of). Three
learners train for equally many steps of everything, with the same networks and settings but for
what makes them a part:

- `dqn_gan`: a DQN chooses among sixteen instructions, generator and discriminator learn;
- DQN without GAN: the generator stays as it was drawn, no discriminator pays;
- GAN without DQN: there is one instruction, so nothing to choose.

Each makes 512 works, which are measured in pixels:

- quality: the mean of *realism*, the share of works among held-out examples (k-NN precision), and
  *composition*, the environment's return; both are 0 to 1 and have columns of their own (the GAN
  alone has no way to the second: it is what the DQN brings);
- novelty: mean distance to the five nearest other works of the same learner;
- diversity: Vendi score (order 1) over the number of works;
- originality: mean distance to the nearest example that it learned from.

Distances are root mean squares over pixels in 0 .. 1. The digits that were learned from are
measured too, as if they were works: what is more diverse than they are has left what they are. A
row is the mean over seeds with its 95 percent interval; seeds train side by side in one program.
The settings were chosen by hand on the first seed, with `dqn_gan` and the GAN in view; a generator
that does not learn starts with contents that are much alike.
"""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import painting_sheet
from benchmarks.tables.seeds import measured_rows
from creative_rl import corpora, metrics
from creative_rl.configs import DQNGANConfig
from creative_rl.corpora import digits
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.envs.stroke_drawing import StrokeDrawing
from creative_rl.experiment import compilation_cache, rollout, train
from creative_rl.learners import dqn_gan
from creative_rl.rewards import drawing
from creative_rl.typing import Array

SIDE, NUM_WORKS, NUM_NEIGHBOURS, SHOWN, ENLARGED = digits.SIDE, 512, 5, 16, 4
NUM_SEEDS, NUM_UPDATES = 5, 600
QUICK_SEEDS, QUICK_UPDATES = 2, 20
TYPICAL = 0.35
"""Distance between digits."""
TERMS = tuple(
    dataclasses.replace(term, weight=0.2) for term in drawing.FREE_TERMS if term.name != "harmony"
)
TOGETHER = dict(
    num_instructions=16,
    num_envs=32,
    num_steps=4,
    num_epochs=8,
    replay_size=20_000,
    gan_batch_size=64,
    noise_size=16,
    epsilon_steps=20_000,
    learning_rate=1e-3,
    gamma=1.0,
    penalty_coef=0.1,
    discriminator_learning_rate=1e-3,
    instruction_coef=0.02,
    environment_weight=1.0,
    discriminator_weight=4.0,
    novelty_weight=1.0,
)
PARTS: Mapping[str, Mapping[str, Any]] = {
    "dqn_gan": {},
    "DQN without GAN": {"generator_learning_rate": 0.0, "discriminator_weight": 0.0},
    "GAN without DQN": {"num_instructions": 1},
}


def environment() -> StrokeDrawing:
    return StrokeDrawing(
        goal="free", height=SIDE, width=SIDE, num_steps=4, targets="digits", terms=TERMS
    )


def measures(
    works: np.ndarray, returns: np.ndarray, examples: np.ndarray, held_out: np.ndarray
) -> dict[str, float]:
    """Of works uint8[N, H, W, C] with their returns; see above."""
    flat, known, unknown = (
        pictures.reshape(len(pictures), -1) / 255.0 for pictures in (works, examples, held_out)
    )
    realism, _ = metrics.precision_recall(unknown, flat, NUM_NEIGHBOURS)
    among = np.sort(distances(flat, flat), axis=1)[:, 1 : 1 + NUM_NEIGHBOURS]
    composition = float(np.mean(returns))
    return {
        "quality": (realism + composition) / 2,
        "realism": realism,
        "composition": composition,
        "novelty": float(among.mean()),
        "diversity": metrics.vendi_score_of_kernel(similarities(flat)) / len(flat),
        "originality": float(distances(flat, known).min(axis=1).mean()),
    }


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean squares over features of all pairs, float[N, M]."""
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(squares, 0.0) / first.shape[1])


def similarities(flat: np.ndarray) -> np.ndarray:
    """exp(-(d / typical)^2 4): different at the distance at which digits are."""
    kernel = np.exp(-4 * np.square(distances(flat, flat) / TYPICAL))
    np.fill_diagonal(kernel, 1.0)
    return kernel


def learn(
    name: str, examples: np.ndarray, held_out: np.ndarray, num_seeds: int, num_updates: int
) -> tuple[list[dict[str, float]], np.ndarray]:
    """Every seed's measures, and the first one's works."""
    env = environment()
    params = env.default_params.replace(targets=jnp.asarray(examples))
    learner = dqn_gan(env, DQNGANConfig(**{**TOGETHER, **PARTS[name]}), params)
    result = train(
        learner, jax.random.key(0), num_updates=num_updates, num_seeds=num_seeds, progress=False
    )
    found, shown = [], None
    for seed in range(num_seeds):
        episodes = rollout(env, params, learner, result.seed(seed), jax.random.key(1), NUM_WORKS)
        pictures = np.asarray(episodes.works.pixels)
        found.append(measures(pictures, episodes.episode_return, examples, held_out))
        shown = pictures[:SHOWN] if shown is None else shown
        print(f"{name}, seed {seed}: {found[-1]}", file=sys.stderr)
    return found, shown


def measures_of_digits(examples: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Of the first examples, as if they were works after the others."""
    env = PixelDrawing(goal="free", height=SIDE, width=SIDE, terms=TERMS)
    key, params = jax.random.key(0), env.default_params

    def composition(picture: Array) -> Array:
        state, _ = env.reset(key, params)
        return env.step(key, state, picture.astype(jnp.float32) / 255.0, params)[1].reward

    works, known = examples[:NUM_WORKS], examples[NUM_WORKS:]
    returns = jax.jit(jax.vmap(composition))(jnp.asarray(works))
    return measures(works, np.asarray(returns), known, held_out)


def rows(name: str, found: Sequence[Mapping[str, float]], settings: str) -> list[Row]:
    """A row for every measure."""
    return measured_rows({name: found}, {name: settings}, {}, "")


def goals(found: Sequence[Row]) -> list[Goal]:
    """The lower end of `dqn_gan`'s quality above the upper end of the better part's, and its
    diversity no lower than that part's."""
    by_name = {(row.name, row.metric): row for row in found}
    qualities = {name: by_name[name, "quality"] for name in PARTS}
    low = qualities.pop("dqn_gan").low
    better = max(qualities, key=lambda name: qualities[name].value)
    highs = [row.high for row in qualities.values() if row.high is not None]
    gap = low - max(highs) if low is not None and highs else None
    more = by_name["dqn_gan", "diversity"].value - by_name[better, "diversity"].value
    return [
        Goal("quality: gap between the intervals of dqn_gan and of its parts", 0.0, gap),
        Goal(f"diversity of dqn_gan minus that of {better}", 0.0, more),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    num_seeds = QUICK_SEEDS if options.quick else NUM_SEEDS
    num_updates = QUICK_UPDATES if options.quick else NUM_UPDATES
    pictures = corpora.load_pictures("digits", SIDE, SIDE)
    learned_from, held_out = (pictures[part] for part in digits.split(0))
    sheet = {"digits": learned_from[:SHOWN]}
    found = rows("digits", [measures_of_digits(learned_from, held_out)], "scikit-learn")
    for name, changes in PARTS.items():
        of_seeds, sheet[name] = learn(name, learned_from, held_out, num_seeds, num_updates)
        settings = {**TOGETHER, **changes, "updates": num_updates}
        found += rows(name, of_seeds, ", ".join(f"{k}={v}" for k, v in settings.items()))
    session.finish(found, goals(found), worker.device())
    session.picture(lambda: painting_sheet.encode(_enlarged(sheet)))


def _enlarged(sheet: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: shown.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
        for name, shown in sheet.items()
    }


if __name__ == "__main__":
    main()
