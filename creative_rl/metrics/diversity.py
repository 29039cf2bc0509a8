"""How different the works of a batch are from each other."""

from collections.abc import Callable

import jax
import numpy as np

from creative_rl.metrics import tokens
from creative_rl.metrics.intervals import MOST, Intervals, batch_of, of_works
from creative_rl.metrics.tokens import Tokens
from creative_rl.works.melody import Melody
from creative_rl.works.writing import Text

_SMOOTHING = 0.1  # in place of a count of 0: method 1 of Chen and Cherry 2014, as in Texygen


def distinct_works(works: Melody | Text) -> float:
    """Share of distinct works, in 1/N..1: 1.0 where no two are the same.

    Exact, on the host. Works are the same where their lengths and their events (of texts, tokens)
    up to it are;
    what lies beyond the length means nothing. A policy that games a reward with one melody
    scores 1/N.

    Args:
      works: melodies, events int32[N, T] and length int32[N], or texts, tokens int32[N, L] and
        length, with N >= 1.

    Raises:
      ValueError: the works are not a batch, or an empty one.

    Example:
      >>> events = np.array([[14, 16], [14, 16], [14, 18]], np.int32)
      >>> distinct_works(Melody(events=events, length=np.array([2, 2, 1], np.int32)))
      0.6666666666666666
    """
    batch: Callable = tokens.batch_of if isinstance(works, Text) else batch_of
    played, lengths = batch(works, "distinct_works")
    labelled = np.concatenate([lengths[:, None], played], axis=1)
    return len(np.unique(labelled, axis=0)) / len(played)


def self_bleu(works: Melody | Text, n: int = 4, *, num: int | None = None, seed: int = 0) -> float:
    """Mean BLEU of each work against all others: 0..1, high where works are alike. Of melodies it
    is on intervals, of texts on tokens.

    What counts as an interval is said in `metrics.intervals`, so that works that differ by a
    transposition or in rhythm alone are the same. Equal weights of the orders 1 to n; every count
    is clipped at the largest in one other work; the brevity penalty takes the other work that is
    nearest in length, of two the shorter. A precision of 0 counts as 0.1 over its n-grams (or over
    1), except that of order 1, which makes the score 0, as it is in a work without an interval.

    It rises with the number of works: compare at equal counts. Exact, in O(n K log K) for K notes.

    Source: Zhu et al. 2018, Texygen, arXiv 1802.01886; BLEU: Papineni et al. 2002; smoothing:
    Chen and Cherry 2014, method 1.

    Args:
      works: events int32[N, T], or tokens int32[N, L], and length int32[N], with N >= 2.
      n: longest n-gram, 1 to 8 intervals or tokens.
      num: works that are compared, at least 2, drawn without replacement; None, or more than
        there are, for all.
      seed: of the draw; another one draws others.

    Raises:
      ValueError: no batch, fewer than two works, events that are no codes, or a number out of
        range.

    Example:
      >>> events = np.array([[14, 16, 18, 19, 21], [2, 4, 6, 7, 9]], np.int32)
      >>> self_bleu(Melody(events=events, length=np.array([5, 5], np.int32)))
      1.0
    """
    if not 1 <= n <= MOST:
        raise ValueError(f"self_bleu: n must be 1 to {MOST} intervals, got {n}")
    if num is not None and num < 2:
        raise ValueError(f"self_bleu: num must be at least 2 works, got {num}")
    works = jax.tree.map(np.asarray, works)
    if num is not None and np.ndim(works.length) == 1 and num < len(works.length):
        generator = np.random.default_rng(seed)
        chosen = np.sort(generator.choice(len(works.length), num, replace=False))
        works = jax.tree.map(lambda leaf: leaf[chosen], works)
    count: Callable = tokens.of_works if isinstance(works, Text) else of_works
    intervals, num_works = count(works, "self_bleu")
    if num_works < 2:
        raise ValueError("self_bleu: each work is held against the others, give at least 2, got 1")
    sizes = np.bincount(intervals.owners[intervals.codes > 0], minlength=num_works)
    log_score = np.zeros(num_works)
    for order in range(1, n + 1):
        matches = _clipped_matches(intervals, order, num_works)
        if order == 1:
            has_match = matches > 0
        num_grams = np.maximum(sizes - order + 1, 1)
        log_score += np.log(np.where(matches > 0, matches, _SMOOTHING) / num_grams) / n
    shortfall = np.minimum(1 - _nearest_sizes(sizes) / np.maximum(sizes, 1), 0)
    return float(np.where(has_match, np.exp(log_score + shortfall), 0.0).mean())


def _clipped_matches(intervals: Intervals | Tokens, n: int, num_works: int) -> np.ndarray:
    """int64[N]: the n-grams of each work that others have, each as often as one other has it."""
    numbers, starts = intervals.grams(n)
    _, kinds = np.unique(numbers, return_inverse=True)
    pairs, counts = np.unique(kinds * num_works + intervals.owners[starts], return_counts=True)
    kinds, owners = np.divmod(pairs, num_works)
    # The two works that have a kind most often stand first in it; all others meet the first.
    order = np.lexsort((-counts, kinds))
    kinds, owners, counts = kinds[order], owners[order], counts[order]
    is_first = np.diff(kinds, prepend=-1) != 0
    most = counts[is_first][kinds]
    second = np.where(np.append(is_first[1:], True), 0, np.append(counts[1:], 0))
    clipped = np.minimum(counts, np.where(is_first, second, most))
    return np.bincount(owners, clipped, minlength=num_works).astype(np.int64)


def _nearest_sizes(sizes: np.ndarray) -> np.ndarray:
    """For each size the nearest among the others, of two as near the smaller."""
    kinds, counts = np.unique(sizes, return_counts=True)
    nearest = []
    for kind in kinds.tolist():
        others = kinds[counts > (kinds == kind)]
        nearest.append(int(others[np.argmin(np.abs(others - kind))]))
    return np.array(nearest)[np.searchsorted(kinds, sizes)]
