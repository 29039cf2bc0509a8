"""A whole training run as one compiled function of a key."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.speed import worker


def compiled_unit(
    train: Callable[[jax.Array], Any],
    steps: int,
    key: Callable[[int], jax.Array],
    report: Callable[[Any], Mapping[str, Any]] = lambda result: {},
) -> tuple[dict[str, float], worker.Unit]:
    """Compile `train`; the seconds that took, and the unit whose round trains with `key(round)`.

    The unit is run once before, so that no round pays for what happens only in a first call.
    """
    compiled, build = worker.built(jax.jit(train), key(0))

    def unit(number: int) -> Mapping[str, Any]:
        result = jax.block_until_ready(compiled(key(number)))
        return {"steps": steps, **report(result)}

    unit(0)
    return build, unit


def last_returns(returns: jax.Array, weights: jax.Array) -> dict[str, float]:
    """The mean return of the episodes that ended in the last 50 updates, leaves [updates, ...]."""
    returns, weights = returns[-50:], weights[-50:].astype(jnp.float32)
    return {"return": float((returns * weights).sum() / jnp.maximum(weights.sum(), 1))}
