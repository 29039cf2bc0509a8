"""Aggregates over tasks and seeds with their uncertainty (Agarwal et al. 2021, arXiv 2108.13264).

Scores are one array a task, float[seeds], which may differ in length. Intervals are percentiles of
a stratified bootstrap: seeds are drawn again within each task, so that no task is lost. Where a
task has one seed alone there is nothing to draw from, and no interval. NumPy only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Scores = Sequence[np.ndarray]
"""Of one algorithm: for every task the scores of its seeds."""
Figures = np.ndarray | np.floating
"""One figure, or one for every bootstrap sample."""


class Estimate(NamedTuple):
    """A figure, and the ends of its interval; None where a task has one seed."""

    value: float
    low: float | None
    high: float | None


class Profile(NamedTuple):
    """Of every threshold the share of runs above it, and its interval's ends, as in `Estimate`."""

    value: Float[np.ndarray, "thresholds"]
    low: Float[np.ndarray, "thresholds"] | None
    high: Float[np.ndarray, "thresholds"] | None


def interquartile_mean(scores: Scores, num: int = 2000, seed: int = 0) -> Estimate:
    """The mean of the middle half of all runs: a quarter is cut off at either end.

    Of fewer than four runs nothing is cut off.

    Args:
      scores: of one algorithm.
      num: bootstrap samples.
      seed: of the bootstrap.

    Raises:
      ValueError: there is no task, or a score is not finite.

    Example:
      >>> float(interquartile_mean([np.array([0.0, 1.0]), np.array([2.0, 9.0])]).value)
      1.5
    """
    _check("interquartile_mean", scores)
    value = float(_middle(np.concatenate(scores)))
    if not _has_spread(scores):
        return Estimate(value, None, None)
    drawn = np.concatenate(_resampled(scores, num, np.random.default_rng(seed)), axis=1)
    low, high = np.quantile(_middle(drawn), [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def performance_profile(
    scores: Scores, thresholds: np.ndarray, num: int = 2000, seed: int = 0
) -> Profile:
    """The share of runs whose score is above each threshold (equation 2 there).

    Every task has the same weight, however many seeds it has.

    Raises:
      ValueError: there is no task, or a score is not finite.
    """
    _check("performance_profile", scores)

    def shares(tasks: Sequence[np.ndarray]) -> np.ndarray:
        above = [(task[..., None] > thresholds).mean(axis=-2) for task in tasks]
        return np.mean(above, axis=0)

    if not _has_spread(scores):
        return Profile(shares(scores), None, None)
    drawn = shares(_resampled(scores, num, np.random.default_rng(seed)))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return Profile(shares(scores), low, high)


def probability_of_improvement(
    scores: Scores, others: Scores, num: int = 2000, seed: int = 0
) -> Estimate:
    """How often a run is better than another's on the same task, ties half, as the tasks' mean.

    Args:
      scores, others: of two algorithms on the same tasks.
      num, seed: of the bootstrap.

    Raises:
      ValueError: there is no task, the tasks are not as many, or a score is not finite.

    Example:
      >>> probability_of_improvement([np.array([1.0, 3.0])], [np.array([1.0, 2.0])]).value
      0.625
    """
    _check("probability_of_improvement", scores)
    _check("probability_of_improvement", others)
    if len(scores) != len(others):
        raise ValueError(
            "probability_of_improvement: needs both on the same tasks, got "
            f"{len(scores)} and {len(others)}"
        )

    def better(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> Figures:
        pairs = [np.sign(a[..., None] - b[..., None, :]) for a, b in zip(ours, theirs, strict=True)]
        return np.mean([(1 + pair.mean(axis=(-2, -1))) / 2 for pair in pairs], axis=0)

    if not _has_spread([*scores, *others]):
        return Estimate(float(better(scores, others)), None, None)
    random = np.random.default_rng(seed)
    drawn = better(_resampled(scores, num, random), _resampled(others, num, random))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(better(scores, others)), float(low), float(high))


def _middle(runs: np.ndarray) -> Figures:
    """The mean of the middle half along the last axis."""
    cut = runs.shape[-1] // 4
    return np.sort(runs, axis=-1)[..., cut : runs.shape[-1] - cut].mean(axis=-1)


def _resampled(scores: Scores, num: int, random: np.random.Generator) -> list[np.ndarray]:
    """Of every task [num, seeds]: its seeds drawn with replacement."""
    return [task[random.integers(len(task), size=(num, len(task)))] for task in scores]


def _has_spread(scores: Scores) -> bool:
    """Whether every task has seeds to draw from."""
    return all(len(task) > 1 for task in scores)


def _check(who: str, scores: Scores) -> None:
    if not scores or any(task.ndim != 1 or not len(task) for task in scores):
        raise ValueError(f"{who}: needs one score or more of at least one task")
    sound = np.isfinite(np.concatenate(scores))
    if not sound.all():
        raise ValueError(f"{who}: scores must be finite, got {int((~sound).sum())} that are not")
