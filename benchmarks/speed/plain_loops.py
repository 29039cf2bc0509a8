"""The environments as plain Python, one at a time: what the compiled ones are measured against.

Each is written the way tutorials write environments: `step` returns a NumPy observation, or a dict
of them, a reward and whether the episode is over. The rules of music theory, accompaniments and the
bare loop over a window are the reference implementations of the tests, which the environments are
proven against.
"""

import functools
import importlib.util
import pathlib
import random
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np

Observation = np.ndarray | dict[str, np.ndarray]


class PlainEnvironment(Protocol):
    """What the loops need."""

    num_actions: int
    """structured actions are numbered as `wrappers.FlattenActions` does"""

    def reset(self) -> Observation: ...

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


class PlainVariety:
    """The variety of a sliding window, by a `set`; sizes from a `VarietyMelody`."""

    def __init__(self, env: Any):
        self.length, self.window, self.num_actions = env.length, env.window, env.num_pitches

    def reset(self) -> np.ndarray:
        self.time = 0
        self.notes = deque([0] * self.window, maxlen=self.window)
        return np.asarray(self.notes, np.int32)

    def step(self, action: int) -> tuple[np.ndarray, float, bool]:
        self.notes.append(action)
        self.time += 1
        reward = len(set(self.notes)) / self.window
        return np.asarray(self.notes, np.int32), reward, self.time >= self.length


class PlainTarget:
    """A target melody, note by note; sizes and target from a `TargetMelody`."""

    def __init__(self, env: Any):
        self.length, self.num_actions = env.length, env.num_pitches
        self.num_phases = env.num_phases or env.length
        self.target = np.asarray(env.default_params.target).tolist()

    def reset(self) -> np.ndarray:
        self.time = 0
        return np.int32(0)

    def step(self, action: int) -> tuple[np.ndarray, float, bool]:
        reward = float(action == self.target[self.time])
        self.time += 1
        return np.int32(self.time % self.num_phases), reward, self.time >= self.length


class PlainTheory:
    """RL Tuner's rules on plain lists; sizes from a `TheoryMelody`."""

    def __init__(self, env: Any):
        self.length, self.num_actions = env.length, env.action_space.num
        self.twin = _reference("music_theory").TheoryTwin(env.length)

    def reset(self) -> np.ndarray:
        self.twin.reset()
        return np.int32(self.twin.event)

    def step(self, action: int) -> tuple[np.ndarray, float, bool]:
        terms = self.twin.step(action)
        is_over = len(self.twin.events) >= self.length
        return np.int32(self.twin.event), sum(terms.values()), is_over


class PlainGridPath:
    """A walk to the far corner, with its places kept; sizes from a `GridPath`."""

    num_actions = 4
    moves = ((-1, 0), (0, 1), (1, 0), (0, -1))

    def __init__(self, env: Any):
        self.last, self.num_steps = env.size - 1, env.num_steps

    def reset(self) -> np.ndarray:
        self.row = self.column = 0
        self.walk = [(0, 0)]
        return np.array([0, 0], np.int32)

    def step(self, action: int) -> tuple[np.ndarray, float, bool]:
        down, right = self.moves[action]
        self.row = min(max(self.row + down, 0), self.last)
        self.column = min(max(self.column + right, 0), self.last)
        self.walk.append((self.row, self.column))
        arrived = self.row == self.column == self.last
        is_over = arrived or len(self.walk) > self.num_steps
        return np.array(self.walk[-1], np.int32), -0.1 + arrived, is_over


def _twin(module: str, name: str) -> Callable[[Any], PlainEnvironment]:
    """Makes a plain environment of `tests/reference`, whose module is loaded when it does."""
    return lambda env: getattr(_reference(module), name)(env)


def _mood_melody(env: Any) -> PlainEnvironment:
    twin = _reference("music_theory").TheoryTwin(env.length)
    return _reference("affect").PlainMoodMelody(env, twin)


PLAIN: dict[str, Callable[[Any], PlainEnvironment]] = {
    "VarietyMelody": PlainVariety,
    "TargetMelody": PlainTarget,
    "TheoryMelody": PlainTheory,
    "Accompaniment": _twin("accompaniment", "PlainAccompaniment"),
    "MoodAccompaniment": _twin("accompaniment", "PlainMood"),
    "MoodMelody": _mood_melody,
    "Chords": _twin("chords", "PlainChords"),
    "Adaptation": _twin("adaptation", "PlainAdaptation"),
    "Arrangement": _twin("arrangement", "PlainArrangement"),
    "GridPath": PlainGridPath,
}


def plain(env: Any) -> PlainEnvironment:
    """The plain twin of an environment.

    Raises:
      ValueError: there is none.
    """
    name = type(env).__name__
    if name not in PLAIN:
        raise ValueError(f"{name} has no plain loop; there are some for {', '.join(PLAIN)}")
    return PLAIN[name](env)


@functools.cache
def _reference(name: str) -> ModuleType:
    """A module of `tests/reference`, by its place: it belongs to no installed package."""
    path = pathlib.Path(__file__).parents[2] / "tests" / "reference" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"reference_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
