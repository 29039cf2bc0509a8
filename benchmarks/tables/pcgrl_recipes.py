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
    """

    config: PPOConfig
    scale: float


CENTRED = PPOConfig(
    num_envs=64,
    num_steps=16,
    num_epochs=4,
    num_minibatches=4,
    hidden_sizes=(256, 128),
    activation="relu",
    clip_value_loss=False,
    learning_rate=1e-3,
    gamma=0.99,
)
"""Of maps seen around the tile in question."""
WHOLE = dataclasses.replace(CENTRED, by_tile=True, channels=(16, 16, 32))
"""Of maps any tile of which may be changed."""
SCALES = {"binary": 0.05, "zelda": 0.05, "sokoban": 0.1}
ENTROPY_COEFS = {"binary": 0.02, "zelda": 0.01, "sokoban": 0.01}
RECIPES: Mapping[tuple[str, str], Recipe] = {
    (problem, representation): Recipe(
        dataclasses.replace(
            WHOLE if representation == "wide" else CENTRED, entropy_coef=ENTROPY_COEFS[problem]
        ),
        SCALES[problem],
    )
    for problem, representation in itertools.product(PROBLEMS, REPRESENTATIONS)
}
QUICK_RECIPE = Recipe(
    dataclasses.replace(CENTRED, num_envs=16, num_steps=4, num_minibatches=1, hidden_sizes=(8,)),
    0.05,
)
