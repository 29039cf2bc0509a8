"""Importing the package is cheap, and every name that it offers is there."""

import ast
import importlib
import pathlib
import re
import statistics
import subprocess
import sys
import time
import tomllib

import pytest

import creative_rl

HEAVY = (
    "jax", "flax", "optax", "numpy", "orbax", "PIL", "mido", "matplotlib", "jinja2", "music21",
    "gymnasium", "gymnax", "tensorboardX", "rich",
)  # fmt: skip


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_import_is_quick():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        run("import creative_rl")
        seconds.append(time.perf_counter() - start)
    assert statistics.median(seconds) < 1.2


def test_the_version_stands_once():
    package = pathlib.Path(creative_rl.__file__)
    settings = tomllib.loads((package.parents[1] / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"] and "version" not in settings["project"]
    assert package.samefile(package.parents[1] / settings["tool"]["hatch"]["version"]["path"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", creative_rl.__version__)


def test_import_loads_nothing_heavy():
    code = f"import sys, creative_rl; print([name for name in {HEAVY} if name in sys.modules])"
    assert run(code) == "[]"


def test_making_an_environment_loads_no_media():
    core = ("jax", "flax", "optax", "numpy", "orbax", "rich")  # flax loads rich
    media = [name for name in HEAVY if name not in core]
    code = (
        "import sys, creative_rl; creative_rl.make('melody-theory');"
        f"print([name for name in {media} if name in sys.modules])"
    )
    assert run(code) == "[]"


@pytest.mark.parametrize("module", ["cli", "atomic", "experiment.report", "experiment.records"])
def test_what_needs_no_jax_loads_none(module):
    assert run(f"import sys, creative_rl.{module}; print('jax' in sys.modules)") == "False"


@pytest.mark.parametrize("name", creative_rl.__all__)
def test_every_offered_name_resolves(name):
    assert getattr(creative_rl, name) is not None
    assert dir(creative_rl) == sorted(creative_rl.__all__)


@pytest.mark.parametrize("module", creative_rl._MODULES)
def test_every_name_in_a_package_resolves(module):
    package = importlib.import_module(f"creative_rl.{module}")
    for name in getattr(package, "__all__", ()):
        try:
            assert getattr(package, name) is not None
        except ImportError as error:  # of the one package that `dev` leaves out
            assert (module, "'creative_rl[sb3]'" in str(error)) == ("interop", True)


def test_the_modules_of_experiments_are_there_from_the_start():
    """A submodule becomes an attribute when anything imports it, so it is asked for first."""
    code = "import creative_rl as crl; print(crl.experiment.checkpoint.restore.__name__)"
    assert run(code) == "restore"
    assert dir(creative_rl.experiment) == sorted(creative_rl.experiment.__all__)
    with pytest.raises(AttributeError, match="no attribute 'training'"):
        creative_rl.experiment.__getattr__("training")


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="'creative_rl' has no attribute 'nothing'"):
        _ = creative_rl.nothing


def imported(path):
    """The first names of what a file imports, anywhere in it, of other packages."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
            # Of `interop`, which names the extra.
            names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        else:
            continue
        yield from (name.partition(".")[0] for name in names)


def test_what_is_imported_is_declared_and_what_is_needed_is_imported():
    root = pathlib.Path(creative_rl.__file__).parent
    found = {name for path in root.rglob("*.py") for name in imported(path)}
    found -= {*sys.stdlib_module_names, "creative_rl"}
    distributions = {
        "PIL": "pillow", "orbax": "orbax-checkpoint", "sklearn": "scikit-learn",
        "stoa": "stoa-env", "stable_baselines3": "stable-baselines3",
    }  # fmt: skip
    used = {distributions.get(name, name).lower() for name in found}
    project = tomllib.loads((root.parent / "pyproject.toml").read_text())["project"]
    names = lambda lines: {re.match(r"[\w-]+", line)[0].lower() for line in lines}  # noqa: E731
    needed = names(project["dependencies"])
    assert used <= needed.union(*map(names, project["optional-dependencies"].values()))
    assert needed <= used
