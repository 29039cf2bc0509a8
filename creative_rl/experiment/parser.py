"""A command-line parser whose errors are one line with a remedy."""

import argparse
import difflib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

_ELSEWHERE = {
    "--lr": "--learning-rate",
    "--total-timesteps": "--steps",
    "--ent-coef": "--entropy-coef",
    "--vf-coef": "--value-coef",
    "--n-steps": "--num-steps",
}
"""Flags by the names that other libraries have for them."""


class UsageError(ValueError):
    """The command line asks for what there is not."""


class Parser(argparse.ArgumentParser):
    """Raises `UsageError` in place of printing the usage and leaving."""

    def __init__(self, command: str, description: str | None, **keywords: Any):
        super().__init__(
            prog=f"creative-rl {command}".strip(),
            description=description,
            allow_abbrev=False,
            **keywords,
        )

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            message = f"missing {missing}; see {self.prog} --help"
        raise UsageError(message)

    def parse_all(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse, and name the flags that are near an unknown one."""
        arguments, unknown = self.parse_known_args(argv)
        if unknown:
            flags = [option for action in self._actions for option in action.option_strings]
            name = unknown[0].partition("=")[0]
            near = [flag for flag in flags if flag == _ELSEWHERE.get(name.replace("_", "-"))]
            near = near or difflib.get_close_matches(name, flags, n=3, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else f"see {self.prog} --help"
            kind = "flag" if name.startswith("-") else "argument"
            raise UsageError(f"unknown {kind} {name!r}; {hint}")
        return arguments


def as_usage(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call, with a `ValueError` as the command line's fault."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise UsageError(str(error)) from error


def at_least(flag: str, value: int | None, least: int = 1) -> None:
    """Refuse a smaller value; None passes."""
    if value is not None and value < least:
        raise UsageError(f"{flag}: must be at least {least}, got {value}")


def between(flag: str, value: float | None, least: float, most: float) -> None:
    """Refuse a value outside `least..most`; None passes."""
    if value is not None and not least <= value <= most:
        raise UsageError(f"{flag}: must be between {least} and {most}, got {value}")
