"""Imports point one way; files stay small, said what they are, and print nothing."""

import ast
import itertools
import pathlib
import re

import pytest

import creative_rl

PACKAGE = pathlib.Path(creative_rl.__file__).parent
FILES = {path.relative_to(PACKAGE): path for path in sorted(PACKAGE.rglob("*.py"))}
IDS = [path.as_posix() for path in FILES]

# Each part and the parts that it may import, itself apart. `configs` imports nothing of the
# package and `registry` nothing but by name, so everything from the learners on may use both.
BASE = {"atomic", "typing", "spaces", "axes"}
DATA = BASE | {"ops", "stores", "works"}
RULES = DATA | {"networks", "corpora", "metrics", "rewards", "environment"}
FACES = RULES | {"wrappers", "configs", "registry"}
ALLOWED = {
    "atomic": set(),
    "configs": set(),
    "registry": set(),
    "typing": set(),
    "spaces": {"typing"},
    "axes": {"typing"},
    "stores": BASE,
    "ops": BASE | {"stores"},
    "networks": BASE,
    "works": BASE | {"ops"},
    "corpora": DATA,
    "metrics": DATA,
    "rewards": DATA | {"networks"},
    "environment": BASE,
    "envs": RULES,
    "wrappers": RULES,
    "learners": RULES | {"wrappers", "configs"},
    "interop": FACES,
    "testing": FACES,
    "experiment": FACES | {"learners", "envs", "interop"},
    "commands": FACES | {"learners", "envs", "interop", "experiment"},
    "cli": FACES | {"learners", "envs", "interop", "experiment", "commands"},
}
PAGE = PACKAGE.parent / "docs" / "architecture.md"
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "tools"}
MAX_LINES = 400


def part_of(path):
    """`envs` for envs/melody.py, `typing` for typing.py, `creative_rl` for the package itself."""
    return (
        "creative_rl"
        if path.name == "__init__.py" and len(path.parts) == 1
        else (path.parts[0].removesuffix(".py"))
    )


def imports(tree, path):
    """Dotted names of the package's own modules that a file reaches, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name != "creative_rl"]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "creative_rl":
            names = [f"creative_rl.{node.attr}"]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name.split(".")[0] == "creative_rl")


def part_named(name):
    """The part that a dotted name is in; names that the package itself offers are looked up."""
    first = name.split(".")[1]
    return creative_rl._EXPORTS.get(first, f"creative_rl.{first}").split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_point_one_way(path):
    part = part_of(path)
    if part == "creative_rl":
        pytest.skip("the package itself offers names of every part, lazily")
    for name, line in imports(ast.parse(FILES[path].read_text()), path):
        target = part_named(name)
        allowed = {part, "__version__", *ALLOWED[part]}
        assert target in allowed, f"{path}:{line}: {part} must not import {target}"


def test_an_import_against_the_arrows_is_seen():
    lazily = (
        "def f():\n"
        "    from creative_rl.envs import melody\n"
        "    importlib.import_module('creative_rl.cli')"
    )
    bare = "import creative_rl\ncreative_rl.make('x'); creative_rl.__version__"
    for code, parts in ((lazily, ["envs", "cli"]), (bare, ["registry", "__version__"])):
        assert sorted(part_named(name) for name, _ in imports(ast.parse(code), "")) == sorted(parts)


def test_every_part_has_its_place():
    assert {part_of(path) for path in FILES} - {"creative_rl"} == set(ALLOWED)


def picture():
    """Of the page's picture: the parts of each room, and the pairs of rooms with an arrow."""
    lines = re.search(r"```mermaid\nflowchart LR\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    labels, arrows = {}, set()
    for line in lines.splitlines():
        stations = [re.findall(r'(\w+)(?:\["(.*?)"\])?', end) for end in line.split("-->")]
        for name, label in itertools.chain(*stations):
            if label or name not in labels:
                labels[name] = label or name
        for left, right in itertools.pairwise(stations):
            arrows |= {(a, b) for (a, _), (b, _) in itertools.product(left, right)}
    notes = re.compile(r"<br/>|\(.*?\)")
    return {name: re.findall(r"\w+", notes.sub(" ", labels[name])) for name in labels}, arrows


def test_the_pages_picture_is_what_imports_are_allowed():
    rooms, reached = picture()
    assert sorted(itertools.chain(*rooms.values())) == sorted(ALLOWED)
    for _ in rooms:  # what may be imported may be so from all that is behind
        reached |= {(a, d) for (a, b), (c, d) in itertools.product(reached, reached) if b == c}
    allowed = {
        (ours, theirs)
        for ours, theirs in itertools.permutations(rooms, 2)
        if any(ALLOWED[part] & set(rooms[ours]) for part in rooms[theirs])
    }
    assert reached == allowed


def test_the_pages_table_names_every_part():
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(ALLOWED)


def test_the_arrows_have_no_circle():
    left = dict(ALLOWED)
    while left:
        free = {part for part, needed in left.items() if not needed & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {part: needed for part, needed in left.items() if part not in free}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_files_are_small_and_named_for_what_they_hold(path):
    assert path.stem not in FORBIDDEN_NAMES
    num_lines = len(FILES[path].read_text().splitlines())
    assert num_lines <= MAX_LINES, f"{path} has {num_lines} lines: look for the second thing in it"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_only_the_command_line_prints(path):
    if part_of(path) in ("cli", "commands", "experiment"):
        pytest.skip("speaks to people")
    for node in ast.walk(ast.parse(FILES[path].read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{path}:{node.lineno} prints"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_modules_and_public_names_say_what_they_are(path):
    tree = ast.parse(FILES[path].read_text())
    if not tree.body:
        return
    assert ast.get_docstring(tree), f"{path} has no docstring"
    silent = [
        f"{node.name} (line {node.lineno})"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent, f"{path}: without a docstring: {', '.join(silent)}"
