"""Laws of cost: seconds as a sum of terms, fitted to measurements, and how well they fit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize

DEAR = 1.15
"""A width saturates where an environment costs so many times as much as at some smaller width."""


class Law(NamedTuple):
    """`seconds = sum of coefficient * term`, no coefficient below zero.

    Attributes:
      coefficients: one for each term.
      largest_deviation: of the measured from the fitted, as a share of the fitted.
    """

    coefficients: tuple[float, ...]
    largest_deviation: float

    def seconds(self, terms: Sequence[float]) -> float:
        return float(np.dot(self.coefficients, terms))

    def deviation(self, terms: Sequence[float], measured: float) -> float:
        """Of a measurement, also one that was not fitted: its share above or below the law's."""
        return measured / self.seconds(terms) - 1


def fit(terms: Sequence[Sequence[float]], seconds: Sequence[float]) -> Law:
    """Least squares of the relative errors, so that short times count as much as long ones.

    Args:
      terms: for each measurement its terms, such as `(1, num_envs)`.
      seconds: measured.
    """
    matrix, target = np.asarray(terms, np.float64), np.asarray(seconds, np.float64)
    relative = matrix / target[:, None]
    scale = np.maximum(np.abs(relative).max(axis=0), 1e-300)  # terms differ by many powers of ten
    coefficients = optimize.nnls(relative / scale, np.ones(len(target)))[0] / scale
    law = Law(tuple(coefficients.tolist()), 0.0)
    largest = max(abs(law.deviation(row, taken)) for row, taken in zip(terms, seconds, strict=True))
    return law._replace(largest_deviation=largest)


class Width(NamedTuple):
    """`seconds = a + b * num_envs` for a step of all environments, up to where it saturates.

    Attributes:
      law: with the coefficients `(a, b)`.
      widths: those that it was fitted to.
      saturates: the first width where an environment is dear, from which on nothing is fitted;
        None where there is none.
    """

    law: Law
    widths: tuple[int, ...]
    saturates: int | None


def fit_width(widths: Sequence[int], seconds: Sequence[float]) -> Width:
    """The law of widths that double, from the seconds of a step of all environments.

    A width saturates if from there on an environment costs at least `DEAR` times as much as at the
    cheapest smaller width: what is beyond is bound by memory or by cores, and not by the law.
    """
    each = [taken / width for taken, width in zip(seconds, widths, strict=True)]
    is_dear = [
        min(each[index:]) >= DEAR * min(each[:index], default=float("inf"))
        for index in range(len(each))
    ]
    end = max(is_dear.index(True) if any(is_dear) else len(each), 2)  # two points make a line
    law = fit([(1, width) for width in widths[:end]], seconds[:end])
    saturates = widths[end] if end < len(widths) else None
    return Width(law, tuple(widths[:end]), saturates)
