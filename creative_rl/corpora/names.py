"""Names of what is built in, and what to say of others."""

import difflib
from collections.abc import Sequence


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """` (did you mean ...?)` with the nearest of the names, nothing where none is near.

    >>> did_you_mean("digit", ("shapes", "digits"))
    ' (did you mean digits?)'
    """
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
