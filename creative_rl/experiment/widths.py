"""How wide a run may be: the largest number of environments, or of a batch, that fits."""

import functools
import math
from collections.abc import Callable

from creative_rl.experiment.sizes import LARGEST_SIZE

MOST_TURNS = 10
CLOSE = 0.99
"""The share of the limit that is near enough to stop at."""


def largest_width(
    need: Callable[[int], int],
    width: int,
    step: int,
    limit: int,
    accepts: Callable[[int], bool] = lambda width: True,
) -> int:
    """The largest multiple of `step` that needs at most `limit`; 0 where not even `step` does.

    Approached along secants: where the need grows by a straight line, two or three are enough, and
    the answer is exact; where it bends, every other turn halves the interval, and the answer fits
    and is within a few percent.

    Args:
      need: bytes at a width, which do not fall as it grows; each call traces a program.
      width: where to begin, a multiple of `step` that is accepted.
      step: widths are its multiples.
      limit: bytes that there are.
      accepts: whether a learner can be built of a width at all; below `width` all can.

    Example:
      >>> largest_width(lambda width: 1000 + 7 * width, 64, 4, 10_000)
      1284
    """
    need = functools.cache(need)
    low, high = width, _accepted(accepts, width, 2 * width, step)
    if need(width) > limit:
        low, high = step, width
    if need(low) > limit or low == high:
        return low if need(low) <= limit else 0
    for turn in range(MOST_TURNS):
        slope = (need(high) - need(low)) / (high - low)
        wanted = low + (limit - need(low)) / slope if slope > 0 else 16 * high
        is_between = need(high) > limit
        if is_between and turn % 2 and need(low) < 0.9 * limit:
            wanted = math.sqrt(low * high)
        reached = _accepted(accepts, width, int(min(wanted, LARGEST_SIZE) // step * step), step)
        if reached in (low, high):
            break
        if not is_between:  # the line went on beyond both
            low, high = high, reached
        elif need(reached) <= limit:
            low = reached
        else:
            high = reached
        if need(high) > limit and need(low) > CLOSE * limit:
            break
    return high if need(high) <= limit else low


def _accepted(accepts: Callable[[int], bool], width: int, wanted: int, step: int) -> int:
    """`wanted` or, where it is not accepted, the largest multiple from `width` on that is."""
    if wanted <= width or accepts(wanted):
        return wanted
    low, high = width // step, wanted // step  # the first is accepted, the other is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepts(middle * step) else (low, middle)
    return low * step
