"""Gymnax environments for our learners, below gymnax's automatic reset: truncation survives."""

import dataclasses
from collections.abc import Hashable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import spaces
from creative_rl.environment import Environment
from creative_rl.interop.construction import fingerprint, require
from creative_rl.registry import unknown_name
from creative_rl.typing import Array, Key, PyTree, Term, Transition


class GymnaxParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, and the gymnax environment's own params."""

    weights: dict[str, Array]
    env: PyTree


class GymnaxState(flax.struct.PyTreeNode):
    """The gymnax state, and what its last step showed."""

    env: PyTree
    observation: PyTree
    reward: Array  # float32
    terminated: Array  # bool
    truncated: Array  # bool


def _gymnax_reward(seen: Transition) -> Array:
    return seen.next_state.reward


GYMNAX_REWARD = Term("reward", _gymnax_reward, source="the gymnax environment")


@dataclasses.dataclass(frozen=True)
class GymnaxSource:
    """A gymnax environment and what identifies it; gymnax's own compare by identity.

    Attributes:
      key: equal for equal dynamics, spaces and params.
      env: the gymnax environment; only `reset_env`, `step_env` and `is_truncated` are called.
      params: its params, as arrays.
      observation_space: in our terms, with the dtypes that it really shows.
      action_space: in our terms.
    """

    key: Hashable
    env: Any = dataclasses.field(compare=False, repr=False)
    params: PyTree = dataclasses.field(compare=False, repr=False)
    observation_space: spaces.Space = dataclasses.field(compare=False, repr=False)
    action_space: spaces.Space = dataclasses.field(compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class GymnaxEnvironment(Environment):
    """A gymnax environment under our contract.

    | | |
    |---|---|
    | id | none: build it with `from_gymnax` |
    | version | 1 |
    | observation, action | the gymnax environment's |
    | reward terms | `reward` (1.0): the gymnax environment's reward |
    | horizon | None: a time limit is not known to be met by every episode |
    | termination | as in gymnax; a time limit truncates |

    Terms of one's own can stand beside `GYMNAX_REWARD`; the gymnax state is
    `transition.state.env`. The gymnax info is not passed on; the work is the last observation.

    Attributes:
      source: the gymnax environment.
    """

    terms: tuple[Term, ...] = (GYMNAX_REWARD,)
    source: GymnaxSource = dataclasses.field(kw_only=True)

    @property
    def observation_space(self) -> spaces.Space:
        return self.source.observation_space

    @property
    def action_space(self) -> spaces.Space:
        return self.source.action_space

    @property
    def default_params(self) -> GymnaxParams:
        return GymnaxParams(self.default_weights, self.source.params)

    def initial_state(self, key: Key, params: GymnaxParams) -> GymnaxState:
        observation, env_state = self.source.env.reset_env(key, params.env)
        never = jnp.bool_(False)
        return GymnaxState(
            _strong(env_state),
            _strong(observation),
            jnp.float32(0),
            terminated=never,
            truncated=never,
        )

    def next_state(
        self, key: Key, state: GymnaxState, action: Array, params: GymnaxParams
    ) -> GymnaxState:
        observation, env_state, reward, terminated, _ = self.source.env.step_env(
            key, state.env, action, params.env
        )
        truncated = jnp.bool_(False)
        if hasattr(self.source.env, "is_truncated"):  # before gymnax 1.0, `terminated` had it
            truncated = self.source.env.is_truncated(env_state, params.env)
        return GymnaxState(
            _strong(env_state),
            _strong(observation),
            jnp.asarray(reward, jnp.float32).reshape(()),
            jnp.asarray(terminated, jnp.bool_).reshape(()),
            jnp.asarray(truncated, jnp.bool_).reshape(()),
        )

    def observe(self, state: GymnaxState, params: GymnaxParams) -> PyTree:
        return state.observation

    def end(self, state: GymnaxState, params: GymnaxParams) -> tuple[Array, Array]:
        return state.terminated, state.truncated

    def work(self, state: GymnaxState, params: GymnaxParams) -> PyTree:
        return state.observation


def from_gymnax(env: Any, params: PyTree = None, **keywords: Any) -> GymnaxEnvironment:
    """Let our learners train on a gymnax environment.

    Give its name: equal names, keywords and params make equal environments, which share one
    compilation. An instance works too; it is compared by its class and attributes.

    Args:
      env: a name that `gymnax.make` knows, or a gymnax environment without wrappers (1.x, or
        0.x, whose `done` counts as terminated).
      params: gymnax params; None for its defaults.
      **keywords: for `gymnax.make`, with a name.

    Raises:
      ImportError: gymnax is not installed.
      ValueError: gymnax does not know the name; `env` is wrapped; or a space has no counterpart.

    Example:
      >>> env = from_gymnax("CartPole-v1")
      >>> env.action_space
      Discrete(2)
      >>> env == from_gymnax("CartPole-v1")
      True
    """
    with jax.ensure_compile_time_eval():  # spaces and params are constants, whoever is tracing
        if isinstance(env, str):
            key: Hashable = (env, _static_key(keywords))
            gymnax = require("gymnax", "gymnax")
            if env not in gymnax.registered_envs:
                known = sorted(gymnax.registered_envs)
                raise ValueError(unknown_name("gymnax environment", env, known))
            env, _ = gymnax.make(env, **keywords)
        else:
            _check_instance(env, keywords)
            key = _instance_key(env)
        given = env.default_params if params is None else params
        source = GymnaxSource(
            key=(key, fingerprint(given)),
            env=env,
            params=jax.tree.map(jnp.asarray, given),
            observation_space=_observation_space(env, given),
            action_space=_action_space(env, given),
        )
    return GymnaxEnvironment(source=source)


def _check_instance(env: Any, keywords: dict[str, Any]) -> None:
    if keywords:
        raise ValueError(f"keywords go with a name, not an instance; got {sorted(keywords)}")
    # On the class: a wrapper forwards the attribute, and what it does in `step` would be lost.
    if not all(hasattr(type(env), name) for name in ("reset_env", "step_env")):
        raise ValueError(
            "from_gymnax takes a gymnax environment that defines reset_env and step_env itself, "
            f"got {type(env).__name__}; hand over the environment inside the wrapper"
        )


def _instance_key(env: Any) -> Hashable:
    """Equal for instances of one class with equal attributes, else only for the same instance."""
    try:
        return type(env), _static_key(vars(env))
    except TypeError:
        return type(env), env


def _static_key(fields: dict[str, Any]) -> Hashable:
    pairs = []
    for name, value in sorted(fields.items()):
        pairs.append((name, value if _is_hashable(value) else fingerprint(value)))
    return tuple(pairs)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _strong(tree: PyTree) -> PyTree:
    """Arrays that are not weakly typed: gymnax states start from Python numbers."""

    def convert(leaf: Any) -> Array:
        leaf = jnp.asarray(leaf)
        if jnp.issubdtype(leaf.dtype, jax.dtypes.extended):  # keys
            return leaf
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(convert, tree)


def _observation_space(env: Any, params: PyTree) -> spaces.Space:
    """Ours, with the dtypes of a real observation (some gymnax spaces declare another)."""
    observation, _ = jax.eval_shape(env.reset_env, jax.random.key(0), params)
    return _space(env.observation_space(params), observation)


def _action_space(env: Any, params: PyTree) -> spaces.Space:
    theirs = env.action_space(params)
    for name in ("low", "high"):
        bound = np.asarray(getattr(theirs, name, 0))
        if bound.min() < bound.max():
            raise ValueError(
                f"{type(env).__name__}: all entries of an action must have one range, got {theirs}"
            )
    return _space(theirs, theirs)


def _space(theirs: Any, example: Any) -> spaces.Space:
    """The space of ours around `theirs`; a `Box` gets the widest of its entries' bounds."""
    known = require("gymnax.environments.spaces", "gymnax")
    if isinstance(theirs, known.Dict):
        parts = theirs.spaces.items()
        return spaces.Dict({name: _space(part, example[name]) for name, part in parts})
    if not isinstance(theirs, (known.Discrete, known.Box)):
        raise ValueError(f"gymnax space {theirs} has no counterpart; Discrete, Box and Dict have")
    if isinstance(theirs, known.Discrete):
        return spaces.Discrete(int(theirs.n), example.dtype)
    low, high = float(np.min(theirs.low)), float(np.max(theirs.high))
    largest = float(np.finfo(np.float32).max)  # gymnax's way to write "unbounded"
    low = -np.inf if low <= -largest else low
    high = np.inf if high >= largest else high
    return spaces.Box(low, high, tuple(theirs.shape), example.dtype)
