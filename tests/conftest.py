"""Strict JAX for every test: no silent rank promotion, no key used twice, shapes checked."""

import os
import pathlib
import tempfile

import jax
import pytest
from jaxtyping import install_import_hook

# Before the package is imported: its annotations run in the tests. Left out are the modules of
# dataclasses that check their own fields, so that the tests see the errors that users see.
CHECKED = ("ops", "rewards", "networks", "corpora", "metrics")
install_import_hook([f"creative_rl.{part}" for part in CHECKED], "typecheck.check")

CACHE = pathlib.Path(
    os.environ.get(
        "CREATIVE_RL_TEST_CACHE", pathlib.Path(tempfile.gettempdir()) / "creative_rl-tests"
    )
)
jax.config.update("jax_compilation_cache_dir", str(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def key():
    return jax.random.key(0)
