"""What is measured of works and of features of pictures, as in published tables where any are."""

from creative_rl.metrics.accompaniment import chord_vendi_score, note_in_chord_ratio
from creative_rl.metrics.adaptation import recognisability
from creative_rl.metrics.aggregates import (
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)
from creative_rl.metrics.arrangement import energies, energy_correlation, playable_share
from creative_rl.metrics.diversity import distinct_works, self_bleu
from creative_rl.metrics.originality import OriginalityReport, originality_report
from creative_rl.metrics.pictures import (
    frechet_distance,
    inception_score,
    precision_recall,
    vendi_score,
    vendi_score_of_kernel,
)
from creative_rl.metrics.rl_tuner import RL_TUNER_DIRECTIONS, RL_TUNER_PUBLISHED, rl_tuner_metrics

__all__ = [
    "RL_TUNER_DIRECTIONS",
    "RL_TUNER_PUBLISHED",
    "OriginalityReport",
    "chord_vendi_score",
    "distinct_works",
    "energies",
    "energy_correlation",
    "frechet_distance",
    "inception_score",
    "interquartile_mean",
    "note_in_chord_ratio",
    "originality_report",
    "performance_profile",
    "playable_share",
    "precision_recall",
    "probability_of_improvement",
    "recognisability",
    "rl_tuner_metrics",
    "self_bleu",
    "vendi_score",
    "vendi_score_of_kernel",
]
