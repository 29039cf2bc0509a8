"""Names to environments and learners: literal tables, resolved when asked for.

Importing this package imports nothing else, so that command lines can list and refuse early.
"""

from creative_rl.registry.entries import EnvironmentEntry, LearnerEntry
from creative_rl.registry.environments import ENVIRONMENTS
from creative_rl.registry.learners import LEARNERS
from creative_rl.registry.lookup import (
    environment_ids,
    learner_entry,
    learners_with,
    load,
    make,
    register,
    unknown_environment,
    unknown_name,
)

__all__ = [
    "ENVIRONMENTS",
    "LEARNERS",
    "EnvironmentEntry",
    "LearnerEntry",
    "environment_ids",
    "learner_entry",
    "learners_with",
    "load",
    "make",
    "register",
    "unknown_environment",
    "unknown_name",
]
