"""Conformance suites for environments and learners, and problems with known answers.

Third parties hold their own environments and learners against the contracts with them:

    >>> import creative_rl as crl
    >>> crl.testing.check_environment(crl.make("melody-target-tutorial"))
"""

from creative_rl.testing import probes
from creative_rl.testing.environments import check_environment
from creative_rl.testing.learners import check_learner

__all__ = ["check_environment", "check_learner", "probes"]
