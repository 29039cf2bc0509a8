"""What a row of the registry says."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class EnvironmentEntry:
    """Where an environment is, one line about it, and the keywords that make the variant."""

    target: str
    summary: str
    keywords: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LearnerEntry:
    """Where a learner's factory and its config are, one line about it, and what it takes.

    Attributes:
      target: the factory.
      config: its config.
      summary: one line.
      takes_prior: its factory has `prior_variables`, which the policy starts from.
      takes_corpus: it learns from a corpus.
      needs_corpus: it learns from nothing else: its factory takes sequences in place of params.
    """

    target: str
    config: str
    summary: str
    takes_prior: bool = False
    takes_corpus: bool = False
    needs_corpus: bool = False
