"""Learners that draw digits: their settings, their training, and what they draw."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import creative_rl as crl
from benchmarks.tables.painting_learners import Recipe
from creative_rl.configs import DQNGANConfig, GANConfig, SpiralConfig, VAEConfig
from creative_rl.corpora import digits
from creative_rl.experiment import train
from creative_rl.typing import Array, Key, Learner, PyTree

NUM_SEEDS = 5
QUICK_SHARE = 0.01
"""Of the updates, in a quick run."""

_PIXELS = {"height": digits.SIDE, "width": digits.SIDE}
_STROKES = {**_PIXELS, "channels": 1, "background": 0.0, "max_radius": 0.25}
RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "gan",
        "gan",
        GANConfig(
            batch_size=128,
            num_steps=10,
            network="mlp",
            latent_size=16,
            loss="wasserstein",
            penalty="interpolated",
            augment=True,
            num_probes=6,
            penalty_coef=5.0,
            augment_share=0.2,
            learning_rate=3e-4,
            discriminator_learning_rate=1e-3,
            adam_beta1=0.0,
        ),
        "drawing-pixels",
        _PIXELS,
        num_updates=900,
        num_seeds=NUM_SEEDS,
    ),
    Recipe(
        "vae",
        "vae",
        VAEConfig(batch_size=128, num_steps=10, network="mlp", num_probes=6, beta=0.25),
        "drawing-pixels",
        _PIXELS,
        num_updates=800,
        num_seeds=NUM_SEEDS,
    ),
    Recipe(
        "spiral, 5 strokes",
        "spiral",
        SpiralConfig(num_envs=128, num_steps=5, num_probes=6, learning_rate=5e-4, gamma=1.0),
        "drawing-style",
        {**_STROKES, "num_steps": 5},
        num_updates=600,
        num_seeds=NUM_SEEDS,
    ),
    Recipe(
        "dqn_gan, 4 strokes",
        "dqn_gan",
        DQNGANConfig(
            content_length=4,
            num_steps=1,
            num_epochs=1,
            gan_batch_size=128,
            generator_learning_rate=3e-4,
            discriminator_learning_rate=1e-3,
            penalty_coef=0.3,
            instruction_coef=0.1,
            environment_weight=0.0,
            learning_starts=500,
        ),
        "drawing-free",
        {**_STROKES, "num_steps": 4},
        num_updates=800,
        num_seeds=NUM_SEEDS,
    ),
)
SHORT_RECIPES = tuple(
    recipe._replace(num_updates=max(1, round(recipe.num_updates * QUICK_SHARE)), num_seeds=1)
    for recipe in RECIPES
)


class Generator:
    """A recipe's learner, in one compiled program for all sets of pictures of one size."""

    def __init__(self, recipe: Recipe):
        self.num_updates = recipe.num_updates
        env = crl.make(recipe.environment, **recipe.overrides)
        config = recipe.config
        if hasattr(config, "decay_updates"):
            config = dataclasses.replace(config, decay_updates=recipe.num_updates)
        make = getattr(crl.learners, recipe.learner)
        params = env.default_params

        def init(key: Key, pictures: Array) -> PyTree:
            return make(env, config, params.replace(targets=pictures)).init(key)

        self._init = jax.jit(init)
        # What it learns from is in its state: these are of one learner whatever `init` was given.
        self._learner: Learner = make(env, config, params)
        self._generate = jax.jit(self._learner.generate, static_argnums=2)

    def train(self, key: Key, pictures: Array) -> PyTree:
        """The learner's state after learning from uint8[M, H, W, C]."""
        start = self._init(key, pictures)
        return train(self._learner, key, self.num_updates, state=start, progress=False).state

    def samples(self, seed: int, pictures: np.ndarray, num: int) -> np.ndarray:
        """Train on uint8[M, H, W, C] and draw uint8[num, H, W, C]."""
        key_train, key_draw = jax.random.split(jax.random.key(seed))
        state = self.train(key_train, jnp.asarray(pictures))
        return np.asarray(self._generate(state, key_draw, num).pixels)
