"""Creative reinforcement learning in JAX.

Names load when they are first used, so `import creative_rl` costs nothing that you do not need.

    >>> import creative_rl as crl
    >>> crl.make("melody-theory").action_space
    Discrete(38)
"""

import importlib
from typing import Any

from creative_rl.registry import LEARNERS

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
    "Melody": "creative_rl.works",
    "Score": "creative_rl.works",
    "Walk": "creative_rl.works",
    "Slate": "creative_rl.works",
    "Level": "creative_rl.works",
    "Canvas": "creative_rl.works",
    "Sculpture": "creative_rl.works",
    "Animation": "creative_rl.works",
    "Clip": "creative_rl.works",
    "Dialogue": "creative_rl.works",
    "Text": "creative_rl.works",
    "train": "creative_rl.experiment",
}
for _entry in LEARNERS.values():
    _module, _, _name = _entry.config.partition(":")
    _EXPORTS[_name] = _module

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
    return sorted(__all__)
