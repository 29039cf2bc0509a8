"""The environments as plain Python, one at a time: what the compiled ones are measured against.

Each is written the way tutorials write environments: `step` returns a NumPy observation, or a dict
of them, a reward and whether the episode is over. They are the reference implementations of the
tests, `tests/reference`, which the environments are proven against.
"""

import importlib
import pathlib
import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np

Observation = np.ndarray | dict[str, np.ndarray]
_TESTS = pathlib.Path(__file__).parents[2] / "tests"


class PlainEnvironment(Protocol):
    """What the loops need."""

    num_actions: int
    """structured actions are numbered as `wrappers.FlattenActions` does"""

    def reset(self) -> Observation: ...

    def start(self, state: Any) -> Observation: ...

    def foresee(self, after: Any) -> None: ...

    def step(self, action: int) -> tuple[Observation, float, bool]: ...


class Played(NamedTuple):
    """What a loop did."""

    steps: int
    returns: list[float]  # of every episode


def play(env: PlainEnvironment, num_episodes: int, seed: int) -> Played:
    """Whole episodes of uniformly random actions."""
    generator = np.random.default_rng(seed)
    steps, returns = 0, []
    for _ in range(num_episodes):
        env.reset()
        total, is_over = 0.0, False
        while not is_over:
            _, reward, is_over = env.step(int(generator.integers(env.num_actions)))
            total += reward
            steps += 1
        returns.append(total)
    return Played(steps, returns)


def stretches(num_steps: int) -> Callable[[PlainEnvironment, int, int], Played]:
    """As `play`, in stretches of `num_steps` steps from a reset on, episode after episode."""

    def play_on(env: PlainEnvironment, num_stretches: int, seed: int) -> Played:
        generator = np.random.default_rng(seed)
        returns = []
        for _ in range(num_stretches):
            env.reset()
            total = 0.0
            for _ in range(num_steps):
                _, reward, is_over = env.step(int(generator.integers(env.num_actions)))
                total += reward
                if is_over:
                    env.reset()
            returns.append(total)
        return Played(num_stretches * num_steps, returns)

    return play_on


def play_bare_variety(env: Any, num_episodes: int, seed: int) -> Played:
    """The leanest loop for the variety of a window: no observation, one draw an episode."""
    rewards = _reference("variety").variety_rewards
    generator, pitches = random.Random(seed), range(env.num_pitches)
    returns = [
        sum(rewards(generator.choices(pitches, k=env.length), env.window))
        for _ in range(num_episodes)
    ]
    return Played(num_episodes * env.length, returns)


def plain(env: Any) -> PlainEnvironment:
    """The plain twin of an environment: `Plain<Class>` in `tests/reference/<module>.py`.

    Raises:
      ValueError: there is none.
    """
    module, name = type(env).__module__.rpartition(".")[2], f"Plain{type(env).__name__}"
    twin = getattr(_reference(module), name, None) if is_written(module) else None
    if twin is None:
        raise ValueError(
            f"{type(env).__name__} has no plain loop: {name} in tests/reference/{module}.py"
        )
    return twin(env)


def is_written(module: str) -> bool:
    """Whether the environments of a module of `creative_rl.envs` have plain twins."""
    return (_TESTS / "reference" / f"{module}.py").exists()


def _reference(name: str) -> ModuleType:
    """A module of `tests/reference`, by its place: it belongs to no installed package."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    return importlib.import_module(f"reference.{name}")
