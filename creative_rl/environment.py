"""The environment contract: a core that never resets itself.

A subclass gives the rules (`initial_state`, `next_state`, `observe`, `work`, and `end` where it has
no horizon); this base composes them into `reset` and `step`, sums the reward terms and makes
terminal states absorb.
"""

import abc
import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from creative_rl.spaces import Dict, Space
from creative_rl.typing import Array, Candidates, Key, PyTree, Term, Timestep, Transition, as_key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment(abc.ABC):
    """Base of all environments: a frozen, hashable description of shapes and control flow.

    Fields are given by keyword; decorate a subclass with
    `@dataclasses.dataclass(frozen=True, kw_only=True)`.

    Numbers and data (reward weights, targets, corpora) belong in `params`, a pytree with a
    `weights` dict keyed by term name: changing it never recompiles, and it can be vmapped.

    Attributes:
      terms: the named reward terms; the reward is their sum, weighted by `params.weights`.
    """

    terms: tuple[Term, ...] = ()

    version: ClassVar[int] = 1
    """Changes only when behaviour does; every run records it."""

    def __post_init__(self):
        names = [term.name for term in self.terms]
        if len(set(names)) < len(names):
            raise ValueError(
                f"{type(self).__name__}: reward terms must have distinct names, got {names}"
            )

    # What a subclass defines.

    @property
    @abc.abstractmethod
    def observation_space(self) -> Space: ...

    @property
    @abc.abstractmethod
    def action_space(self) -> Space: ...

    @property
    @abc.abstractmethod
    def default_params(self) -> PyTree:
        """Params with every term at its default weight."""

    @property
    def horizon(self) -> int | None:
        """Steps in every episode where that is fixed, else None."""
        return None

    @property
    def differentiable(self) -> bool:
        """Whether gradients flow from rewards to actions; a subclass may make it a field."""
        return False

    @abc.abstractmethod
    def initial_state(self, key: Key, params: PyTree) -> PyTree: ...

    @abc.abstractmethod
    def next_state(self, key: Key, state: PyTree, action: Array, params: PyTree) -> PyTree: ...

    @abc.abstractmethod
    def observe(self, state: PyTree, params: PyTree) -> PyTree: ...

    @abc.abstractmethod
    def work(self, state: PyTree, params: PyTree) -> PyTree:
        """The artefact so far, at any step: a pytree from `creative_rl.works`."""

    def end(self, state: PyTree, params: PyTree) -> tuple[Array, Array]:
        """Whether `state` is `(terminated, truncated)`, as bool scalars.

        By default it is terminated once its `step` has reached the horizon; an environment without
        a horizon overrides this.

        Raises:
          ValueError: it does not, or the state has no `step`.
        """
        if self.horizon is None or not hasattr(state, "step"):
            raise ValueError(
                f"{type(self).__name__}: define end, or a horizon and a state with the field step"
            )
        return state.step >= self.horizon, jnp.bool_(False)

    def action_mask(self, state: PyTree, params: PyTree) -> Array | None:
        """bool[A], True = allowed; None (the default) where all actions always are."""
        return None

    @property
    def num_states(self) -> int | None:
        """Rows of a table over the observations, for tabular learners; None (the default) where
        the environment does not number them. `Discrete` observations are numbers as they are."""
        return None

    def state_index(self, observation: PyTree) -> Array:
        """int32 in `0 .. num_states - 1`: the row of an observation, told from it alone."""
        raise ValueError(f"{type(self).__name__} does not number its observations")

    def candidates(self, observation: PyTree, params: PyTree) -> Candidates:
        """What an observation tells of the items to recommend, for learners of slates.

        Its choice is that of the step which led to the observation. Actions are places of the
        candidates, `MultiDiscrete` with one entry for every place of a slate, or `Discrete`.
        """
        raise ValueError(f"{type(self).__name__} has no candidates to recommend")

    def rule_action(self, observation: PyTree) -> Array:
        """The action that a rule of the environment's own answers to an observation.

        A baseline, and something to start from; `learners.rule_policy` plays it.
        """
        raise ValueError(f"{type(self).__name__} has no rule to act by")

    @property
    def rule_sees(self) -> tuple[str, ...]:
        """Entries of a `Dict` observation that are there for `rule_action` alone, none by default:
        who imitates the rule does without them."""
        return ()

    # What generative learners ask for; an environment need not have it.

    def examples(self, params: PyTree) -> Array:
        """uint8[M, H, W, C]: pictures to learn from, in the form of `appearance` times 255."""
        raise ValueError(
            f"{type(self).__name__} has no examples to learn from; give some: "
            "examples=..., or --corpus on the command line where the learner takes it"
        )

    def appearance(self, state: PyTree, params: PyTree) -> Array:
        """float32[H, W, C] in 0..1: what a discriminator sees of the work so far."""
        raise ValueError(f"{type(self).__name__} has no picture of its works to judge")

    def relaxed_appearance(self, actions: Array, params: PyTree) -> Array:
        """`appearance` after actions from the start on, differentiable with respect to them.

        Actions are [T, ...] of a `Box`, or float32[T, A] probabilities of a `Discrete` space.
        """
        raise ValueError(f"{type(self).__name__} has no gradients from its picture to its actions")

    # What every environment shares.

    @property
    def default_weights(self) -> dict[str, Array]:
        """float32 scalars by term name, for `default_params`."""
        return {term.name: jnp.float32(term.weight) for term in self.terms}

    def reset(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        """Start an episode. The key may be typed or raw."""
        state = self.initial_state(as_key(key), params)
        reward_terms = {term.name: jnp.float32(0) for term in self.terms}
        return state, self._timestep(state, params, jnp.float32(0), reward_terms)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        """Step without asking whether the episode is over.

        What rollouts that never step past the end use; `step` is the safe form.

        Raises:
          ValueError: `params.weights` are not those of the terms, or the action has another shape
            than those of the action space.
        """
        action = self._checked(action)
        next_state = self.next_state(as_key(key), state, action, params)
        seen = Transition(state, action, next_state, params)
        reward_terms = {term.name: term.fn(seen) for term in self.terms}
        if params.weights.keys() != reward_terms.keys():
            raise ValueError(
                f"{type(self).__name__}: params.weights must have one number for every reward "
                f"term, {', '.join(reward_terms)}; got {', '.join(params.weights)}"
            )
        reward = jnp.float32(0)
        for name, value in reward_terms.items():
            reward += params.weights[name] * value
        return next_state, self._timestep(next_state, params, reward, reward_terms)

    def step(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        """Take `action`. A terminal state absorbs: it returns itself, with zero reward."""
        return absorbing_step(self, key, state, action, params)

    def update_params(self, params: PyTree, timesteps: Timestep) -> PyTree:
        """Params for what comes next, after the steps that led to `timesteps` (leaves [T, B]).

        Learners call it between updates; by default the params stay as they are.
        """
        return params

    def _checked(self, action: Array) -> Array:
        """One action as an array; its values are not looked at."""
        action, space = jnp.asarray(action), self.action_space
        if not isinstance(space, Dict) and action.shape != space.shape:
            raise ValueError(
                f"{type(self).__name__}: an action of {space} has the shape {space.shape}, got "
                f"{action.shape}; give one such action, and vmap over batches"
            )
        return action

    def _timestep(
        self, state: PyTree, params: PyTree, reward: Array, reward_terms: dict[str, Array]
    ) -> Timestep:
        terminated, truncated = self.end(state, params)
        return Timestep(
            observation=self.observe(state, params),
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            info={"reward_terms": reward_terms},
            action_mask=self.action_mask(state, params),
        )


def absorbing_step(
    env: Any, key: Key, state: PyTree, action: Array, params: PyTree
) -> tuple[PyTree, Timestep]:
    """`env.transition`, except that a state past the end stays, with zero reward and info."""
    terminated, truncated = env.end(state, params)
    next_state, timestep = env.transition(key, state, action, params)
    stayed = Timestep(
        observation=env.observe(state, params),
        reward=jnp.zeros_like(timestep.reward),
        terminated=terminated,
        truncated=truncated,
        info=jax.tree.map(jnp.zeros_like, timestep.info),
        action_mask=env.action_mask(state, params),
    )
    over = terminated | truncated
    return jax.tree.map(
        lambda stay, go: jnp.where(over, stay, go), (state, stayed), (next_state, timestep)
    )


def start_params(env: Any, params: PyTree | None) -> PyTree:
    """What a run starts from: a copy of `params`, or of the environment's defaults where None.

    A learner's state is donated, so nothing in it may be anybody else's.
    """
    return jax.tree.map(jnp.copy, env.default_params if params is None else params)


def check_whole(name: str, field: str, value: Any, low: int, high: int, why: str = "") -> None:
    """Refuse what is no whole number in `low..high`, for `__post_init__`.

    >>> check_whole("Chords", "length", 1, 2, 256)
    Traceback (most recent call last):
    ValueError: Chords: length must be a whole number in 2..256, got 1

    Args:
      name: whose the field is.
      field: its name.
      value: what was given.
      low: least number.
      high: greatest number.
      why: what explains the range, written after it, with a space before it.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(
            f"{name}: {field} must be a whole number in {low}..{high}{why}, got {value!r}"
        )


def check_number(name: str, field: str, value: Any, low: float, high: float) -> None:
    """As `check_whole`, for numbers of any kind in `low..high`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name}: {field} must be a number in {low:g}..{high:g}, got {value!r}")
