"""Our environments on other libraries' interfaces, and theirs on ours.

Names load when they are first used, because each needs a package of its own:

| name | gives | extra |
|---|---|---|
| `to_gymnax` | an object that gymnax trainers (1.x, or 0.x such as rejax) take | `gymnax` |
| `from_gymnax` | a gymnax environment that our learners take | `gymnax` |
| `to_stoa` | an object that stoa trainers such as Stoix take | `stoa` |
| `to_gymnasium` | a `gymnasium.Env` | `gym` |
| `to_gymnasium_vector` | a `gymnasium.vector.VectorEnv` | `gym` |
| `to_stable_baselines3` | a `VecEnv` of Stable-Baselines3 | `sb3` |
"""

import importlib
from typing import Any

_EXPORTS = {
    "to_gymnax": "creative_rl.interop.gymnax",
    "from_gymnax": "creative_rl.interop.gymnax_environment",
    "to_stoa": "creative_rl.interop.stoa",
    "to_gymnasium": "creative_rl.interop.gymnasium",
    "to_gymnasium_vector": "creative_rl.interop.gymnasium",
    "to_stable_baselines3": "creative_rl.interop.stable_baselines3",
}

__all__ = [*_EXPORTS]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'creative_rl.interop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
