"""How the policies of PCGRL's table are trained, problem by problem."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import NamedTuple

from creative_rl.configs import PPOConfig

PROBLEMS = ("binary", "zelda", "sokoban")
REPRESENTATIONS = ("narrow", "turtle", "wide")


class Recipe(NamedTuple):
    """Settings of PPO, and what it is paid.

    Attributes:
      config: without `decay_updates`, which are all that there are.
      scale: of all rewards, so that values are of the size of one.
      num_steps: of the environment, of every seed.
    """

    config: PPOConfig
    scale: float
    num_steps: int


CENTRED = PPOConfig(
    num_envs=64,
    num_steps=16,
    num_epochs=4,
    num_minibatches=4,
    hidden_sizes=(256, 128),
    activation="relu",
    clip_value_loss=False,
    learning_rate=1e-3,
    gamma=0.95,  # what a change is worth shows at once
)
"""Of maps seen around the tile in question."""
WHOLE = dataclasses.replace(CENTRED, by_tile=True, channels=(16, 16, 32))
"""Of maps any tile of which may be changed."""
SCALES = {"binary": 0.05, "zelda": 0.05, "sokoban": 0.1}
WALKING = dataclasses.replace(CENTRED, num_envs=256, num_minibatches=16, entropy_coef=0.02)
"""Of a turtle, which must not forget to draw before it knows where."""
CONFIGS = {"narrow": CENTRED, "turtle": WALKING, "wide": WHOLE}
NUM_STEPS = {
    "binary": (500_000, 600_000, 120_000),
    "zelda": (400_000, 400_000, 200_000),
    "sokoban": (1_200_000, 2_000_000, 400_000),
}
"""Of the three representations: what two cores do in some minutes."""


def _recipe(problem: str, representation: str) -> Recipe:
    config = CONFIGS[representation]
    if problem == "zelda":  # whose pictures are large
        config = dataclasses.replace(config, hidden_sizes=(128, 128))
    return Recipe(
        config, SCALES[problem], NUM_STEPS[problem][REPRESENTATIONS.index(representation)]
    )


RECIPES: Mapping[tuple[str, str], Recipe] = {
    task: _recipe(*task) for task in itertools.product(PROBLEMS, REPRESENTATIONS)
}
QUICK_RECIPE = Recipe(
    dataclasses.replace(CENTRED, num_envs=16, num_steps=4, num_minibatches=1, hidden_sizes=(8,)),
    0.05,
    128,
)
