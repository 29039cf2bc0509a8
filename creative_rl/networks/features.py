"""Observations as vectors, by their space."""

import math

import jax
import jax.numpy as jnp

from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete, Space
from creative_rl.typing import Array, PyTree


def features(space: Space, observation: PyTree) -> Array:
    """float32[..., F]: one-hot for integers, flat for boxes, joined for dicts.

    `uint8` boxes are pictures and are scaled to 0..1. Leading batch axes are kept.
    """
    if isinstance(space, Discrete):
        return jax.nn.one_hot(observation, space.num, dtype=jnp.float32)
    if isinstance(space, MultiDiscrete):
        columns = [
            jax.nn.one_hot(observation[..., i], num, dtype=jnp.float32)
            for i, num in enumerate(space.nums)
        ]
        return jnp.concatenate(columns, axis=-1)
    if isinstance(space, Box):
        batch_shape = observation.shape[: observation.ndim - len(space.shape)]
        scale = 1 / 255 if space.dtype == jnp.uint8 else 1.0
        return observation.astype(jnp.float32).reshape(*batch_shape, -1) * scale
    if isinstance(space, Dict):
        parts = [features(part, observation[name]) for name, part in space.items()]
        return jnp.concatenate(parts, axis=-1)
    raise ValueError(f"no features for observation space {space!r}")


def feature_space(space: Space) -> Box:
    """What `features` gives, as a space: a model of it has the same variables as one of `space`.

    >>> feature_space(Dict({"event": Discrete(38), "time": Box(0.0, 1.0)})).shape
    (39,)
    """
    seen = jax.eval_shape(lambda: features(space, space.zeros()))
    return Box(-math.inf, math.inf, seen.shape)
