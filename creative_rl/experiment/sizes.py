"""Sizes that a caller gives: whole numbers in their bounds, checked before anything is traced."""

import operator
from typing import Any

LARGEST_SIZE = 2**31 - 1
"""What an int32 holds, as which the device counts."""
LARGEST_SEED = 2**32 - 1
"""Of works that are played or painted."""


def whole_number(name: str, value: Any, low: int = 1, high: int = LARGEST_SIZE) -> int:
    """The value as an int, which may be NumPy's or JAX's but no float, text or truth value.

    Args:
      name: for the message: who asks and what it is, such as "train: num_updates".
      value: what was given.
      low, high: the least and the largest that are allowed.

    Raises:
      ValueError: the value is none or out of range.

    Example:
      >>> whole_number("train: num_updates", 2.5)
      Traceback (most recent call last):
      ValueError: train: num_updates must be a whole number, got 2.5
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None
    if number < low:
        raise ValueError(f"{name} must be at least {low}, got {number}")
    if number > high:
        raise ValueError(f"{name} must be at most {high}, got {number}")
    return number
