"""Running learners: train, checkpoint, log, evaluate, and the directory that keeps a run.

Names load when they are first used, so that command lines stay light. No module here has the name
of a function that is exported: importing it would hide the function.
"""

import importlib
from typing import Any

_EXPORTS = {
    "train": "training",
    "TrainResult": "training",
    "DivergedError": "training",
    "SaveError": "checkpoint",
    "sweep": "sweeps",
    "SweepResult": "sweeps",
    "grid": "sweeps",
    "RunSpec": "spec",
    "Run": "run",
    "build": "assembly",
    "open_run": "opening",
    "plan": "planning",
    "Plan": "planning",
    "start": "session",
    "resume": "session",
    "rollout": "rollouts",
    "evaluate": "evaluation",
    "compare": "comparison",
    "create": "creation",
    "perform": "performance",
    "paint": "painting",
    "PaintSettings": "paint_settings",
}
_MODULES = ("checkpoint", "memory", "records", "report", "robustness")

__all__ = [*_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"creative_rl.experiment.{_EXPORTS[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"creative_rl.experiment.{name}")
    raise AttributeError(f"module 'creative_rl.experiment' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
