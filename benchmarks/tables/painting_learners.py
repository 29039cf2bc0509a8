"""Painters that learn: their settings, their training, and what they paint.

`M` pictures, `S` strokes, `P` numbers of a stroke, `H` and `W` the canvas's height and width.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import creative_rl as crl
from benchmarks import record
from creative_rl.configs import APGConfig, DQNConfig, PPOConfig, SACConfig
from creative_rl.experiment import train
from creative_rl.ops import raster
from creative_rl.typing import Array, Key, Learner, PyTree


class Recipe(NamedTuple):
    """A learner with its settings.

    Attributes:
      name: of its rows.
      learner: of the package.
      config: of the learner; `decay_updates` is set to the training's length where there is one.
      environment: id.
      overrides: of the environment's fields.
      num_updates: of the training.
      num_seeds: how often it is trained.
    """

    name: str
    learner: str
    config: Any
    environment: str
    overrides: Mapping[str, Any]
    num_updates: int
    num_seeds: int

    def __str__(self) -> str:
        changed = {**self.overrides, **record.changed_fields(self.config)}
        settings = [f"{name} {value}" for name, value in changed.items()]
        if hasattr(self.config, "decay_updates"):
            settings.append("decay")
        what = ", ".join([*settings, f"{self.num_updates} updates"])
        return f"creative_rl {self.learner} on {self.environment}, {what}"


_ANALYTIC = APGConfig(hidden_sizes=(512, 256), gamma=1.0, entropy_coef=5e-4)
RECIPES = (
    Recipe(
        "apg for 5 strokes",
        "apg",
        _ANALYTIC,
        "drawing-digits",
        {"differentiable": True, "num_steps": 5},
        num_updates=2_000,
        num_seeds=3,
    ),
    Recipe(
        "apg for 10 strokes",
        "apg",
        _ANALYTIC,
        "drawing-digits",
        {"differentiable": True},
        num_updates=1_500,
        num_seeds=3,
    ),
    Recipe(
        "ppo",
        "ppo",
        PPOConfig(
            num_steps=10,
            hidden_sizes=(256, 256),
            learning_rate=3e-4,
            gamma=0.9,
            entropy_coef=0.0,
        ),
        "drawing-digits",
        {},
        num_updates=2_000,
        num_seeds=1,
    ),
    Recipe(
        "sac",
        "sac",
        SACConfig(
            num_envs=16,
            num_epochs=4,
            batch_size=128,
            replay_size=20_000,
            hidden_sizes=(256, 256),
            gamma=0.9,
            temperature=0.01,
        ),
        "drawing-digits",
        {},
        num_updates=2_000,
        num_seeds=1,
    ),
    Recipe(
        "dqn, strokes of a grid",
        "dqn",
        DQNConfig(
            num_envs=32,
            num_epochs=2,
            replay_size=20_000,
            hidden_sizes=(256, 256),
            gamma=0.9,
            epsilon_steps=50_000,
        ),
        "drawing-copy-pen",
        {"height": 32, "width": 32, "num_steps": 10, "targets": "digits", "num_tools": 2},
        num_updates=5_000,
        num_seeds=1,
    ),
)


class Painter:
    """A recipe's learner, which paints after pictures once it has learned from others."""

    def __init__(self, recipe: Recipe, pictures: Array):
        """`pictures`: uint8[N, H, W, 1] to learn from."""
        config = recipe.config
        if hasattr(config, "decay_updates"):
            config = dataclasses.replace(config, decay_updates=recipe.num_updates)
        self.num_updates = recipe.num_updates
        env = crl.make(recipe.environment, **recipe.overrides)
        self._params = env.default_params.replace(targets=pictures)
        make = getattr(crl.learners, recipe.learner)
        self._learner: Learner = make(env, config, self._params)
        self._init = jax.jit(self._learner.init)
        self._strokes = jax.jit(_player(env, self._learner))

    def train(self, key: Key) -> PyTree:
        """The learner's state at the end."""
        start = self._init(key)
        return train(self._learner, key, self.num_updates, state=start, progress=False).state

    def paint(self, state: PyTree, key: Key, targets: Array) -> Array:
        """Paint after uint8[M, H, W, 1]: the canvases after every stroke, uint8[M, S, H, W, 1]."""
        params = jax.vmap(lambda target: self._params.replace(targets=target[None]))(targets)
        strokes = self._strokes(state, jax.random.split(key, len(targets)), params)
        return redrawn(strokes, *targets.shape[1:3])


def _player(env: Any, learner: Learner) -> Callable[[PyTree, Key, PyTree], Array]:
    """`(learner's state, keys [M], params [M, ...]) -> float32[M, S, P]`: strokes of an episode
    each, as `learner.act` plays it."""

    def play(state: PyTree, key: Key, params: PyTree) -> Array:
        key_reset, key_steps = jax.random.split(key)

        def step(carry: PyTree, key: Key) -> tuple[PyTree, None]:
            env_state, timestep, memory = carry
            key_act, key_step = jax.random.split(key)
            action, memory = learner.act(state, key_act, timestep, memory)
            return (*env.step(key_step, env_state, action, params), memory), None

        start = (*env.reset(key_reset, params), learner.init_memory())
        keys = jax.random.split(key_steps, env.horizon)
        (env_state, _, _), _ = jax.lax.scan(step, start, keys)
        return env.work(env_state, params).strokes

    return jax.vmap(play, (None, 0, 0))


def redrawn(strokes: Array, height: int, width: int) -> Array:
    """The uint8 canvases of float32[M, S, P] after every stroke, from black, [M, S, H, W, 1].

    They are an environment's own; one that is differentiable has floats, which are not rounded
    after every stroke.
    """

    def draw(strokes: Array) -> Array:
        def step(canvas: Array, stroke: Array) -> tuple[Array, Array]:
            canvas = raster.paint(canvas, stroke)
            return canvas, canvas

        return jax.lax.scan(step, jnp.zeros((height, width, 1), jnp.uint8), strokes)[1]

    return jax.jit(jax.vmap(draw))(strokes)
