"""What a learner's test file says about it for the conformance suite: its `CASE`."""

import dataclasses
import importlib
from typing import Any

from creative_rl.registry import LEARNERS

GAMMA = 0.5
"""The discount that probe problems are solved with."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One learner.

    Attributes:
      small: its config with small sizes, for the contract.
      recurrences: kinds of memory that are held to the contract.
      task: id and keywords of the environment that it learns in there.
      probe: its config for the probe problems; None where it learns from something else.
      probe_updates: that solve them.
      has_values: it estimates values and reports them, which some of the probes ask for.
    """

    small: Any
    recurrences: tuple[str, ...] = ("none",)
    task: tuple[str, dict[str, Any]] = ("melody-target-tutorial", {})
    probe: Any = None
    probe_updates: int = 0
    has_values: bool = True


def cases() -> dict[str, Case]:
    """Those of all learners, out of `tests/learners/test_<name>.py`."""
    return {name: importlib.import_module(f"learners.test_{name}").CASE for name in LEARNERS}
