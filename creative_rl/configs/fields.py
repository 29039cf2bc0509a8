"""How a config's field says what it is."""

import dataclasses
from typing import Any


def static(default: Any) -> Any:
    """A field that is part of the compiled program."""
    return dataclasses.field(default=default, metadata={"static": True})


def share(default: float) -> Any:
    """A field above 0 and up to 1, where its name would allow more."""
    return dataclasses.field(default=default, metadata={"share": True})


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
