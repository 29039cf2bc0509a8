"""What the keys of a sweep's file may hold. Each check names the key, the rule, what was given."""

import dataclasses
import functools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from creative_rl import configs
from creative_rl.registry import unknown_name

DIRECTIONS = ("max", "min")
TABLES = ("env", "weights")
"""Tables inside tasks and spaces."""
_WHOLE = {"steps": 1, "seeds": 1, "seed": 0, "num_trials": 1, "search_seed": 0, "batch": 1}
_WHOLE |= {"eta": 2, "rungs": 1}
"""Keys with a whole number, and the least that it may be."""
_RANGE_KEYS = ("low", "high", "log")

Check = Callable[[str, Any], Any]
"""From the key and its value to the value as it is kept."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole where both are.

    Attributes:
      log: drawn by their logarithm, which needs `low` above 0.
    """

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


def choices(
    prefix: str, table: Any, config_class: type, fields: Mapping[str, dataclasses.Field]
) -> Iterator[tuple[str, Any]]:
    """What a `[space]` says, by dotted names."""
    if not table_of(prefix, table):
        raise ValueError(f"{prefix}: is empty; give it a list or a range, or leave it out")
    check_keys(f"{prefix}.", table, [*fields, *TABLES])
    for key, value in table.items():
        if key in TABLES:
            for name, inner in table_of(f"{prefix}.{key}", value).items():
                yield f"{key}.{name}", _choice(f"{prefix}.{key}.{name}", inner, _CHECKS[key])
        else:
            check = functools.partial(field_value, config_class, fields[key])
            yield key, _choice(f"{prefix}.{key}", value, check)


def _choice(where: str, value: Any, check: Check) -> tuple[Any, ...] | Range:
    """A list with something in it, or a range."""
    if isinstance(value, list):
        if not value:
            raise ValueError(f"{where}: the list is empty; give it values, or leave it out")
        return tuple(check(where, item) for item in value)
    if not isinstance(value, dict):
        raise ValueError(
            f"{where}: must be a list such as [0.1, 0.2], or a range such as "
            f"{{low = 0.1, high = 0.2}}, got {value!r}"
        )
    check_keys(f"{where}.", value, _RANGE_KEYS)
    for end in ("low", "high"):
        if end not in value:
            raise ValueError(f"{where}: a range needs {end}")
        number(f"{where}.{end}", value[end])
    low, high = (check(f"{where}.{end}", value[end]) for end in ("low", "high"))
    log = value.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"{where}.log: must be true or false, got {log!r}")
    if low >= high or (log and low <= 0):
        rule = "low must be above 0 and below high" if log else "low must be below high"
        raise ValueError(f"{where}: {rule}, got {low} and {high}")
    return Range(low, high, log)


def plain(key: str, value: Any, prefix: str = "") -> Any:
    """The value of a key that every file has, of its type."""
    where = prefix + key
    if key in _WHOLE:
        return _whole(where, value, _WHOLE[key])
    if key == "prior_weight":
        return number(where, value)
    if not isinstance(value, str):
        raise ValueError(f"{where}: must be text, got {value!r}")
    if key == "direction" and value not in DIRECTIONS:
        raise ValueError(f"{where}: must be max or min, got {value!r}")
    return value


def field_value(config_class: type, field: dataclasses.Field, where: str, value: Any) -> Any:
    """A value for a config's field, in its range; whole numbers as floats where it is one."""
    value = _hashable(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(field.default, float) and is_number:
        value = float(value)
    elif is_number and isinstance(field.default, int) and float(value).is_integer():
        value = int(value)
    try:
        configs.validate(config_class(**{field.name: value}))
    except ValueError as error:
        rule = str(error).partition(f"{field.name} ")[2]
        raise ValueError(f"{where}: {rule}") from error
    return value


def entries(where: str, value: Any) -> dict[str, Any]:
    """The entries of `env` or `weights`."""
    check = _CHECKS[where.rpartition(".")[2]]
    return {name: check(f"{where}.{name}", v) for name, v in table_of(where, value).items()}


def table_of(where: str, value: Any) -> dict[str, Any]:
    """The value, which must be a table."""
    if not isinstance(value, dict):
        raise ValueError(f"{where}: must be a table, got {value!r}")
    return value


def check_keys(prefix: str, table: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a key that is not known, with those that are near it."""
    for key in table:
        if key not in known:
            raise ValueError(f"{prefix}{key}: {unknown_name('key', key, list(known))}")


def _whole(where: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise ValueError(f"{where}: must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{where}: must be at least {least}, got {value}")
    return int(value)


def number(where: str, value: Any, above: float = -math.inf) -> float:
    """A finite number, greater than `above`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(f"{where}: must be a finite number, got {value!r}")
    if value <= above:
        raise ValueError(f"{where}: must be greater than {above:g}, got {value}")
    return float(value)


def _hashable(value: Any) -> Any:
    """TOML's lists as tuples."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


_CHECKS: dict[str, Check] = {"env": lambda where, value: _hashable(value), "weights": number}
