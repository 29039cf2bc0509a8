"""Command-line flags from the source of dataclasses, without importing what they describe.

Names, types and defaults come from the fields; help comes from the text literal under a field
(configs) or from the `Attributes:` section of the docstring (environments).
"""

import argparse
import ast
import dataclasses
import importlib.util
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

_LITERAL = re.compile(r"Literal\[(.*)\]")
_ATTRIBUTE = re.compile(r"^ {2}(\w+): (.+(?:\n {4,}\S.*)*)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Flag:
    """A field that can be set from a command line.

    Attributes:
      name: of the field.
      type: annotation as written, aliases of the same module resolved, `| None` taken off.
      default: as written.
      help: one line.
    """

    name: str
    type: str
    default: str
    help: str

    def add_to(self, parser: argparse._ActionsContainer, prefix: str = "") -> None:
        """Add `--prefix-name`, absent from the result unless given."""
        option = f"--{prefix}{self.name.replace('_', '-')}"
        keywords: dict[str, Any] = {
            "dest": f"{prefix.replace('-', '_')}{self.name}",
            "default": argparse.SUPPRESS,
            "help": f"{self.help} (default {self.default})".strip().replace("%", "%%"),
        }
        if self.type == "bool":
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **keywords)
        elif choices := literal_choices(self.type):
            parser.add_argument(option, choices=choices, **keywords)
        else:
            kind, metavar = _KINDS[self.type]
            parser.add_argument(option, type=kind, metavar=metavar, **keywords)


def class_flags(target: str) -> list[Flag]:
    """The flags of the dataclass that `"package.module:Class"` names, those of its bases first.

    Fields of other types and private ones have none; an empty list where the source cannot be
    found.
    """
    module_name, _, class_name = target.partition(":")
    tree = _source(module_name)
    aliases: dict[str, str] = {}
    flags: dict[str, Flag] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            aliases[statement.targets[0].id] = ast.unparse(statement.value)
        elif isinstance(statement, ast.ImportFrom) and class_name in _bound_names(statement):
            return class_flags(f"{statement.module}:{class_name}")
        elif isinstance(statement, ast.ClassDef) and statement.name == class_name:
            for base in statement.bases:
                if isinstance(base, ast.Name):
                    inherited = class_flags(f"{module_name}:{base.id}")
                    flags |= {flag.name: flag for flag in inherited}
            for flag in _fields(statement, aliases):
                if not flag.help and flag.name in flags:
                    flag = dataclasses.replace(flag, help=flags[flag.name].help)
                flags[flag.name] = flag
    return list(flags.values())


def whole(text: str) -> int:
    """A whole number: `64`, `10_000` or `1e6`."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}")


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise argparse.ArgumentTypeError(f"must be a finite number, got {text!r}")
    return value


def wholes(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between: `64,64`."""
    return tuple(whole(part) for part in text.split(",") if part.strip())


def literal_choices(annotation: str) -> tuple[str, ...] | None:
    """The strings of a `Literal[...]`, else None.

    >>> literal_choices("Literal['lstm', 'gru']")
    ('lstm', 'gru')
    """
    match = _LITERAL.fullmatch(annotation)
    if match is None:
        return None
    values = ast.literal_eval(f"({match[1]},)")
    return values if all(isinstance(value, str) for value in values) else None


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "int": (whole, "N"),
    "float": (number, "X"),
    "str": (str, "TEXT"),
    "tuple[int, ...]": (wholes, "N,N"),
}


def _bound_names(statement: ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name for alias in statement.names]


def _source(module_name: str) -> ast.Module:
    try:
        spec = importlib.util.find_spec(module_name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return ast.Module(body=[], type_ignores=[])
    return ast.parse(pathlib.Path(spec.origin).read_text(encoding="utf-8"))


def _fields(definition: ast.ClassDef, aliases: dict[str, str]) -> Iterator[Flag]:
    attributes = {
        name: " ".join(text.split())
        for name, text in _ATTRIBUTE.findall(
            (ast.get_docstring(definition, clean=True) or "").partition("Attributes:")[2]
        )
    }
    followers = [*definition.body[1:], None]
    for statement, follower in zip(definition.body, followers, strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = statement.target.id
        annotation = ast.unparse(statement.annotation).removesuffix(" | None")
        annotation = aliases.get(annotation, annotation)
        known = annotation in _KINDS or annotation == "bool" or literal_choices(annotation)
        if known and not name.startswith("_") and statement.value is not None:
            text = _text(follower) or attributes.get(name, "")
            yield Flag(name, annotation, _default(statement.value), text)


def _text(statement: ast.stmt | None) -> str:
    """The string that a statement consists of."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return str(statement.value.value)
    return ""


def _default(value: ast.expr) -> str:
    """A default as one would type it: `static(64)` is 64, `(64, 64)` is 64,64."""
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    if isinstance(value, ast.Tuple):
        return ",".join(ast.unparse(element) for element in value.elts)
    return ast.unparse(value).strip("'\"")
