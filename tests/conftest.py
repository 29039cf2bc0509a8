"""Strict JAX for every test: no silent rank promotion, warnings are errors, shapes checked."""

import gc
import importlib.metadata
import inspect
import itertools
import os
import pathlib
import tempfile

# Most of the suite's time is compiling: leave out what makes programs faster, not righter, and
# compile in one piece, as the worker beside needs the other core. Without fused multiply-adds (from
# AVX2 on) programs mostly round alike, however they were compiled; products of matrices and of
# batches of them need not. XLA aborts at flags that it does not know, and all but the first are
# those of 0.10.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0"
    + (
        " --xla_cpu_use_fusion_emitters=false --xla_cpu_max_isa=AVX"
        " --xla_cpu_parallel_codegen_split_count=1"
        if importlib.metadata.version("jaxlib").startswith("0.10.")
        else ""
    ),
)

import jax
import jaxtyping
import pytest

_jaxtyped = jaxtyping.jaxtyped


def _functions_only(fn=None, **options):
    """jaxtyping's decorator, for functions: dataclasses are pytrees, whose fields hold whatever a
    transformation puts there, or check their fields themselves, in words that users see."""
    if fn is None:
        return lambda fn: _functions_only(fn, **options)
    return fn if inspect.isclass(fn) else _jaxtyped(fn, **options)


# Before the package is imported: its annotations run in the tests.
jaxtyping.jaxtyped = _functions_only
CHECKED = ("ops", "stores", "rewards", "networks", "learners", "corpora", "metrics")
jaxtyping.install_import_hook([f"creative_rl.{part}" for part in CHECKED], "typecheck.check")

# A folder for each worker: JAX writes its entries in place, so a neighbour could read half of one.
CACHE = pathlib.Path(
    os.environ.get(
        "CREATIVE_RL_TEST_CACHE", pathlib.Path(tempfile.gettempdir()) / "creative_rl-tests"
    ),
    os.environ.get("PYTEST_XDIST_WORKER", "alone"),
)
jax.config.update("jax_compilation_cache_dir", str(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_collection_modifyitems(items):
    """The notebooks first: in the end, one worker would wait for the other's."""
    items.sort(key=lambda item: item.path.name != "test_documents.py")


def pytest_collection_finish():
    """Traces make many objects, and few in cycles: to look through all again and again takes a
    tenth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


MOST_MAPS, TESTS_BETWEEN = 20_000, 10
_tests = itertools.count(1)


@pytest.fixture(autouse=True)
def forget_programs():
    """A compiled program holds memory maps, of which Linux lets a process have 65,530: beyond, it
    is killed. To count them takes as long as a small test."""
    yield
    maps = pathlib.Path("/proc/self/maps")
    if next(_tests) % TESTS_BETWEEN or not maps.exists():
        return
    if maps.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()


@pytest.fixture
def key():
    return jax.random.key(0)
