"""What every face does when it is built: find its package, its environment and its identity."""

import hashlib
import importlib
from types import ModuleType
from typing import Any

import jax
import numpy as np

from creative_rl.registry import make
from creative_rl.typing import PyTree
from creative_rl.wrappers import AutoReset, Wrapper


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or raise an `ImportError` that names the extra which installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"creative_rl.interop needs {error.name}: pip install 'creative_rl[{extra}]'"
        ) from error


def core_environment(env_or_id: Any, resetter: str = "a face resets by itself") -> Any:
    """The environment itself, built when its id is given.

    Args:
      env_or_id: an environment without `AutoReset`, or a registered id.
      resetter: what resets instead, for the message.

    Raises:
      ValueError: the id is unknown, or the environment resets itself already (the face's library
        has its own rules for that, and a second reset would lose the end of the episode).
    """
    env = make(env_or_id) if isinstance(env_or_id, str) else env_or_id
    inner = env
    while isinstance(inner, Wrapper):
        if isinstance(inner, AutoReset):
            got = "AutoReset" if inner is env else f"{type(env).__name__} around AutoReset"
            raise ValueError(f"{resetter}: hand over the environment inside AutoReset, got {got}")
        inner = inner.env
    return env


def fingerprint(tree: PyTree) -> str:
    """A digest of the structure and the numbers of a pytree: equal for equal trees.

    Raises:
      TypeError: a leaf is no number or array of numbers.
    """
    leaves, structure = jax.tree.flatten(tree)
    digest = hashlib.sha256(str(structure).encode())
    for leaf in leaves:
        array = np.asarray(leaf)
        if array.dtype == object:
            raise TypeError(f"a fingerprint needs numbers, got {type(leaf).__name__}")
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
