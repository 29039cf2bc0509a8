"""What the learners are asked to learn, and with which settings. Imports nothing heavy."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from benchmarks.peers import OURS, PUREJAXRL, REJAX, SB3

LAST_SHARE = 0.1
"""Returns are of the episodes that end in this last share of training."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a library trains.

    Attributes:
      library: `creative_rl` or a peer.
      learner: its name there.
      settings: fields of its config; what is missing has the library's default.
      decays: of ours, whether the learning rate falls to zero at the end of training.
      num_seeds: fewer than the others', where a library is slow; None for as many.
    """

    library: str
    learner: str
    settings: Mapping[str, Any]
    decays: bool = False
    num_seeds: int | None = None

    def __str__(self) -> str:
        settings = [f"{name} {value}" for name, value in self.settings.items()]
        return ", ".join([f"{self.library} {self.learner}", *settings, *["decay"] * self.decays])


@dataclasses.dataclass(frozen=True)
class Task:
    """An environment of gymnax and the steps that every recipe may take in it."""

    environment: str
    num_steps: int
    recipes: tuple[Recipe, ...]


# purejaxrl's own: of its `ppo.py`, and of its example for MinAtar.
_PUREJAXRL = {
    "LR": 2.5e-4, "NUM_ENVS": 4, "NUM_STEPS": 128, "UPDATE_EPOCHS": 4, "NUM_MINIBATCHES": 4,
    "GAMMA": 0.99, "GAE_LAMBDA": 0.95, "CLIP_EPS": 0.2, "ENT_COEF": 0.01, "VF_COEF": 0.5,
    "MAX_GRAD_NORM": 0.5, "ACTIVATION": "tanh", "ANNEAL_LR": True,
}  # fmt: skip
_PUREJAXRL_MINATAR = _PUREJAXRL | {
    "LR": 5e-3, "NUM_ENVS": 64, "NUM_MINIBATCHES": 8, "ACTIVATION": "relu",
}  # fmt: skip

TASKS = {
    "CartPole-v1": Task(
        "CartPole-v1",
        500_000,
        (
            Recipe(OURS, "ppo", {"num_envs": 4, "num_steps": 128, "learning_rate": 1e-3}, True),
            Recipe(OURS, "a2c", {"num_envs": 16, "num_steps": 8, "learning_rate": 1e-3}, True),
            Recipe(OURS, "reinforce", {"num_envs": 8, "num_steps": 500, "learning_rate": 3e-3}, True),
            Recipe(OURS, "dqn", {"num_envs": 10, "epsilon_steps": 100_000}),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL),
        ),
    ),
    "Acrobot-v1": Task(
        "Acrobot-v1",
        500_000,
        (
            Recipe(OURS, "ppo", {"num_envs": 16, "num_steps": 128, "learning_rate": 1e-3}, True),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL),
        ),
    ),
    "Pendulum-v1": Task(
        "Pendulum-v1",
        20_000,
        (
            Recipe(OURS, "sac", {"num_envs": 1, "num_epochs": 1, "learning_rate": 1e-3}),
            Recipe(REJAX, "sac", {"num_envs": 1, "num_epochs": 1, "learning_rate": 1e-3}),
            Recipe(SB3, "sac", {"learning_rate": 1e-3}, num_seeds=3),
        ),
    ),
    "Breakout-MinAtar": Task(
        "Breakout-MinAtar",
        2_000_000,
        (
            Recipe(
                OURS, "ppo", {"num_envs": 64, "num_steps": 128, "learning_rate": 5e-3,
                "num_minibatches": 8}, True,
            ),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL_MINATAR),
        ),
    ),
}  # fmt: skip


def chosen(environment: str, number: str) -> Recipe:
    """A worker's recipe, by its place among those of the environment."""
    return TASKS[environment].recipes[int(number)]
