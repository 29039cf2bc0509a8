"""What the learners are asked to learn, and with which settings. Imports nothing heavy."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from benchmarks.peers import OURS, PUREJAXRL, REJAX, SB3

LAST_SHARE = 0.2
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
# rejax's own, of its `configs/gymnax/pendulum.yaml`.
_REJAX_PENDULUM = {
    "num_envs": 1, "num_epochs": 1, "learning_rate": 1e-2, "batch_size": 256, "gamma": 0.99,
    "polyak": 0.98, "buffer_size": 10_000, "fill_buffer": 256, "normalize_observations": True,
    "agent_kwargs": {"activation": "swish"},
}  # fmt: skip
# Its defaults, but for the step size and layers of the others' size instead of 256.
_SB3_PENDULUM = {"learning_rate": 1e-3, "policy_kwargs": {"net_arch": [64, 64]}}


def _ours(learner: str, *, decays: bool = False, **settings: Any) -> Recipe:
    return Recipe(OURS, learner, settings, decays)


_TASKS = (
    Task(
        "CartPole-v1",
        500_000,
        (
            _ours("ppo", decays=True, num_envs=4, num_steps=128, learning_rate=1e-3),
            _ours(
                "a2c", decays=True, num_envs=16, num_steps=16, learning_rate=3e-3,
                gae_lambda=0.95, normalize_advantages=True,
            ),
            _ours("reinforce", decays=True, num_envs=4, num_steps=500, learning_rate=5e-3),
            _ours("dqn", num_envs=10, epsilon_steps=100_000),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL),
        ),
    ),
    Task(
        "Acrobot-v1",
        500_000,
        (
            _ours(
                "ppo", decays=True, num_envs=8, num_steps=128, learning_rate=2.5e-3,
                entropy_coef=3e-3,
            ),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL),
        ),
    ),
    Task(
        "Pendulum-v1",
        20_000,
        (
            _ours(
                "sac", num_envs=1, num_epochs=1, learning_rate=5e-3, target_tau=0.02,
                learning_starts=200,
            ),
            Recipe(REJAX, "sac", _REJAX_PENDULUM),
            Recipe(SB3, "sac", _SB3_PENDULUM, num_seeds=3),
        ),
    ),
    Task(
        "Breakout-MinAtar",
        2_000_000,
        (
            _ours(
                "ppo", decays=True, num_envs=64, num_steps=128, num_minibatches=8,
                learning_rate=5e-3, hidden_sizes=(256,), activation="relu",
            ),
            Recipe(PUREJAXRL, "ppo", _PUREJAXRL_MINATAR),
        ),
    ),
)  # fmt: skip
TASKS = {task.environment: task for task in _TASKS}
"""By environment; the first recipe of each is the one of ours that its goal asks for."""


def chosen(environment: str, number: str) -> Recipe:
    """A worker's recipe, by its place among those of the environment."""
    return TASKS[environment].recipes[int(number)]
