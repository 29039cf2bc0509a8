"""What a learner's state holds, told apart by the names of its fields."""

from collections.abc import Mapping
from types import MappingProxyType

import jax

from creative_rl.typing import PyTree

PARAMETERS, OPTIMISER, ENVIRONMENTS = "parameters", "optimiser", "environments"
REPLAY, DATA, REST = "replay", "data", "keys and counters"

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "variables", "target_variables", "best_variables", "mean_variables",
                "target_critics", "generator", "mean_generator", "rollout", "discriminator",
                "reader", "table", "archive",
            ),
            PARAMETERS,
        ),
        **dict.fromkeys(
            (
                "opt_state", "generator_opt_state", "policy_opt_state",
                "discriminator_opt_state",
            ),
            OPTIMISER,
        ),
        **dict.fromkeys(("stream", "memory", "start_state"), ENVIRONMENTS),
        **dict.fromkeys(("replay", "priorities"), REPLAY),
        **dict.fromkeys(("env_params", "sequences", "examples"), DATA),
    }
)  # fmt: skip
"""Which part a field of a learner's state belongs to, with all that is in it. `data` is what
environments read: pictures, melodies, and rewards that learn."""

PARTS = (PARAMETERS, OPTIMISER, ENVIRONMENTS, REPLAY, DATA, REST)


def state_parts(state: PyTree) -> dict[str, int]:
    """Bytes of each of `PARTS`, in that order, of a state or its shapes.

    The outermost field that is in `FIELDS` decides, so a learner within a learner (the policy of
    `spiral`, the members of an ensemble) is counted by its own fields. What no field names is the
    rest.

    Example:
      >>> import jax.numpy as jnp
      >>> parts = state_parts({"variables": jnp.ones(3), "replay": {"reward": jnp.ones(5)}})
      >>> parts["parameters"], parts["replay"], parts["optimiser"]
      (12, 20, 0)
    """
    found = dict.fromkeys(PARTS, 0)
    for path, leaf in jax.tree.leaves_with_path(state):
        part = next((FIELDS[name] for name in map(_name, path) if name in FIELDS), REST)
        found[part] += leaf.size * leaf.dtype.itemsize
    return found


def _name(key: object) -> str:
    """Of a field or a dict's entry; empty for an index."""
    return str(getattr(key, "name", getattr(key, "key", "")))
