"""Creative reinforcement learning in JAX.

Names load when they are first used, so `import creative_rl` costs nothing that you do not need.

    >>> import creative_rl as crl
    >>> crl.make("melody-theory").action_space
    Discrete(38)
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "Environment": "creative_rl.environment",
    "Term": "creative_rl.typing",
    "Timestep": "creative_rl.typing",
    "Transition": "creative_rl.typing",
    "Learner": "creative_rl.typing",
    "make": "creative_rl.registry",
    "register": "creative_rl.registry",
    "environment_ids": "creative_rl.registry",
    "PPOConfig": "creative_rl.configs",
    "A2CConfig": "creative_rl.configs",
    "ReinforceConfig": "creative_rl.configs",
    "SACConfig": "creative_rl.configs",
    "DQNConfig": "creative_rl.configs",
    "APGConfig": "creative_rl.configs",
    "SpiralConfig": "creative_rl.configs",
    "DQNGANConfig": "creative_rl.configs",
    "GANConfig": "creative_rl.configs",
    "VAEConfig": "creative_rl.configs",
    "MusicVAEConfig": "creative_rl.configs",
    "QLearningConfig": "creative_rl.configs",
    "LikelihoodConfig": "creative_rl.configs",
    "Melody": "creative_rl.works",
    "Score": "creative_rl.works",
    "Walk": "creative_rl.works",
    "Canvas": "creative_rl.works",
    "train": "creative_rl.experiment",
}
_MODULES = (
    "configs", "corpora", "envs", "experiment", "interop", "learners", "metrics", "networks", "ops",
    "registry", "rewards", "spaces", "stores", "testing", "typing", "works", "wrappers",
)  # fmt: skip

__all__ = [*_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"creative_rl.{name}")
    raise AttributeError(f"module 'creative_rl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
