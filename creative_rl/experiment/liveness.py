"""How much memory a traced program needs at its fullest, read from its jaxpr: nothing is compiled.

The model is that of a compiler which fuses: what is computed number by number (arithmetic, casts,
broadcasts, slices) has no memory of its own unless something that reads whole arrays asks for it (a
matrix product, a sort, a loop) or the program returns it. A buffer lives from the operation that
makes it to the last one that reads it. Loops keep what they carry in place, and so do writes into
an array that nothing reads afterwards; what a loop stacks is there from its begin to its end.

`benchmarks.speed.compile_time` holds it against XLA's `compiled.memory_analysis()`. With jax 0.10.2
on a CPU, on 21 programs of learners that need 0.3 to 670 MiB, this is 0.94 of XLA's figure in the
median, 0.56 to 1.18 of it at the ends, and 0.99 to 1.01 where a replay or a data set is most of it.
XLA's is more exact, but it costs a compilation, eleven times the seconds of tracing and walking
together, of which the walk is a small part. So this refuses, and `creative-rl plan --compile` asks
XLA.

The names of primitives below are those of that version: one that a later JAX adds counts as fused.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

from jax.extend.core import Literal

_CALLS = {
    "checkpoint", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call",
    "custom_vjp_call_jaxpr", "jit", "pjit", "remat2", "shard_map",
}  # fmt: skip
_VIEWS = {"expand_dims", "random_unwrap", "random_wrap", "reshape", "squeeze", "stop_gradient"}
_WRITES = {"dynamic_update_slice"}
_REDUCTIONS = {"argmax", "argmin"}
_WHOLE = {
    "cholesky", "concatenate", "conv_general_dilated", "cumlogsumexp", "cummax", "cummin",
    "cumprod", "cumsum", "custom_call", "dot_general", "eigh", "fft", "gather", "lu",
    "pure_callback", "qr", "ragged_dot_general", "random_bits", "random_fold_in", "random_split",
    "reduce_window_sum", "rng_bit_generator", "sort", "svd", "threefry2x32", "top_k",
    "triangular_solve",
}  # fmt: skip
_LOOPS = {"scan", "while"}


@dataclasses.dataclass(eq=False)
class _Value:
    """An array of the program."""

    size: int  # bytes
    parts: tuple["_Value", ...] = ()  # what it is computed from, where it may be fused
    is_view: bool = False  # of its only part
    has_buffer: bool = False
    is_owned: bool = False  # freed after its last use
    last: int = -1  # the last operation that reads it
    behind: tuple["_Value", ...] | None = None


@dataclasses.dataclass(eq=False)
class _Operation:
    """One equation: what it reads, what it makes, and what it needs meanwhile."""

    reads: list[_Value]
    makes: list[_Value]
    in_place: list[tuple[_Value, _Value]] = dataclasses.field(default_factory=list)
    scratch: int = 0

    @property
    def is_run(self) -> bool:
        """Whether it is an operation of its own, and not fused into those that read it."""
        return not self.makes or any(value.has_buffer for value in self.makes)


def peak_bytes(jaxpr: Any, donated: Sequence[bool]) -> int:
    """Most bytes that a `ClosedJaxpr` holds at once, its arguments and results included.

    Args:
      jaxpr: the program.
      donated: for each of its inputs whether its buffer may be used for something else.
    """
    constants = sum(_size(var.aval) for var in jaxpr.jaxpr.constvars)
    inputs = [
        _Value(_size(var.aval), has_buffer=True, is_owned=owned)
        for var, owned in zip(jaxpr.jaxpr.invars, donated, strict=True)
    ]
    return constants + _peak(jaxpr.jaxpr, inputs)


def _peak(jaxpr: Any, inputs: Sequence[_Value], num_returned: int | None = None) -> int:
    """Most bytes in use at once; buffers among the inputs are counted from the start.

    The first `num_returned` results (None for all) need buffers of their own.
    """
    operations: list[_Operation] = []
    results = _flatten(jaxpr, inputs, operations)
    for value in results[:num_returned]:
        _ask_for_buffer(value)
    operations.append(_Operation(reads=results, makes=[]))
    for index, operation in enumerate(operations):
        if operation.is_run:
            for buffer in itertools.chain.from_iterable(map(_buffers, operation.reads)):
                buffer.last = index
        else:  # in this order none of them looks further back than its parts
            for value in operation.makes:
                _buffers(value)
    held = {id(value): value for value in inputs if value.has_buffer}.values()
    live = peak = sum(value.size for value in held)
    dying: dict[int, list[_Value]] = {}
    for value in held:
        dying.setdefault(value.last, []).append(value)
    for index, operation in enumerate(operations):
        made = [value for value in operation.makes if value.has_buffer and value.last > index]
        grown = sum(value.size for value in made)
        peak = max(peak, live + grown + operation.scratch - _reused(operation, index))
        live += grown
        for value in made:
            value.is_owned = True
            dying.setdefault(value.last, []).append(value)
        live -= sum(value.size for value in dying.get(index, ()) if value.is_owned)
    return peak


def _reused(operation: _Operation, index: int) -> int:
    """Bytes of what is made that take the place of something which is read for the last time."""
    total, taken = 0, set()
    for old, new in operation.in_place:
        (buffer,) = _buffers(old) or (None,)
        if buffer is None or not buffer.is_owned or buffer.last != index or buffer in taken:
            continue
        taken.add(buffer)
        total += new.size if new.last >= index else 0
    return total


def _flatten(jaxpr: Any, inputs: Sequence[_Value], operations: list[_Operation]) -> list[_Value]:
    """Append the program's operations, calls among them written out; returns its results."""
    constants = [_Value(_size(var.aval), has_buffer=True) for var in jaxpr.constvars]
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

    def read(atoms: Iterable[Any]) -> list[_Value]:
        return [_Value(0) if isinstance(atom, Literal) else values[atom] for atom in atoms]

    for equation in jaxpr.eqns:
        reads = read(equation.invars)
        if equation.primitive.name in _CALLS:
            makes = _flatten(_called(equation), reads, operations)
        else:
            makes = [_Value(_size(var.aval)) for var in equation.outvars]
            operations.append(_operation(equation, reads, makes))
        values.update(zip(equation.outvars, makes, strict=True))
    return read(jaxpr.outvars)


def _operation(equation: Any, reads: list[_Value], makes: list[_Value]) -> _Operation:
    """An equation that is no call; asks for the buffers that it needs."""
    name, params = equation.primitive.name, equation.params
    operation = _Operation(reads, makes)
    is_reduction = name in _REDUCTIONS or (name.startswith("reduce_") and name not in _WHOLE)
    is_write = name in _WRITES or name.startswith("scatter")
    if name in _LOOPS:
        operation.scratch, operation.in_place = _loop(equation, reads, makes)
    elif name == "cond":
        made = sum(value.size for value in makes)
        branches = [_opened(branch) for branch in params["branches"]]
        peaks = [_peak(branch, _borrowed(len(branch.invars))) for branch in branches]
        operation.scratch = max(0, max(peaks) - made)
    elif is_write:
        operation.in_place = [(reads[0], makes[0])]
    elif not is_reduction and name not in _WHOLE:
        is_view = name in _VIEWS
        is_view |= name == "broadcast_in_dim" and reads[0].size == makes[0].size
        if name == "select_n" and len(set(map(_origin, reads[1:]))) == 1:
            is_view, reads = True, reads[1:2]  # as `vmap` writes what no branch of a cond changes
        for value in makes:
            value.parts, value.is_view = tuple(reads), is_view
        return operation
    for value in makes:
        value.has_buffer = True
    for value in () if is_reduction else reads[: 1 if is_write else None]:
        _ask_for_buffer(value)
    return operation


def _loop(
    equation: Any, reads: Sequence[_Value], makes: Sequence[_Value]
) -> tuple[int, list[tuple[_Value, _Value]]]:
    """What a turn of a loop needs beside what is carried, and what is carried in place."""
    params = equation.params
    if equation.primitive.name == "scan":
        body, num_skipped = _opened(params["jaxpr"]), 0
        # What is sliced has an axis more outside; how the parameters tell it depends on JAX.
        num_carried = _num_whole(equation.outvars, body.outvars)
        num_constants = _num_whole(equation.invars, body.invars) - num_carried
    else:
        body, num_skipped = _opened(params["body_jaxpr"]), params["cond_nconsts"]
        num_constants = params["body_nconsts"]
        num_carried = len(body.outvars)
    given = body.invars[num_constants:]
    carried = [
        _Value(_size(var.aval), has_buffer=True, is_owned=True) for var in given[:num_carried]
    ]
    slices = [_Value(_size(var.aval)) for var in given[num_carried:]]
    inputs = [*_borrowed(num_constants), *carried, *slices]
    scratch = _peak(body, inputs, num_carried) - sum(value.size for value in carried)
    first = num_skipped + num_constants
    return scratch, list(zip(reads[first : first + num_carried], makes, strict=False))


def _borrowed(num: int) -> list[_Value]:
    """Inputs that are counted elsewhere, and stay."""
    return [_Value(0, has_buffer=True) for _ in range(num)]


def _called(equation: Any) -> Any:
    """The jaxpr that a call runs."""
    params = equation.params
    return _opened(
        next(params[name] for name in ("jaxpr", "call_jaxpr", "fun_jaxpr") if name in params)
    )


def _opened(program: Any) -> Any:
    """A jaxpr, also of one with its constants beside it."""
    return getattr(program, "jaxpr", program)


def _num_whole(outside: Sequence[Any], inside: Sequence[Any]) -> int:
    """How many of a loop's variables its body sees whole."""
    pairs = zip(outside, inside, strict=True)
    return sum(len(outer.aval.shape) == len(inner.aval.shape) for outer, inner in pairs)


def _origin(value: _Value) -> _Value:
    """What a view is a view of."""
    while value.is_view:
        (value,) = value.parts
    return value


def _ask_for_buffer(value: _Value) -> None:
    _origin(value).has_buffer = True


def _buffers(value: _Value) -> tuple[_Value, ...]:
    """What is read where `value` is: its own buffer, or those that it is computed from."""
    if value.has_buffer:
        return (value,)
    if value.behind is None:
        found = {id(part): part for parts in map(_buffers, value.parts) for part in parts}
        value.behind = tuple(found.values())
    return value.behind


def _size(aval: Any) -> int:
    return math.prod(aval.shape) * aval.dtype.itemsize
