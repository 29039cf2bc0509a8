"""How a config's field says what it is."""

import dataclasses
from typing import Any


def static(default: Any) -> Any:
    """A field that is part of the compiled program."""
    return dataclasses.field(default=default, metadata={"static": True})


def share(default: float) -> Any:
    """A field above 0 and up to 1, where its name would allow more."""
    return dataclasses.field(default=default, metadata={"share": True})
