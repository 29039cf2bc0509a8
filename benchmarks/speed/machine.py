"""What the machine could do at most, beside which every other rate is to be read.

Run `python -m benchmarks.speed.machine [--quick]`.

Bytes a second of `x + 1` over an array far larger than any cache, read and written; operations a
second of products of square matrices, in float32 as JAX multiplies them by default and at the
highest precision, and in bfloat16. Every round is one program that does its work many times over,
so that what starting a program costs is not in it.
"""

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import record
from benchmarks.speed import worker
from benchmarks.speed.rounds import interleave, rates, spread

ROUNDS, QUICK_ROUNDS = 9, 2
ROUND_SECONDS = 0.25
SIDES = {"cpu": 1024, "accelerator": 8192}
"""Of the matrices."""
NUM_NUMBERS = {"cpu": 1 << 25, "accelerator": 1 << 28}
"""That one is added to: far more than any cache holds."""
PRODUCTS = {
    "float32": (jnp.float32, "default"),
    "float32 at highest precision": (jnp.float32, "highest"),
    "bfloat16": (jnp.bfloat16, "default"),
}


def copy_unit(num_numbers: int) -> worker.Unit:
    """`x + 1` in place, again and again; its steps are bytes read and written."""
    numbers = jnp.zeros(num_numbers, jnp.float32)

    @functools.partial(jax.jit, donate_argnums=0)
    def chain(numbers: jax.Array, num: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, num, lambda _, numbers: numbers + 1, numbers)

    def run(count: int) -> None:
        nonlocal numbers
        numbers = jax.block_until_ready(chain(numbers, jnp.int32(count)))

    run(1)
    count = worker.calibrated(run, ROUND_SECONDS)

    def unit(number: int) -> Mapping[str, Any]:
        run(count)
        return {"steps": count * 2 * numbers.nbytes}

    return unit


def product_unit(side: int, dtype: Any, precision: str) -> worker.Unit:
    """A chain of products, each with the result of the one before; its steps are operations."""
    key_rows, key_matrix = jax.random.split(jax.random.key(0))
    rows = jax.random.normal(key_rows, (side, side), dtype)
    # Of this deviation a product has numbers as large as its argument, so the chain stays finite.
    matrix = jax.random.normal(key_matrix, (side, side), dtype) / jnp.asarray(side**0.5, dtype)

    @jax.jit
    def chain(rows: jax.Array, num: jax.Array) -> jax.Array:
        multiply = functools.partial(jnp.matmul, b=matrix, precision=precision)
        return jax.lax.fori_loop(0, num, lambda _, rows: multiply(rows), rows)

    def run(count: int) -> None:
        jax.block_until_ready(chain(rows, jnp.int32(count)))

    run(1)
    count = worker.calibrated(run, ROUND_SECONDS)

    def unit(number: int) -> Mapping[str, Any]:
        run(count)
        return {"steps": count * 2 * side**3}

    return unit


def timed(unit: worker.Unit, number: int) -> Mapping[str, Any]:
    """A round in this process: there is one contender, so nothing to keep apart."""
    begin = time.perf_counter()
    report = unit(number)
    return {**report, "seconds": time.perf_counter() - begin}


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    device = worker.device()
    kind = "cpu" if device == "cpu" else "accelerator"
    side, units = SIDES[kind], {"x + 1": copy_unit(NUM_NUMBERS[kind])}
    units |= {name: product_unit(side, *product) for name, product in PRODUCTS.items()}
    turns = {name: functools.partial(timed, unit) for name, unit in units.items()}
    reports = interleave(turns, QUICK_ROUNDS if options.quick else ROUNDS)
    labels = {name: (f"products of {side} x {side}, {name}", "GFLOP/s") for name in PRODUCTS}
    labels["x + 1"] = ("x + 1", "GB/s read and written")
    rows = [
        spread([rate / 1e9 for rate in rates(reports[name])]).row(*labels[name]) for name in units
    ]
    session.finish(rows, [], device)


if __name__ == "__main__":
    main()
