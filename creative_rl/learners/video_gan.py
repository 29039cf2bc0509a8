"""A generative adversarial network of clips: critics see all of a clip, and some frames alone.

Sources: the two critics, and content apart from motion, are MoCoGAN's (Tulyakov et al. 2018, arXiv
1707.04993); a frame's code, waves of time, StyleGAN-V's (Skorokhodov et al. 2022, arXiv
2112.14683); content as a style, StyleGAN's (Karras et al. 2019, arXiv 1812.04948); the comparison
within a batch, Karras et al. 2018, arXiv 1710.10196; convolutions in 2+1 dimensions, Tran et al.
2018, arXiv 1711.11248. R1, the penalty on the critics' slopes, is Mescheder et al. 2018, arXiv
1801.04406; it takes a quarter of a batch at every step, as StyleGAN2 (Karras et al. 2020, arXiv
1912.04958, section 4.1) takes a batch at some steps. Losses, spectral normalisation and the running
mean of the weights are those of `learners.gan`.

Deviations from MoCoGAN: no recurrent network, no batch normalisation and no noise in the critics,
clips are seen whole, and pixels are not drawn from categories of motion. From StyleGAN-V: waves are
of one rate throughout a clip, and critics see all frames, or one. From R1: the critic of clips
compares those of a batch, so that its slopes are those of the sum of their scores.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.configs import VideoGANConfig, validate
from creative_rl.environment import start_params
from creative_rl.learners import adversaries
from creative_rl.learners.adversaries import AdversariesState
from creative_rl.learners.composing import compose
from creative_rl.learners.picture_learning import (
    check_examples,
    check_num_probes,
    clip_metrics,
    clip_shape,
    probe_metrics,
    sample_examples,
)
from creative_rl.networks.clips import ClipCritic, ClipDecoder, check_length
from creative_rl.networks.pictures import check_size
from creative_rl.ops import adversarial
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key

PENALISED = 4
"""One of so many real clips is where the critics' slopes are penalised."""

jax.tree_util.register_dataclass(VideoGANConfig)


def video_gan(env: Any, config: VideoGANConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    `act` draws a clip from new noise, whatever it observes; `generate` plays episodes. Metrics are
    means over an update. Of the clips that `act` draws they have `recall` and `vendi`, in pixels
    (`picture_learning.probe_metrics`), and what tells whether frames belong together:
    `colour_drift`, `motion` and `jolt` (`ops.clips`), beside the same of examples, `real_...`.

    Args:
      env: environment whose action is a clip, `Box(0, 1, (T, H, W, C))`, with examples, such as
        `animation-pixels`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the environment has other actions, no examples or no horizon, or resets itself; a
        config field is out of range, or the convolutions do not fit the clips.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("animation-pixels", num_frames=2, height=8, width=8)
      >>> learner = video_gan(env, VideoGANConfig(channels=(4,), batch_size=2, num_probes=6))
      >>> learner.generate(learner.init(jax.random.key(0)), jax.random.key(1), 5).frames.shape
      (5, 2, 8, 8, 3)
    """
    validate(config, VideoGANConfig)
    shape = clip_shape("video_gan", env)
    check_length(shape[0], config.channels)
    check_size(shape[1:3], config.channels)
    check_num_probes("video_gan", "num_probes", config.num_probes)
    given = env.default_params if params is None else params
    check_examples("video_gan", env, given)
    generator: Any = ClipDecoder(
        shape, config.content_size, config.code_size, config.hidden_size, config.channels
    )
    discriminator: Any = ClipCritic(config.channels, normalize_spectrum=config.spectral_norm)
    generator_optimizer, discriminator_optimizer = adversaries.optimizers(config)
    latent_size = config.content_size + config.motion_size

    def init(key: Key) -> AdversariesState:
        key, key_generator, key_discriminator = jax.random.split(as_key(key), 3)
        variables = generator.init(key_generator, jnp.zeros(latent_size, jnp.float32))
        clip = jnp.zeros(shape, jnp.float32)
        judge = discriminator.init(key_discriminator, clip, clip[0])
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
        """float32[num, T, H, W, C] in 0..1."""
        latents = jax.random.normal(key, (num, latent_size), jnp.float32)
        return 0.5 + 0.5 * jnp.tanh(generator.apply(variables, latents))

    def some_frames(key: Key, clips: Array) -> Array:
        """float32[B, P, H, W, C]: frames of each clip, each drawn uniformly."""
        rows = jax.random.randint(key, (clips.shape[0], config.num_pictures), 0, shape[0])
        return jax.vmap(lambda clip, places: clip[places])(clips, rows)

    def penalty(variables: PyTree, clips: Array, pictures: Array) -> Array:
        """Of both critics' slopes, at some of the real clips and frames float32[B, P, H, W, C]."""
        num = -(-config.batch_size // PENALISED)
        clips, pictures = clips[:num], pictures[:num].reshape(-1, *shape[1:])
        of_clips = adversarial.zero_penalty(
            lambda x: discriminator.apply(variables, x, pictures)[0], clips
        )
        of_pictures = adversarial.zero_penalty(
            lambda x: discriminator.apply(variables, clips, x)[1], pictures
        )
        return of_clips + of_pictures

    def discriminator_step(
        state: AdversariesState, key: Key
    ) -> tuple[AdversariesState, dict[str, Array]]:
        key_rows, key_fake, key_real_view, key_fake_view = jax.random.split(key, 4)
        real = sample_examples(key_rows, env.examples(state.env_params), config.batch_size)
        fake = draw(state.generator, key_fake, config.batch_size)
        real_frames = some_frames(key_real_view, real)
        fake_frames = some_frames(key_fake_view, fake)

        def loss(weights: PyTree) -> tuple[Array, tuple[PyTree, dict[str, Array]]]:
            variables = {**state.discriminator, "params": weights}
            # Not in one batch: within it clips are compared.
            fakes = discriminator.apply(variables, fake, fake_frames)
            reals, moved = discriminator.apply(variables, real, real_frames, mutable=["spectral"])
            losses = [
                adversarial.discriminator_loss(config.loss, *both).mean()
                for both in zip(reals, fakes, strict=True)
            ]
            gradient_penalty = penalty(variables, real, real_frames)
            metrics = {
                "discriminator_loss": losses[0] + losses[1],
                "gradient_penalty": gradient_penalty,
                "real_score": reals[0].mean(),
                "fake_score": fakes[0].mean(),
                "real_picture_score": reals[1].mean(),
                "fake_picture_score": fakes[1].mean(),
            }
            return losses[0] + losses[1] + config.penalty_coef * gradient_penalty, (moved, metrics)

        return adversaries.discriminator_moved(discriminator_optimizer, state, loss)

    def generator_step(
        state: AdversariesState, key: Key, num_steps: Array
    ) -> tuple[AdversariesState, Array]:
        key_fake, key_view = jax.random.split(key)

        def loss(variables: PyTree) -> Array:
            fake = draw(variables, key_fake, config.batch_size)
            scores = discriminator.apply(state.discriminator, fake, some_frames(key_view, fake))
            losses = [adversarial.generator_loss(config.loss, score).mean() for score in scores]
            return losses[0] + losses[1]

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
        metrics = {
            **jax.tree.map(jnp.mean, metrics),
            **probe_metrics(real, made),
            **clip_metrics(made),
            **{f"real_{name}": value for name, value in clip_metrics(real).items()},
        }
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
