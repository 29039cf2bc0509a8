"""What the fields of configs may hold, as they say themselves (`configs.fields`)."""

import dataclasses
import math
import numbers
from typing import Any


def validate(config: Any, config_class: type | None = None) -> None:
    """Refuse values outside the ranges that the fields are marked with.

    Numbers that are tracers or arrays pass: their ranges are the caller's. Raises `ValueError`
    naming the field, the rule and the value; also where `config` is no `config_class`.
    """
    if config_class is not None and not isinstance(config, config_class):
        raise ValueError(f"config must be a {config_class.__name__}, got {type(config).__name__}")
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        rule = _broken_rule(field, value)
        if rule is not None:
            raise ValueError(f"{type(config).__name__}: {field.name} must {rule}, got {value!r}")


_LARGEST = 2**31 - 1
"""Whole numbers are int32 in compiled programs."""


def _broken_rule(field: dataclasses.Field, value: Any) -> str | None:
    """The rule that `value` breaks, as the end of a sentence, or None."""
    if isinstance(field.default, str):
        choices = getattr(field.type, "__args__", ())
        if not choices:
            return None if isinstance(value, str) else "be text"
        return None if value in choices else f"be one of {', '.join(choices)}"
    if isinstance(field.default, tuple):
        whole = isinstance(value, tuple) and all(_is_whole(n) and n >= 1 for n in value)
        return None if whole and value else "be a tuple of sizes of at least 1"
    if isinstance(field.default, bool):
        return None if isinstance(value, bool) else "be True or False"
    if field.metadata.get("static"):
        least = field.metadata.get("least", 1)
        if (_is_whole(value) and value >= least) or (value is None and field.default is None):
            return None
        return f"be a whole number of at least {least}"
    return _broken_number_rule(field, value)


def _broken_number_rule(field: dataclasses.Field, value: Any) -> str | None:
    """As `_broken_rule`, for plain fields; of arrays and tracers only the number of axes counts."""
    if hasattr(value, "dtype") and not isinstance(value, numbers.Real):
        return "be one number, a sweep runs over many" if value.ndim else None
    if isinstance(field.default, int):
        if not _is_number(value, numbers.Integral):
            return "be a whole number"
        if value > _LARGEST:
            return f"be at most {_LARGEST}"
    if not _is_number(value, numbers.Real) or not math.isfinite(value):
        return "be a finite number"
    return _broken_range(field.metadata.get("range"), value)


def _broken_range(range: str | None, value: Any) -> str | None:
    if range == "share" and not 0 < value <= 1:
        return "be greater than 0 and at most 1"
    if range == "decay" and value == 1:
        return "be below 1, at which nothing new is kept"
    if range in ("unit", "decay") and not 0 <= value <= 1:
        return "be between 0 and 1"
    if range == "positive" and value <= 0:
        return "be greater than 0"
    return "not be negative" if value < 0 and range != "signed" else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
