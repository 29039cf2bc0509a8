"""How long a program takes to compile: told from its size, or found by compiling it.

The law is `0.06 * equations ** 0.675` seconds of one core. `benchmarks.speed.compile_time` holds it
against programs of all learners: 21 of them, of 389 to 15,480 equations and 1.7 to 44 seconds,
compiled by one core of an AMD EPYC with jax 0.10.2 and without a cache. It was typically 1.7 times
off: most took less than it says, by up to 3.4 times, and `seqgan` took 2.5 times as long. Fitted to
these anew it is `0.037 * equations ** 0.69` (R^2 of the logarithms: 0.66), and typically 1.4 times
off of a program left out; the law stays, as it rather says too much. So it tells seconds from
minutes, on a machine like that one. For more, and on an accelerator, compile.
"""

import time
from typing import Any, NamedTuple

import jax

_FACTOR, _POWER = 0.06, 0.675


class Compiled(NamedTuple):
    """What one compilation found.

    Attributes:
      seconds: it took, those of lowering included; little where the cache had the program.
      num_bytes: that the program needs on the device, arguments and results included, as XLA
        laid them out.
    """

    seconds: float
    num_bytes: int


def num_equations(jaxpr: Any) -> int:
    """Equations of a traced program: those of loops and branches once, of calls at every call.

    Example:
      >>> loop = lambda x: jax.lax.fori_loop(0, 9, lambda i, x: 2 * x + 1, x)
      >>> num_equations(jax.make_jaxpr(loop)(1.0))  # one adds to the loop's index
      3
    """
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    return sum(sum(map(num_equations, _inside(eqn))) or 1 for eqn in jaxpr.eqns)


def estimate(jaxpr: Any) -> float:
    """Seconds that XLA takes for a traced program; the module tells how good it is."""
    return _FACTOR * num_equations(jaxpr) ** _POWER


def compile_it(traced: jax.stages.Traced) -> Compiled:
    """Compile a traced program, by the cache where it is on: training then finds it there."""
    begin = time.perf_counter()
    compiled = traced.lower().compile()
    seconds = time.perf_counter() - begin
    found = compiled.memory_analysis()
    kept = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return Compiled(seconds, kept + found.temp_size_in_bytes)


def _inside(equation: Any) -> list[Any]:
    """The programs that an equation holds."""
    values = jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program)
    return [value for value in values if _is_program(value)]


def _is_program(value: Any) -> bool:
    return hasattr(getattr(value, "jaxpr", value), "eqns")
