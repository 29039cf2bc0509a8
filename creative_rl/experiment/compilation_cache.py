"""Compiled programs kept between processes, in the user's cache folder."""

import os
import pathlib

import jax


def enable() -> pathlib.Path:
    """Turn the persistent compilation cache on, for programs of every size.

    A folder that is set already, by `JAX_COMPILATION_CACHE_DIR` or in JAX's configuration, stays;
    otherwise it is `creative_rl/xla` in `$XDG_CACHE_HOME`, or in `~/.cache`.

    Returns:
      The folder in use.
    """
    chosen = jax.config.values["jax_compilation_cache_dir"]
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(chosen or pathlib.Path(caches, "creative_rl", "xla"))
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder
