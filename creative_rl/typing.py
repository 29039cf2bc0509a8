"""The types that every layer speaks: keys, time steps, reward terms and learners.

Shapes in this package: `T` time, `B` batch of environments, `A` actions; a function without a
leading `T` or `B` in its annotation is unbatched and meant for `jax.vmap`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Float

Array = jax.Array
Key = jax.Array
"""A PRNG key: typed (`jax.random.key`), consumed once."""
PyTree = Any
Number = float | Float[Array, ""]
"""What changes no program: a Python number, or a float32 scalar."""


def as_key(key: Key) -> Key:
    """Return `key` as a typed key; raw `uint32[2]` keys are wrapped, typed ones pass through."""
    if not hasattr(key, "dtype"):
        raise ValueError(f"a key is made by jax.random.key(seed), got {key!r}")
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return key
    if key.dtype != jnp.uint32 or not key.ndim:
        raise ValueError(f"a key is made by jax.random.key(seed), got {key.dtype}{list(key.shape)}")
    return jax.random.wrap_key_data(key)


class Timestep(flax.struct.PyTreeNode):
    """What an environment shows after `reset` or `step`.

    Only `terminated` cuts the bootstrap of a value; `truncated` ends the episode for reasons that
    are not part of the task (a time limit), so the value of the last observation still counts.
    """

    observation: PyTree
    """Any pytree in the environment's `observation_space`."""
    reward: Array
    """float32 scalar: the weighted sum of the reward terms; zero at reset."""
    terminated: Array
    """bool scalar: the episode ended inside the task."""
    truncated: Array
    """bool scalar: the episode was cut from outside."""
    info: Mapping[str, PyTree]
    """Arrays of constant structure; `info["reward_terms"]` holds each term before its weight."""
    action_mask: Array | None = None
    """bool[A], True = allowed; None where every action is always allowed."""

    @property
    def ended(self) -> Array:
        """bool scalar: the episode is over, for either reason."""
        return self.terminated | self.truncated


class Transition(NamedTuple):
    """One step of an environment, as reward terms see it."""

    state: PyTree
    action: Array
    next_state: PyTree
    params: PyTree


class Candidates(NamedTuple):
    """What may be recommended, as a learner of slates sees it in an observation; `m` candidates.

    From a slate A item i is chosen with probability `scores[i] / (sum of A's scores + nothing)`.
    """

    user: Array
    """float32[U]: features of the user"""
    items: Array
    """float32[m, F]: features of the candidates"""
    scores: Array
    """float32[m], not negative: how much each draws the user"""
    nothing: Array
    """float32 scalar: the score of choosing nothing; 0 where something always is chosen"""
    choice: Array
    """int32 scalar: what was chosen of the slate shown last; 0 nothing, else 1 + its place"""


@dataclasses.dataclass(frozen=True)
class Term:
    """A named part of a reward.

    Attributes:
      name: key under `info["reward_terms"]` and in `params.weights`; unique in an environment.
      fn: pure function of a `Transition`, giving a float32 scalar in the source's own units.
      weight: default factor in the weighted sum.
      source: paper, equation or table that the term comes from.
    """

    name: str
    fn: Callable[[Transition], Array]
    weight: float = 1.0
    source: str = ""


class Policy(NamedTuple):
    """How `act` chooses, in two parts, for what comes in between, such as an ensemble.

    `outputs(state, timestep, memory) -> (outputs, memory)` is unbatched as `act` is: for `Discrete`
    actions logits float32[A], of forbidden ones large and negative.
    `choose(key, outputs) -> action` draws from them, or takes the best, as the learner does.
    """

    outputs: Callable[[PyTree, Timestep, PyTree], tuple[Array, PyTree]]
    choose: Callable[[Key, Array], Array]

    def act(
        self, state: PyTree, key: Key, timestep: Timestep, memory: PyTree
    ) -> tuple[Array, PyTree]:
        """Both parts, as `Learner.act`."""
        outputs, memory = self.outputs(state, timestep, memory)
        return self.choose(key, outputs), memory


class Learner(NamedTuple):
    """A learning algorithm as pure functions, bound to an environment and a config.

    `init(key) -> state` builds one pytree with everything: parameters, optimiser, environment
    states, replay, keys and counters; saving it is an exact checkpoint.
    `update(state) -> (state, metrics)` collects and learns; jit it (donating `state`) or scan it.
    `act(state, key, timestep, memory) -> (action, memory)` is unbatched: one timestep in, one
    action out; `vmap` over keys, timesteps and memories for a batch.
    `init_memory() -> memory` is what `act` starts an episode with (an empty tuple when
    feed-forward).
    `generate(state, key, num) -> works`, of learners that create whole works.
    `steps_per_update` counts environment steps (or training examples) in one update.
    `policy` is `act` in two parts, of learners that have a distribution or values of actions.
    """

    init: Callable[[Key], PyTree]
    update: Callable[[PyTree], tuple[PyTree, dict[str, Array]]]
    act: Callable[[PyTree, Key, Timestep, PyTree], tuple[Array, PyTree]]
    init_memory: Callable[[], PyTree]
    steps_per_update: int
    generate: Callable[[PyTree, Key, int], PyTree] | None = None
    policy: Policy | None = None
