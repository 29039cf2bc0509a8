"""Generative adversarial networks: a generator of pictures and a discriminator that judges them.

Sources: Goodfellow et al. 2014, arXiv 1406.2661, algorithm 1; the convolutional form is DCGAN,
Radford et al. 2016, arXiv 1511.06434, with what became usual since: a choice of losses and of a
penalty on the discriminator's slope (`ops.adversarial`), spectral normalisation (Miyato et al.,
arXiv 1802.05957), two learning rates (Heusel et al., arXiv 1706.08500), a running mean of the
generator's weights (Yazici et al., arXiv 1806.04498) and augmentation (`ops.augmentation`).

Deviations from DCGAN: no batch normalisation (see `networks.pictures`), and kernels of 4 x 4.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.configs import GANConfig, validate
from creative_rl.environment import start_params
from creative_rl.learners import adversaries
from creative_rl.learners.adversaries import AdversariesState
from creative_rl.learners.composing import compose
from creative_rl.learners.picture_learning import (
    check_examples,
    check_sizes,
    picture_shape,
    probe_metrics,
    sample_examples,
)
from creative_rl.networks import PictureDecoder, PictureEncoder
from creative_rl.ops import adversarial
from creative_rl.ops.augmentation import augment
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(GANConfig)


def gan(env: Any, config: GANConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    `act` draws a picture from new noise, whatever it observes; `generate` plays episodes. Metrics
    are means over an update; `recall` and `vendi` are of the pictures that `act` draws, in pixels
    (`picture_learning.probe_metrics`): a generator that loses modes shows there, not in the losses.

    Args:
      env: environment whose action is a picture, `Box(0, 1, (H, W, C))`, with examples, such as
        `drawing-pixels`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the environment has other actions, no examples or no horizon, or resets itself; a
        config field is out of range, or the convolutions do not fit the pictures.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("drawing-pixels", height=8, width=8)
      >>> learner = gan(env, GANConfig(network="mlp", hidden_sizes=(16,), num_steps=2))
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> learner.generate(state, jax.random.key(1), 5).pixels.shape
      (5, 8, 8, 1)
    """
    validate(config, GANConfig)
    shape = picture_shape("gan", env)
    check_sizes("gan", shape, config)
    given = env.default_params if params is None else params
    check_examples("gan", env, given)
    sizes: dict[str, Any] = dict(
        kind=config.network, hidden_sizes=config.hidden_sizes, channels=config.channels
    )
    generator: Any = PictureDecoder(shape, normalize=config.normalize, **sizes)
    discriminator: Any = PictureEncoder(1, normalize_spectrum=config.spectral_norm, **sizes)
    generator_optimizer, discriminator_optimizer = adversaries.optimizers(config)

    def init(key: Key) -> AdversariesState:
        key, key_generator, key_discriminator = jax.random.split(as_key(key), 3)
        variables = generator.init(key_generator, jnp.zeros(config.latent_size, jnp.float32))
        judge = discriminator.init(key_discriminator, jnp.zeros(shape, jnp.float32))
        return AdversariesState(
            generator=variables,
            mean_generator=jax.tree.map(jnp.copy, variables),
            discriminator=judge,
            generator_opt_state=generator_optimizer.init(variables),
            discriminator_opt_state=discriminator_optimizer.init(judge["params"]),
            env_params=start_params(env, given),
            key=key,
            num_updates=jnp.int32(0),
        )

    def draw(variables: PyTree, key: Key, num: int) -> Array:
        """float32[num, H, W, C] in 0..1."""
        latents = jax.random.normal(key, (num, config.latent_size), jnp.float32)
        return 0.5 + 0.5 * jnp.tanh(generator.apply(variables, latents))

    def shown(key: Key, pictures: Array) -> Array:
        """Pictures as the discriminator sees them."""
        return augment(key, pictures, config.augment_share) if config.augment else pictures

    def penalty(variables: PyTree, key: Key, real: Array, fake: Array) -> Array:
        def score(pictures: Array) -> Array:
            return discriminator.apply(variables, pictures)[..., 0]

        if config.penalty == "interpolated":
            shares = jax.random.uniform(key, real.shape[:1], jnp.float32)
            return adversarial.interpolated_penalty(score, real, fake, shares)
        if config.penalty == "zero":
            return adversarial.zero_penalty(score, real)
        return jnp.float32(0)

    def discriminator_step(
        state: AdversariesState, key: Key
    ) -> tuple[AdversariesState, dict[str, Array]]:
        key_rows, key_fake, key_real_view, key_fake_view, key_penalty = jax.random.split(key, 5)
        real = sample_examples(key_rows, env.examples(state.env_params), config.batch_size)
        real = shown(key_real_view, real)
        fake = shown(key_fake_view, draw(state.generator, key_fake, config.batch_size))

        def loss(weights: PyTree) -> tuple[Array, tuple[PyTree, dict[str, Array]]]:
            variables = {**state.discriminator, "params": weights}
            scores, moved = discriminator.apply(
                variables, jnp.concatenate([real, fake]), mutable=["spectral"]
            )
            real_scores, fake_scores = jnp.split(scores[:, 0], 2)
            losses = adversarial.discriminator_loss(config.loss, real_scores, fake_scores)
            gradient_penalty = penalty(variables, key_penalty, real, fake)
            metrics = {
                "discriminator_loss": losses.mean(),
                "gradient_penalty": gradient_penalty,
                "real_score": real_scores.mean(),
                "fake_score": fake_scores.mean(),
            }
            return losses.mean() + config.penalty_coef * gradient_penalty, (moved, metrics)

        return adversaries.discriminator_moved(discriminator_optimizer, state, loss)

    def generator_step(
        state: AdversariesState, key: Key, num_steps: Array
    ) -> tuple[AdversariesState, Array]:
        key_fake, key_view = jax.random.split(key)

        def loss(variables: PyTree) -> Array:
            fake = shown(key_view, draw(variables, key_fake, config.batch_size))
            scores = discriminator.apply(state.discriminator, fake)[:, 0]
            return adversarial.generator_loss(config.loss, scores).mean()

        return adversaries.generator_moved(
            generator_optimizer, state, loss, config.ema_decay, num_steps
        )

    def step(
        state: AdversariesState, inputs: tuple[Key, Array]
    ) -> tuple[AdversariesState, dict[str, Array]]:
        keys, num_steps = inputs
        state, metrics = jax.lax.scan(discriminator_step, state, keys[1:])
        state, loss = generator_step(state, keys[0], num_steps)
        return state, {**jax.tree.map(jnp.mean, metrics), "generator_loss": loss}

    def update(state: AdversariesState) -> tuple[AdversariesState, dict[str, Array]]:
        key, key_steps, key_draw, key_rows = jax.random.split(state.key, 4)
        keys = jax.random.split(key_steps, (config.num_steps, 1 + config.num_discriminator_steps))
        counts = state.num_updates * config.num_steps + jnp.arange(config.num_steps)
        state, metrics = jax.lax.scan(step, state, (keys, counts))
        made = draw(state.mean_generator, key_draw, config.num_probes)
        real = sample_examples(key_rows, env.examples(state.env_params), config.num_probes)
        metrics = {**jax.tree.map(jnp.mean, metrics), **probe_metrics(real, made)}
        return state.replace(key=key, num_updates=state.num_updates + 1), metrics

    def act(
        state: AdversariesState, key: Key, timestep: Timestep, memory: PyTree
    ) -> tuple[Array, PyTree]:
        return draw(state.mean_generator, as_key(key), 1)[0], memory

    def generate(state: AdversariesState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], of episodes."""
        return compose(env, state.env_params, partial(act, state), tuple, key, num)

    num_shown = config.num_steps * config.num_discriminator_steps * config.batch_size
    return Learner(init, update, act, tuple, num_shown, generate)
