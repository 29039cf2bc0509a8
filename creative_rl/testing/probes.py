"""Probe problems: tiny environments whose values and best actions are known.

Each asks for one ability of a learner, so a failure names what is broken: predicting a constant,
reading observations, discounting, choosing, choosing by observation, bootstrapping through a
truncation, remembering, and choosing numbers or several things at once.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import ClassVar

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment
from creative_rl.spaces import Box, Discrete, MultiDiscrete, Space
from creative_rl.testing.trees import require
from creative_rl.typing import Array, Key, Learner, PyTree, Term, Transition

_VALUE_METRICS = ("value_mean", "q_mean")
_LOSS_METRICS = ("value_loss", "loss")


class ProbeState(flax.struct.PyTreeNode):
    """Steps so far, what was drawn at the start, and the last action."""

    step: Array  # int32
    draw: Array  # of the probe's `drawn_from`
    action: Array  # of its action space; zeros at the start


class ProbeParams(flax.struct.PyTreeNode):
    """Weight of the one reward term."""

    weights: dict[str, Array]


def _reward(fn: Callable[[Transition], Array]) -> tuple[Term, ...]:
    return (Term("reward", lambda seen: fn(seen).astype(jnp.float32), source="probe problem"),)


@dataclasses.dataclass(frozen=True)
class Probe(Environment):
    """Base of the probes: a uniform draw at the start, two actions, and `num_steps` steps."""

    drawn_from: ClassVar[Space] = Discrete(2)
    """What the draw at the start is from."""
    num_steps: ClassVar[int] = 1
    best_return: ClassVar[float] = 1.0
    """What the best policy gets in an episode, undiscounted."""

    @abc.abstractmethod
    def mean_value(self, gamma: float) -> float | None:
        """The mean over an episode's steps of the value; None where it depends on the policy."""

    @property
    def action_space(self) -> Space:
        return Discrete(2)

    @property
    def default_params(self) -> ProbeParams:
        return ProbeParams(self.default_weights)

    @property
    def horizon(self) -> int:
        return self.num_steps

    def initial_state(self, key: Key, params: ProbeParams) -> ProbeState:
        return ProbeState(jnp.int32(0), self.drawn_from.sample(key), self.action_space.zeros())

    def next_state(
        self, key: Key, state: ProbeState, action: Array, params: ProbeParams
    ) -> ProbeState:
        return ProbeState(state.step + 1, state.draw, action)

    def work(self, state: ProbeState, params: ProbeParams) -> dict[str, Array]:
        return {"last_action": state.action}


@dataclasses.dataclass(frozen=True)
class ConstantProbe(Probe):
    """One observation, reward 1, one step: the value is 1."""

    terms: tuple[Term, ...] = _reward(lambda seen: jnp.ones_like(seen.action))

    @property
    def observation_space(self) -> Space:
        return Discrete(1)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return jnp.int32(0)

    def mean_value(self, gamma: float) -> float:
        return 1.0


@dataclasses.dataclass(frozen=True)
class ObservationProbe(Probe):
    """Observation -1 or +1, which is the reward, one step: the value is the observation.

    The mean value is 0 also for a learner that reads nothing; its value loss stays at 1/2 or 1.
    """

    best_return: ClassVar[float] = 0.0
    terms: tuple[Term, ...] = _reward(lambda seen: 2 * seen.state.draw - 1)

    @property
    def observation_space(self) -> Space:
        return Box(-1.0, 1.0, (1,))

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return (2 * state.draw - 1).astype(jnp.float32)[None]

    @property
    def num_states(self) -> int:
        return 2

    def state_index(self, observation: Array) -> Array:
        return (observation[0] > 0).astype(jnp.int32)

    def mean_value(self, gamma: float) -> float:
        return 0.0


@dataclasses.dataclass(frozen=True)
class DiscountProbe(Probe):
    """Two steps that can be told apart, reward 1 at the last: the values are gamma and 1."""

    num_steps: ClassVar[int] = 2
    terms: tuple[Term, ...] = _reward(lambda seen: seen.state.step == 1)

    @property
    def observation_space(self) -> Space:
        return Discrete(3)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return jnp.minimum(state.step, 2)

    def mean_value(self, gamma: float) -> float:
        return (gamma + 1.0) / 2


@dataclasses.dataclass(frozen=True)
class ActionProbe(Probe):
    """One observation, one step, reward 1 for action 1 and 0 for action 0."""

    terms: tuple[Term, ...] = _reward(lambda seen: seen.action == 1)

    @property
    def observation_space(self) -> Space:
        return Discrete(1)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return jnp.int32(0)

    def mean_value(self, gamma: float) -> None:
        return None


@dataclasses.dataclass(frozen=True)
class MatchProbe(Probe):
    """Two observations, one step, reward 1 for the action that equals the observation."""

    terms: tuple[Term, ...] = _reward(lambda seen: seen.action == seen.state.draw)

    @property
    def observation_space(self) -> Space:
        return Discrete(2)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return state.draw

    def mean_value(self, gamma: float) -> None:
        return None


@dataclasses.dataclass(frozen=True)
class TruncationProbe(Probe):
    """One observation, reward 1 for ever, truncated every 4 steps: the value is 1 / (1 - gamma).

    A learner that takes a truncation for an end finds 1 / (1 - 3/4 gamma).
    """

    num_steps: ClassVar[int] = 4
    best_return: ClassVar[float] = 4.0
    terms: tuple[Term, ...] = _reward(lambda seen: jnp.ones_like(seen.action))

    @property
    def observation_space(self) -> Space:
        return Discrete(1)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return jnp.int32(0)

    def end(self, state: ProbeState, params: ProbeParams) -> tuple[Array, Array]:
        return jnp.bool_(False), state.step >= self.num_steps

    def mean_value(self, gamma: float) -> float:
        return 1.0 / (1.0 - gamma)


@dataclasses.dataclass(frozen=True)
class MemoryProbe(Probe):
    """The first observation, 1 or 2, tells which action is right two steps later.

    Without memory the best return is 1/2.
    """

    num_steps: ClassVar[int] = 3
    terms: tuple[Term, ...] = _reward(
        lambda seen: (seen.state.step == 2) & (seen.action == seen.state.draw)
    )

    @property
    def observation_space(self) -> Space:
        return Discrete(3)

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return jnp.where(state.step == 0, 1 + state.draw, 0)

    def mean_value(self, gamma: float) -> None:
        return None


@dataclasses.dataclass(frozen=True)
class BoxMatchProbe(Probe):
    """Two numbers to answer with the same: reward 1 - the mean squared difference, one step.

    Actions reach twice as far as observations. The best fixed action gets 2/3; a policy that is
    right on average gets 1 less its variance.
    """

    drawn_from: ClassVar[Space] = Box(-1.0, 1.0, (2,))
    terms: tuple[Term, ...] = _reward(
        lambda seen: 1.0 - jnp.square(seen.action - seen.state.draw).mean()
    )

    @property
    def observation_space(self) -> Space:
        return self.drawn_from

    @property
    def action_space(self) -> Space:
        return Box(-2.0, 2.0, (2,))

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return state.draw

    def mean_value(self, gamma: float) -> None:
        return None


@dataclasses.dataclass(frozen=True)
class MultiMatchProbe(Probe):
    """Two entries to answer with the same: reward 1 where both are right, one step.

    The best fixed action gets 1/6. A policy that chooses entries apart can be perfect.
    """

    drawn_from: ClassVar[Space] = MultiDiscrete((2, 3))
    terms: tuple[Term, ...] = _reward(lambda seen: (seen.action == seen.state.draw).all())

    @property
    def observation_space(self) -> Space:
        return self.drawn_from

    @property
    def action_space(self) -> Space:
        return self.drawn_from

    def observe(self, state: ProbeState, params: ProbeParams) -> Array:
        return state.draw

    def mean_value(self, gamma: float) -> None:
        return None


VALUE_PROBES = (ConstantProbe(), ObservationProbe(), DiscountProbe(), TruncationProbe())
ACTION_PROBES = (ActionProbe(), MatchProbe())
MEMORY_PROBES = (MemoryProbe(),)
"""For recurrent learners only."""
BOX_PROBES = (BoxMatchProbe(),)
"""For learners of continuous actions."""
MULTI_PROBES = (MultiMatchProbe(),)
"""For learners of `MultiDiscrete` actions."""


def check_solves(
    make_learner: Callable[[Probe], Learner],
    probe: Probe,
    *,
    gamma: float,
    num_updates: int,
    tolerance: float = 0.1,
    seed: int = 0,
) -> None:
    """Train on a probe and compare with what is known.

    The policy is measured through `act`; values through the metrics `value_mean` or `q_mean`,
    and `value_loss` or `loss`, where the learner reports them: the returns of a value probe are
    certain, so that with the right values the loss is zero.

    Args:
      make_learner: builds the learner for a probe.
      probe: one of `VALUE_PROBES` and `ACTION_PROBES`, of `MEMORY_PROBES` with memory, or of
        `BOX_PROBES` and `MULTI_PROBES` for such actions.
      gamma: the learner's discount; 0.5 separates right values from wrong ones well.
      num_updates: updates to train for, in one compiled scan.
      tolerance: of the mean value, the root of the loss, and the share of the best return.
      seed: of the learner.

    Raises:
      AssertionError: with the known and the found number.
    """
    learner = make_learner(probe)
    key_train, key_play = jax.random.split(jax.random.key(seed))
    state, metrics = jax.jit(_train, static_argnums=(0, 2))(learner, key_train, num_updates)
    value = probe.mean_value(gamma)
    if value is not None:
        _check_value(type(probe).__name__, metrics, value, tolerance)
        return
    play = jax.jit(_mean_return, static_argnums=(0, 1))
    found = float(play(learner, probe, state, key_play))
    require(
        found >= probe.best_return - tolerance,
        f"{type(probe).__name__}: the best return is {probe.best_return}, but the policy gets "
        f"{found:.3f}.",
    )


def _check_value(name: str, metrics: dict[str, Array], value: float, tolerance: float) -> None:
    reported = [metric for metric in (*_VALUE_METRICS, *_LOSS_METRICS) if metric in metrics]
    require(
        reported,
        f"{name}: values are compared through a metric, one of {_VALUE_METRICS + _LOSS_METRICS}, "
        f"but the learner reports {sorted(metrics)}.",
    )
    for metric in reported:
        found = float(metrics[metric])
        if metric in _VALUE_METRICS:
            require(
                abs(found - value) <= tolerance,
                f"{name}: the mean value is {value:.3f}, but {metric} is {found:.3f}.",
            )
        else:
            require(
                found <= tolerance**2,
                f"{name}: the returns are certain, but {metric} stays at {found:.4f}.",
            )


def _train(learner: Learner, key: Key, num_updates: int) -> tuple[PyTree, dict[str, Array]]:
    """The state after training, and each metric's mean over the last tenth of the updates."""
    state, metrics = jax.lax.scan(
        lambda state, _: learner.update(state), learner.init(key), length=num_updates
    )
    last = -max(num_updates // 10, 1)
    return state, jax.tree.map(lambda values: values[last:].mean(), metrics)


def _mean_return(learner: Learner, env: Probe, state: PyTree, key: Key) -> Array:
    """The mean over 128 episodes of `act`'s undiscounted return."""
    params = env.default_params

    def episode(key: Key) -> Array:
        key_reset, key_steps = jax.random.split(key)
        env_state, timestep = env.reset(key_reset, params)

        def step(carry, keys):
            env_state, timestep, memory = carry
            action, memory = learner.act(state, keys[0], timestep, memory)
            env_state, timestep = env.step(keys[1], env_state, action, params)
            return (env_state, timestep, memory), timestep.reward

        keys = jax.random.split(key_steps, (env.num_steps, 2))
        _, rewards = jax.lax.scan(step, (env_state, timestep, learner.init_memory()), keys)
        return rewards.sum()

    return jax.vmap(episode)(jax.random.split(key, 128)).mean()
