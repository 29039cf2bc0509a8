"""One code path from one device to many: which device has which part of a learner's state.

The devices make a mesh of two axes. Along `population` each has seeds of its own, which never
speak to each other; along `env` they share the environments of a seed, and what is learned is
summed over all of them. What a state says of its axes (`creative_rl.axes`) is how it lies on them;
the rest is as large on every device. Results are those of one device: the same bits where only
seeds are divided, two or more to a device, and the compiler rounds alike; and up to the order of
sums where a device has one seed, or environments are divided.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from creative_rl import axes
from creative_rl.experiment.sizes import whole_number
from creative_rl.typing import Array, Key, Learner, PyTree


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where a learner's state lies; hashable, so that programs are compiled once for each.

    Attributes:
      mesh: of devices, [population, env].
      structure: of the state.
      specs: of its leaves, the mesh's axes that divide them.
    """

    mesh: Mesh
    structure: Any
    specs: tuple[PartitionSpec, ...]

    @property
    def state(self) -> PyTree:
        """A `NamedSharding` for every leaf of the state."""
        return jax.tree.unflatten(
            self.structure, [NamedSharding(self.mesh, spec) for spec in self.specs]
        )

    @property
    def everywhere(self) -> NamedSharding:
        """Whole on every device, so that any process can read it."""
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def num_population(self) -> int:
        """Devices, or groups of them, with seeds of their own."""
        return self.mesh.shape[axes.POPULATION]

    @property
    def num_env(self) -> int:
        """Devices that share the environments of a seed."""
        return self.mesh.shape[axes.ENVIRONMENTS]

    @property
    def num_local(self) -> int:
        """Devices of this process."""
        return len(self.mesh.local_devices)

    @property
    def one_call_at_a_time(self) -> bool:
        """Whether two calls must never be under way at once: on a processor, and where processes
        speak to each other, calls that overtake each other wait for ever."""
        is_cpu = self.mesh.devices.flat[0].platform == "cpu"
        return self.mesh.size > 1 and (is_cpu or jax.process_count() > 1)

    def num_shards(self, spec: PartitionSpec) -> int:
        """Parts that a leaf is cut into."""
        return math.prod(self.mesh.shape[axis] for axis in spec if axis is not None)

    def template(self, state: PyTree) -> PyTree:
        """Shapes, dtypes and places of a state, to read a checkpoint by."""
        return jax.tree.map(
            lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
            state,
            self.state,
        )


def place(
    learner: Learner,
    num_members: int | None,
    devices: int | None,
    start: Callable[[Key], PyTree] | None = None,
) -> Placement | None:
    """Divide a learner's state: seeds first, which costs no communication, else environments.

    Args:
      learner: what to train.
      num_members: learners trained side by side; None for one alone.
      devices: how many; None for all of a job of several processes, else one.
      start: what makes the state from the members' keys, instead of `learner.init`.

    Returns:
      None where one device does everything, on the plain path.

    Raises:
      ValueError: there are not as many devices, or what they would share does not divide.
    """
    if jax.process_count() > 1:
        if devices not in (None, jax.device_count()):
            raise ValueError(
                f"train: a job of {jax.process_count()} processes computes on all its "
                f"{jax.device_count()} devices, got devices={devices}; leave it out"
            )
        devices = jax.device_count()
    devices = 1 if devices is None else whole_number("train: devices", devices)
    if devices > jax.device_count():
        raise ValueError(
            f"train: devices must be at most {jax.device_count()}, which is what JAX has here, got "
            f"{devices}; on a processor jax.config.update('jax_num_cpu_devices', {devices}) before "
            "JAX's first call makes as many"
        )
    return None if devices == 1 else on_mesh(learner, num_members, devices, start)


def on_mesh(
    learner: Learner,
    num_members: int | None,
    devices: int,
    start: Callable[[Key], PyTree] | None = None,
) -> Placement:
    """As `place`, with a mesh of one device too."""
    num_population = math.gcd(num_members or 1, devices)
    shape = (num_population, devices // num_population)
    mesh = jax.make_mesh(
        shape,
        (axes.POPULATION, axes.ENVIRONMENTS),
        axis_types=(AxisType.Auto,) * 2,
        devices=jax.devices()[:devices],
    )
    state = jax.eval_shape(make_init(learner, num_members, start), key_shapes(num_members))
    marks = axes.partition(state, num_members is not None)
    specs = jax.tree.leaves(marks, is_leaf=lambda node: isinstance(node, PartitionSpec))
    placement = Placement(mesh, jax.tree.structure(state), tuple(specs))
    _check_divides(placement, state, num_members)
    return placement


def put(tree: PyTree, places: PyTree) -> PyTree:
    """Arrays of this process where `places`, shardings, want them; all processes have the same."""

    def move(leaf: Array, sharding: NamedSharding) -> Array:
        if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.device_put(leaf, sharding)
        numbers = jax.device_put(jax.random.key_data(leaf), sharding)  # JAX moves no keys abroad
        return jax.random.wrap_key_data(numbers, impl=jax.random.key_impl(leaf))

    return jax.tree.map(move, tree, places)


def make_init(
    learner: Learner, num_members: int | None, start: Callable[[Key], PyTree] | None = None
) -> Callable[[Key], PyTree]:
    """What makes the state of all members from their keys."""
    return start or (learner.init if num_members is None else jax.vmap(learner.init))


def key_shapes(num_members: int | None) -> jax.ShapeDtypeStruct:
    """The shape of one key, or of those of all members."""
    one = jax.eval_shape(jax.random.key, 0)
    return jax.ShapeDtypeStruct(() if num_members is None else (num_members,), one.dtype)


def _check_divides(placement: Placement, state: PyTree, num_members: int | None) -> None:
    """Refuse axes of which the devices would get unequal parts."""
    leaves = jax.tree.leaves_with_path(state)
    for (path, leaf), spec in zip(leaves, placement.specs, strict=True):
        axis = len(spec) - 1
        if axes.ENVIRONMENTS in spec and leaf.shape[axis] % placement.num_env:
            name = jax.tree_util.keystr(path, simple=True, separator="/")
            seeds = "" if num_members is None else f" of {num_members} seeds"
            raise ValueError(
                "train: devices must divide the seeds, or num_envs and the replay that it fills: "
                f"{placement.num_env} devices cannot share {leaf.shape[axis]} rows ({name})"
                f"{seeds}; choose a num_envs that is a multiple, or other devices"
            )
