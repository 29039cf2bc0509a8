"""Comparing pytrees leaf by leaf, with the path of the first difference."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import PyTree


def require(holds: Any, message: str) -> None:
    """Raise `AssertionError(message)` unless `holds`; unlike `assert`, also under `python -O`."""
    if not holds:
        raise AssertionError(message)


def is_key(leaf: Any) -> bool:
    """Whether `leaf` is an array of typed keys."""
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def plain(tree: PyTree) -> list[np.ndarray]:
    """The leaves as NumPy arrays of their own (safe from donation); keys become their data."""
    leaves = jax.tree.leaves(tree)
    return [np.array(jax.random.key_data(leaf) if is_key(leaf) else leaf) for leaf in leaves]


def unplain(values: list[np.ndarray], like: PyTree) -> PyTree:
    """A tree of fresh device arrays from `plain`; typed keys where `like` has them."""
    leaves, structure = jax.tree.flatten(like)
    arrays = [jnp.array(value) for value in values]
    typed = [
        jax.random.wrap_key_data(array, impl=jax.random.key_impl(leaf)) if is_key(leaf) else array
        for array, leaf in zip(arrays, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, typed)


def leaf_types(tree: PyTree) -> dict[str, str]:
    """The type of every leaf, as words, by its path; the leaves may be tracers."""
    return {path: _describe(leaf) for path, leaf in _leaves(tree)}


def type_difference(expected: PyTree, got: PyTree) -> str | None:
    """The first leaf that differs in place, shape, dtype or weak type, as words; None if none."""
    expected_types, got_types = leaf_types(expected), leaf_types(got)
    for path in [*expected_types, *got_types]:
        wanted, found = expected_types.get(path, "absent"), got_types.get(path, "absent")
        if wanted != found:
            return f"{path or 'the value'} is {found} and not {wanted}"
    wanted, found = str(jax.tree.structure(expected)), str(jax.tree.structure(got))
    return None if wanted == found else f"the tree is {found} and not {wanted}"


def value_difference(
    expected: PyTree, got: PyTree, rtol: float = 0.0, atol: float = 0.0
) -> str | None:
    """The first leaf whose values differ, as words; None if none. Only floats have tolerance."""
    paths = [path for path, _ in _leaves(expected)]
    for path, want, have in zip(paths, plain(expected), plain(got), strict=True):
        if jnp.issubdtype(want.dtype, jnp.inexact):
            same = np.allclose(want, have, rtol=rtol, atol=atol, equal_nan=True)
        else:
            same = np.array_equal(want, have)
        if not same:
            return f"{path or 'the value'} is {_short(have)} and not {_short(want)}"
    return None


def weak_leaf(tree: PyTree) -> str | None:
    """The first leaf without a dtype of its own (a Python number, or weakly typed)."""
    for path, leaf in _leaves(tree):
        if not hasattr(leaf, "dtype") or getattr(leaf, "weak_type", False):
            return f"{path or 'the value'} is {_describe(leaf)}"
    return None


def not_finite_leaf(tree: PyTree, allow_inf: bool = False) -> str | None:
    """The path of the first leaf with a NaN (or, unless `allow_inf`, an infinity)."""
    paths = [path for path, _ in _leaves(tree)]
    for path, leaf in zip(paths, plain(tree), strict=True):
        if jnp.issubdtype(leaf.dtype, jnp.inexact):
            wrong = np.isnan(leaf) if allow_inf else ~np.isfinite(leaf)
            if wrong.any():
                return path or "the value"
    return None


def num_bytes(tree: PyTree) -> int:
    """Bytes of all leaves; they may be tracers."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _leaves(tree: PyTree) -> list[tuple[str, Any]]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(jax.tree_util.keystr(path).lstrip("."), leaf) for path, leaf in leaves]


def _describe(leaf: Any) -> str:
    if not hasattr(leaf, "dtype"):
        return f"a Python {type(leaf).__name__}"
    weak = "weakly typed " if getattr(leaf, "weak_type", False) else ""
    return f"{weak}{leaf.dtype}[{','.join(map(str, leaf.shape))}]"


def _short(value: np.ndarray) -> str:
    words = np.array2string(value.ravel()[:4], separator=", ", threshold=4)
    return words if value.size <= 4 else f"{words[:-1]}, ...]"
