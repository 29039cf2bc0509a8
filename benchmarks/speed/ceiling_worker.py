"""The rate of products of matrices alone, as steps of a task; worker of `training`."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from benchmarks.speed import operations, settings, worker

SQUARE, OWN = "square", "own"
"""Units: products of 1024 x 1024, and of a gradient step's batch with the hidden layer."""
ROUND_SECONDS = 0.5


def chain(samples: int, wide: int, high: int, num: int):
    """`num` times two products, there and back: a compiled function, its arguments, operations.

    The matrix has orthonormal rows or columns, so that the numbers neither grow nor vanish.
    """
    generator = np.random.default_rng(0)
    square = np.linalg.qr(generator.standard_normal((max(wide, high),) * 2))[0]
    there = square[:wide, :high].astype(np.float32)
    rows = generator.standard_normal((samples, wide)).astype(np.float32)

    def products(rows: jax.Array, there: jax.Array, back: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, num, lambda _, rows: rows @ there @ back, rows)

    arguments = jax.device_put((rows, there, there.T.copy()))
    compiled = jax.jit(products).lower(*arguments).compile()
    return compiled, arguments, num * 2 * 2 * samples * wide * high


def unit(shape: tuple[int, int, int], per_step: float, seconds: float) -> worker.Unit:
    """Rounds of about so many seconds, counted as steps of `per_step` operations."""
    num = 4
    while True:
        compiled, arguments, done = chain(*shape, num)
        jax.block_until_ready(compiled(*arguments))
        begin = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        taken = time.perf_counter() - begin
        if taken > seconds / 4:
            break
        num *= 4

    def run(number: int) -> Mapping[str, Any]:
        jax.block_until_ready(compiled(*arguments))
        return {"steps": done / per_step}

    return run


def main(group: str, quick: str) -> None:
    worker.own_the_output()
    task = settings.tasks(quick == "quick")[group]
    per_step = operations.per_step(task)
    shapes = {SQUARE: (1024, 1024, 1024), OWN: operations.largest_product(task)}
    units = {name: unit(shape, per_step, ROUND_SECONDS) for name, shape in shapes.items()}
    worker.serve({"per_step": per_step}, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
