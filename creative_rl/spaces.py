"""Sets of observations and actions: hashable, so that they can be static to a compiled program.

Every space has `shape` and `dtype` (of one element), `sample(key, shape)` with a leading batch
`shape`, `contains(x)` (a bool scalar for one element) and `zeros(shape)`.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import Array, Key, PyTree


@dataclasses.dataclass(frozen=True)
class Discrete:
    """The integers `0 .. num - 1`.

    >>> Discrete(3).contains(jnp.int32(3))
    Array(False, dtype=bool)
    """

    num: int
    dtype: Any = jnp.int32
    shape = ()

    def __post_init__(self):
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if self.num < 1:
            raise ValueError(f"Discrete: num must be at least 1, got {self.num}")

    def __repr__(self) -> str:
        return f"Discrete({self.num}{_unless(jnp.int32, self.dtype)})"

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Array:
        return _uniform_integers(key, shape, self.num).astype(self.dtype)

    def contains(self, x: Array) -> Array:
        return (x >= 0) & (x < self.num)

    def zeros(self, shape: tuple[int, ...] = ()) -> Array:
        return jnp.zeros(shape, self.dtype)


@dataclasses.dataclass(frozen=True)
class MultiDiscrete:
    """A vector of integers, entry `i` in `0 .. nums[i] - 1`.

    >>> MultiDiscrete((2, 3)).sample(jax.random.key(0), (4,)).shape
    (4, 2)
    """

    nums: tuple[int, ...]
    dtype: Any = jnp.int32

    def __post_init__(self):
        object.__setattr__(self, "nums", tuple(int(num) for num in self.nums))
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if not self.nums or min(self.nums) < 1:
            raise ValueError(
                f"MultiDiscrete: nums must be one or more sizes of at least 1, got {self.nums}"
            )

    def __repr__(self) -> str:
        are_equal = len(self.nums) > 1 and len(set(self.nums)) == 1
        nums = f"({self.nums[0]},) * {len(self.nums)}" if are_equal else str(self.nums)
        return f"MultiDiscrete({nums}{_unless(jnp.int32, self.dtype)})"

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.nums),)

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Array:
        keys = jax.random.split(key, len(self.nums))
        columns = [_uniform_integers(k, shape, n) for k, n in zip(keys, self.nums, strict=True)]
        return jnp.stack(columns, axis=-1).astype(self.dtype)

    def contains(self, x: Array) -> Array:
        return ((x >= 0) & (x < jnp.asarray(self.nums, self.dtype))).all()

    def zeros(self, shape: tuple[int, ...] = ()) -> Array:
        return jnp.zeros((*shape, *self.shape), self.dtype)


@dataclasses.dataclass(frozen=True)
class Box:
    """Arrays of `shape` with every entry in `low .. high` (both ends included).

    A bound may be infinite; `sample` then draws from a standard normal distribution, clipped.

    >>> Box(0.0, 1.0, (2, 2)).contains(jnp.full((2, 2), 0.5))
    Array(True, dtype=bool)
    """

    low: float
    high: float
    shape: tuple[int, ...] = ()
    dtype: Any = jnp.float32

    def __post_init__(self):
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if not self.low <= self.high:
            raise ValueError(f"Box: low must not exceed high, got low={self.low}, high={self.high}")

    def __repr__(self) -> str:
        dtype = _unless(jnp.float32, self.dtype)
        return f"Box({self.low}, {self.high}, {self.shape}{dtype})"

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Array:
        shape = (*shape, *self.shape)
        if jnp.issubdtype(self.dtype, jnp.integer):
            return jax.random.randint(
                key, shape, int(self.low), int(self.high) + 1, jnp.int32
            ).astype(self.dtype)
        if math.isinf(self.low) or math.isinf(self.high):
            return jnp.clip(jax.random.normal(key, shape, self.dtype), self.low, self.high)
        return jax.random.uniform(key, shape, self.dtype, self.low, self.high)

    def contains(self, x: Array) -> Array:
        return ((x >= self.low) & (x <= self.high)).all()

    def zeros(self, shape: tuple[int, ...] = ()) -> Array:
        return jnp.zeros((*shape, *self.shape), self.dtype)


@dataclasses.dataclass(frozen=True)
class Dict:
    """Named spaces, a mapping or pairs; elements are dicts with the same names.

    >>> Dict({"step": Discrete(4)}).zeros()
    {'step': Array(0, dtype=int32)}
    """

    spaces: Mapping[str, "Space"] | tuple[tuple[str, "Space"], ...]

    def __post_init__(self):
        given = dict(self.spaces)
        wrong = [name for name, space in given.items() if not isinstance(space, Space)]
        if not given or wrong:
            got = f"{given[wrong[0]]!r} for {wrong[0]!r}" if wrong else "none"
            raise ValueError(f"Dict: spaces must be one or more spaces by name, got {got}")
        object.__setattr__(self, "spaces", tuple(sorted(given.items())))

    def __repr__(self) -> str:
        return f"Dict({dict(self.spaces)})"

    def __getitem__(self, name: str) -> "Space":
        return dict(self.spaces)[name]

    def items(self) -> Collection[tuple[str, "Space"]]:
        return dict(self.spaces).items()

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> PyTree:
        keys = jax.random.split(key, len(self.spaces))
        return {
            name: space.sample(k, shape)
            for k, (name, space) in zip(keys, self.items(), strict=True)
        }

    def contains(self, x: PyTree) -> Array:
        inside = [space.contains(x[name]) for name, space in self.items()]
        return jnp.stack(inside).all()

    def zeros(self, shape: tuple[int, ...] = ()) -> PyTree:
        return {name: space.zeros(shape) for name, space in self.items()}


Space = Discrete | MultiDiscrete | Box | Dict


def _unless(usual: Any, dtype: np.dtype) -> str:
    """A dtype as the last argument of a space's `repr`, where it is not the usual one."""
    return "" if dtype == usual else f", {dtype.name}"


def _uniform_integers(key: Key, shape: tuple[int, ...], num: int) -> Array:
    """Uniform integers in `0 .. num - 1`, int32.

    Scaling 24 random bits costs half of `jax.random.randint`, which draws 64; the bias is below
    `num / 2**24`. Larger sets, whose product would not fit 32 bits, take that way.
    """
    if num > 256:
        return jax.random.randint(key, shape, 0, num, jnp.int32)
    bits = jax.random.bits(key, shape, jnp.uint32) >> 8  # 24 bits: the product stays in 32
    return ((bits * jnp.uint32(num)) >> 24).astype(jnp.int32)
