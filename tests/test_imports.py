"""Importing the package is cheap, and every name that it offers is there."""

import importlib
import pathlib
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


@pytest.mark.parametrize("name", creative_rl.__all__)
def test_every_offered_name_resolves(name):
    assert getattr(creative_rl, name) is not None
    assert name in dir(creative_rl)


@pytest.mark.parametrize("module", creative_rl._MODULES)
def test_every_name_in_a_package_resolves(module):
    package = importlib.import_module(f"creative_rl.{module}")
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="'creative_rl' has no attribute 'nothing'"):
        _ = creative_rl.nothing


def test_the_version_is_told_alike_in_both_places():
    project = pathlib.Path(__file__).parents[1] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == creative_rl.__version__
