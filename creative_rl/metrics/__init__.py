"""What the published tables measure, on works."""

from creative_rl.metrics.diversity import distinct_works
from creative_rl.metrics.rl_tuner import DIRECTIONS, PUBLISHED, rl_tuner_metrics

__all__ = ["DIRECTIONS", "PUBLISHED", "distinct_works", "rl_tuner_metrics"]
