"""How a config's field says what it may hold; a plain one holds a number that is not negative."""

import dataclasses
from typing import Any

__all__ = ["decay", "positive", "share", "shared", "signed", "static", "unit"]


def static(default: Any, least: int = 1) -> Any:
    """A field that is part of the compiled program; a whole number is at least `least`."""
    return dataclasses.field(default=default, metadata={"static": True, "least": least})


def positive(default: float) -> Any:
    """A number above 0."""
    return _within("positive", default)


def signed(default: float) -> Any:
    """A number of either sign."""
    return _within("signed", default)


def unit(default: float) -> Any:
    """A number from 0 to 1."""
    return _within("unit", default)


def share(default: float) -> Any:
    """A number above 0 and up to 1."""
    return _within("share", default)


def decay(default: float) -> Any:
    """A number from 0 up to 1, but not 1: the share that is kept of an old mean."""
    return _within("decay", default)


def _within(range: str, default: float) -> Any:
    return dataclasses.field(default=default, metadata={"range": range})


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerFields:
    """What a config has for `recurrent="transformer"`, whose width is `memory_size`."""

    num_layers: int = static(2)
    """blocks of a transformer"""
    num_heads: int = static(2)
    """attention heads in each block; twice as many divide memory_size"""
    context: int = static(32)
    """steps that a transformer attends to; older ones slide out of its memory"""


def shared(config: Any, other: type) -> dict[str, Any]:
    """The values of the fields that `config` and the dataclass `other` both have, by name."""
    names = {field.name for field in dataclasses.fields(other)}
    fields = dataclasses.fields(config)
    return {field.name: getattr(config, field.name) for field in fields if field.name in names}
