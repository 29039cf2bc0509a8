"""Which axes of a learner's state several devices may share, said by the states themselves.

A field of a `PyTreeNode` with the metadata `PER_ENVIRONMENT` has an axis of environments first in
all its leaves, or storage that environments fill side by side; where a state has a leading axis of
seeds, that comes before. All other fields are as large on every device: parameters, their
optimiser, counters, and whatever a learner without such marks keeps. `partition` reads the marks
of a whole state, `spread` divides what an update makes on its way.
"""

import dataclasses
from typing import Any, cast

import flax.struct
import jax
from jax.sharding import PartitionSpec

from creative_rl.typing import PyTree

POPULATION = "population"
"""The axis of devices that have seeds, or members of a sweep, of their own."""
ENVIRONMENTS = "env"
"""The axis of devices that share the environments of a seed."""
_MARK = "leading_axis"
PER_ENVIRONMENT = {_MARK: ENVIRONMENTS}
"""Metadata of a field with leaves [B, ...] for B environments, or [C, ...] for their storage."""
STACKED = {_MARK: None}
"""Metadata of a field that holds states of its own, stacked along a first axis that no devices
share."""


def partition(state: PyTree, is_batched: bool) -> PyTree:
    """The state's structure with a `PartitionSpec` for every leaf.

    Args:
      state: arrays, or what has their structure.
      is_batched: whether the state has a leading axis of seeds.

    Example:
      >>> class Some(flax.struct.PyTreeNode):
      ...     canvases: Any = flax.struct.field(metadata=PER_ENVIRONMENT)
      ...     weights: Any
      >>> partition(Some(canvases=0, weights=0), is_batched=True).canvases
      P('population', 'env')
    """
    return _partition(state, (POPULATION,) if is_batched else ())


def num_shares() -> int:
    """Devices that share environments in the program that is being traced; 1 where none do."""
    return dict(jax.sharding.get_abstract_mesh().shape).get(ENVIRONMENTS, 1)


def spread(tree: PyTree, axis: int) -> PyTree:
    """The same numbers, divided along `axis` among the devices that share environments.

    It changes nothing where there is one, and leaves whole what does not divide.
    """
    num = num_shares()

    def divide(leaf: jax.Array) -> jax.Array:
        if num == 1 or leaf.shape[axis] % num:
            return leaf
        spec = PartitionSpec(*(None,) * axis, ENVIRONMENTS)
        return jax.lax.with_sharding_constraint(leaf, spec)

    return jax.tree.map(divide, tree)


def _partition(node: PyTree, lead: tuple[str | None, ...]) -> PyTree:
    """Specs of all leaves, the first axes of which are `lead`."""

    def visit(node: Any) -> Any:
        if not isinstance(node, flax.struct.PyTreeNode):
            return PartitionSpec(*lead)
        parts: dict[str, Any] = {}
        for field in dataclasses.fields(cast(Any, node)):
            if field.metadata.get("pytree_node", True):
                more = (field.metadata[_MARK],) if _MARK in field.metadata else ()
                parts[field.name] = _partition(getattr(node, field.name), lead + more)
        return node.replace(**parts)

    return jax.tree.map(visit, node, is_leaf=lambda n: isinstance(n, flax.struct.PyTreeNode))
