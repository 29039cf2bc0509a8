"""How generated clips drift from frame to frame, and whether they are told from real ones.

Run `python -m benchmarks.tables.animation [--quick] [--seeds NUM] [--steps NUM]`. `video_gan` is
taught clips of moving shapes, 16 frames of 64 x 64 pixels, and draws others. Beside them stand
moving shapes that were drawn anew, and what is made of real clips, or of their covariance, without
a network. Measured are the drift of colour (MoCoGAN's average content distance), the way of what is
shown from frame to frame and its second differences (jolts), and how often a classifier that begins
anew tells them from real ones; neither it nor the learner has seen those before. On an accelerator
the network is larger, and steps and clips are more.

A row is the mean over seeds, of the clips to learn from and of all that follows, with its 95
percent interval. No figures are published for such clips: the goals compare with the real ones.
"""

import argparse
import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row, changed_fields
from benchmarks.speed import worker
from benchmarks.tables import clip_judge, painting_sheet
from benchmarks.tables.clip_judge import BASELINES, DISCRIMINABILITY
from benchmarks.tables.seeds import Measures, in_turn, measured_rows, seeds_argument
from creative_rl.configs import VideoGANConfig
from creative_rl.corpora import moving_shapes
from creative_rl.envs.pixel_animation import PixelAnimation
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import video_gan
from creative_rl.typing import Array, Key, PyTree

REAL, OURS = "moving shapes anew", "video_gan"
NUM_SEEDS, QUICK_SEEDS = 2, 1
SHARED = ("colour drift", "motion", "jolt")
MOST_TIMES, LEAST_MOTION, MOST_TOLD = 2.0, 0.5, 0.95
MOST_SECONDS = 1200


class Plan(NamedTuple):
    """How large everything is.

    Attributes:
      sizes: of the clips.
      config: of the learner.
      num_steps: gradient steps that it takes.
      num_known: clips that it learns from.
      num_measured: clips of every row and seed; up to `num_known`.
      channels: of the classifier.
      judge_steps: gradient steps that it takes.
    """

    sizes: Mapping[str, int]
    config: VideoGANConfig
    num_steps: int
    num_known: int
    num_measured: int
    channels: tuple[int, ...]
    judge_steps: int


PLAN = Plan(
    sizes={"num_frames": 16, "height": 64, "width": 64},
    config=VideoGANConfig(channels=(8, 16, 32, 64), num_probes=6),
    num_steps=600,
    num_known=512,
    num_measured=192,
    channels=(8, 16, 32, 32),
    judge_steps=120,
)
"""For a processor."""
LARGE = PLAN._replace(
    config=VideoGANConfig(batch_size=32, num_steps=40, num_probes=6),
    num_steps=8_000,
    num_known=1024,
    num_measured=512,
    judge_steps=600,
)
"""For an accelerator, on which it takes some minutes."""
QUICK = Plan(
    sizes={"num_frames": 4, "height": 16, "width": 16},
    config=VideoGANConfig(batch_size=4, num_steps=2, channels=(4, 8), num_probes=6),
    num_steps=4,
    num_known=24,
    num_measured=16,
    channels=(4, 4),
    judge_steps=8,
)


def real_clips(plan: Plan, seed: int, part: int, num: int) -> np.ndarray:
    """uint8[num, T, H, W, 3]: moving shapes; of a seed, part 0 is to learn from."""
    key = jax.random.fold_in(jax.random.key(seed), part)
    return np.asarray(moving_shapes.draw(key, num, **plan.sizes).clips)


class Generator:
    """The learner, in one compiled program for all sets of clips."""

    def __init__(self, plan: Plan):
        env = PixelAnimation(**plan.sizes)
        self.num_updates = max(1, round(plan.num_steps / plan.config.num_steps))
        config = dataclasses.replace(plan.config, decay_updates=self.num_updates)
        params = env.default_params

        def init(key: Key, clips: Array) -> PyTree:
            return video_gan(env, config, params.replace(clips=clips)).init(key)

        self._init = jax.jit(init)
        # What it learns from is in its state: these are of one learner whatever `init` was given.
        self._learner = video_gan(env, config, params)
        self._generate = jax.jit(self._learner.generate, static_argnums=2)

    def __call__(self, clips: np.ndarray, num: int, seed: int) -> np.ndarray:
        """Learn from clips, and draw others: uint8[num, T, H, W, 3]."""
        key_train, key_draw = jax.random.split(jax.random.key(seed))
        start = self._init(key_train, jnp.asarray(clips))
        state = train(self._learner, key_train, self.num_updates, state=start, progress=False).state
        parts = []
        for number in range(-(-num // 16)):  # few at once: they are large as floats
            made = self._generate(state, jax.random.fold_in(key_draw, number), 16)
            parts.append(np.asarray(made.frames))
        return np.concatenate(parts)[:num]


def measured(
    plan: Plan, made: Mapping[int, np.ndarray], unseen: Mapping[int, np.ndarray]
) -> list[Measures]:
    """All figures of clips by seed."""
    return [
        {
            **clip_judge.drifts(clips),
            DISCRIMINABILITY: clip_judge.discriminability(
                unseen[seed], clips, seed, plan.channels, plan.judge_steps
            ),
        }
        for seed, clips in made.items()
    ]


def goals(found: Sequence[Row], seconds: float | None) -> list[Goal]:
    """Ours are as steady as real ones and move; they are told from them less than a Gaussian's.

    And the measure measures: what is real is not told from real ones, and what moves wrongly is.
    """
    value = {(row.name, row.metric): row.value for row in found}
    asked = [
        Goal(
            f"{OURS}: {metric}, times that of {REAL}",
            MOST_TIMES,
            value[OURS, metric] / max(value[REAL, metric], 1e-6),
            at_most=True,
        )
        for metric in ("colour drift", "jolt")
    ]
    told = {name: figure for (name, metric), figure in value.items() if metric == DISCRIMINABILITY}
    gaussian = "Gaussian, PCA 64"
    asked += [
        Goal(
            f"{OURS}: motion, share of that of {REAL}",
            LEAST_MOTION,
            value[OURS, "motion"] / max(value[REAL, "motion"], 1e-6),
        ),
        Goal(f"{OURS}: {DISCRIMINABILITY}", MOST_TOLD, told[OURS], at_most=True),
        Goal(
            f"{OURS}: {DISCRIMINABILITY}, minus that of {gaussian}",
            0.0,
            told[OURS] - told[gaussian],
            at_most=True,
        ),
        Goal(f"{REAL}: {DISCRIMINABILITY}", 0.6, told[REAL], at_most=True),
        *(
            Goal(f"{name}: {DISCRIMINABILITY}", 0.9, told[name])
            for name in ("shuffled frames", "static frames")
        ),
        Goal("the whole table, s", MOST_SECONDS, seconds, at_most=True),
    ]
    return asked


def sheet(samples: Mapping[str, np.ndarray]) -> bytes:
    """A PNG file: of every row a clip, and of the learner's four, frame by frame."""
    shown = {}
    for name, clips in samples.items():
        for number in range(4 if name == OURS else 1):
            shown[f"{name}, {number + 1}" if name == OURS else name] = clips[number]
    return painting_sheet.encode(shown, enlarged=1)


def steps_argument(arguments: argparse.ArgumentParser) -> None:
    """Adds `--steps NUM`, gradient steps of the learner."""
    arguments.add_argument(
        "--steps",
        type=int,
        default=None,
        help=f"of the learner (default {PLAN.num_steps}, on an accelerator {LARGE.num_steps})",
    )


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(
        __doc__, __spec__, argv, seeds_argument(NUM_SEEDS), steps_argument
    )
    if options.steps is not None and options.steps < 1:
        raise SystemExit(f"animation: --steps must be at least 1, got {options.steps}")
    began = time.perf_counter()
    compilation_cache.enable()
    plan = QUICK if options.quick else PLAN if worker.device() == "cpu" else LARGE
    if options.steps is not None:
        plan = plan._replace(num_steps=options.steps)
    seeds = range(min(options.seeds, QUICK_SEEDS) if options.quick else options.seeds)
    num = plan.num_measured
    known = {seed: real_clips(plan, seed, 0, plan.num_known) for seed in seeds}
    unseen = {seed: real_clips(plan, seed, 1, num) for seed in seeds}
    first: dict[str, np.ndarray] = {}

    def row(name: str, make: Any) -> list[Measures]:
        made = {seed: make(known[seed], num, seed) for seed in seeds}
        first[name] = made[0][:4]
        return measured(plan, made, unseen)

    makers: dict[str, Any] = {
        REAL: lambda clips, num, seed: real_clips(plan, seed, 2, num),
        **BASELINES,
        OURS: Generator(plan),
    }
    found = in_turn({name: functools.partial(row, name, make) for name, make in makers.items()})
    sources = {name: (make.__doc__ or "").strip() for name, make in BASELINES.items()}
    sources[OURS] = (
        f"{plan.num_steps} steps, {changed_fields(plan.config)}; all classifiers of "
        f"{plan.channels} channels, {plan.judge_steps} steps"
    )
    table = measured_rows(found, sources, {}, "")
    seconds = None if options.quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())
    session.picture(lambda: sheet(first))


if __name__ == "__main__":
    main()
