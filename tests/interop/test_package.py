"""The package itself: light to import, clear about what is missing."""

import subprocess
import sys

import numpy as np
import pytest

from creative_rl import interop
from creative_rl.interop.construction import fingerprint, require


def test_importing_it_imports_no_other_library():
    code = (
        "import sys, creative_rl.interop; "
        "print(sorted({'jax', 'gymnax', 'gymnasium'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_loads_again_and_again():
    pytest.importorskip("gymnax"), pytest.importorskip("gymnasium")
    for _ in range(2):  # a module of the same name would take the function's place
        names = set(interop.__all__) - {"to_stable_baselines3"}  # too heavy to ask for
        assert all(callable(getattr(interop, name)) for name in names)
    assert set(interop.__all__) == set(dir(interop))
    with pytest.raises(AttributeError, match="no attribute 'to_pettingzoo'"):
        _ = interop.to_pettingzoo


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnax", None)
    for name in ("to_gymnax", "from_gymnax"):
        with pytest.raises(ImportError, match=r"needs gymnax: pip install 'creative_rl\[gymnax\]'"):
            getattr(interop, name)("melody-target")
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.delitem(sys.modules, "creative_rl.interop.gymnasium", raising=False)
    with pytest.raises(ImportError, match=r"gymnasium: pip install 'creative_rl\[gym\]'"):
        _ = interop.to_gymnasium


def test_without_stable_baselines3_its_extra_is_named(monkeypatch):
    pytest.importorskip("gymnasium")
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, "creative_rl.interop.stable_baselines3", raising=False)
    with pytest.raises(ImportError, match=r"stable_baselines3.*'creative_rl\[sb3\]'"):
        _ = interop.to_stable_baselines3


def test_the_missing_package_is_named_not_the_one_that_wanted_it():
    with pytest.raises(ImportError, match="needs no_such_package: pip"):
        require("no_such_package.module", "gym")


def test_fingerprints_are_of_structure_and_numbers():
    tree = {"a": np.arange(3), "b": 1.0}
    assert fingerprint(tree) == fingerprint({"b": 1.0, "a": np.arange(3)})
    others = [
        {"a": np.arange(3), "c": 1.0},
        {"a": np.arange(3), "b": 2.0},
        {"a": np.arange(3).astype(np.float32), "b": 1.0},
        {"a": np.arange(3)[None], "b": 1.0},
    ]
    assert len({fingerprint(other) for other in [tree, *others]}) == 5
    with pytest.raises(TypeError, match="needs numbers, got object"):
        fingerprint([object()])
