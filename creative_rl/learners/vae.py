"""A variational autoencoder of pictures, which creates by decoding draws from its prior.

Source: Kingma and Welling 2014, arXiv 1312.6114, algorithm 1 with equation 10; the weight of the
divergence is Higgins et al. 2017 (beta-VAE).
"""

from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import VAEConfig, validate
from creative_rl.environment import start_params
from creative_rl.learners.composing import compose
from creative_rl.learners.picture_learning import (
    check_examples,
    check_sizes,
    picture_shape,
    probe_metrics,
    sample_examples,
)
from creative_rl.networks import PictureDecoder, PictureEncoder
from creative_rl.ops import schedules
from creative_rl.ops.variational import (
    bernoulli_nll,
    gaussian_nll,
    standard_normal_kl,
)
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(VAEConfig)


class VAEState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is."""

    variables: PyTree  # of "encoder" and "decoder"
    mean_variables: PyTree  # the running mean, that `act` and `generate` use
    opt_state: PyTree
    env_params: PyTree
    key: Key
    num_updates: Array  # int32


def vae(env: Any, config: VAEConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    `act` decodes a draw from the prior, whatever it observes, and gives the mean of every pixel;
    `generate` plays episodes. The metrics `reconstruction` and `kl` are in nats a picture, and with
    `beta` = 1 their sum is a bound on the negative log-likelihood; `recall` and `vendi` are of
    the pictures that `act` draws (`picture_learning.probe_metrics`).

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
      >>> learner = vae(env, VAEConfig(network="mlp", hidden_sizes=(16,), num_steps=2))
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> learner.generate(state, jax.random.key(1), 5).pixels.shape
      (5, 8, 8, 1)
    """
    validate(config, VAEConfig)
    shape = picture_shape("vae", env)
    check_sizes("vae", shape, config)
    given = env.default_params if params is None else params
    check_examples("vae", env, given)
    sizes: dict[str, Any] = dict(
        kind=config.network, hidden_sizes=config.hidden_sizes, channels=config.channels
    )
    encoder: Any = PictureEncoder(2 * config.latent_size, **sizes)
    decoder: Any = PictureDecoder(shape, normalize=config.normalize, **sizes)
    optimizer = optax.adam(
        schedules.linear_decay(config.learning_rate, config.decay_updates, config.num_steps)
    )

    def init(key: Key) -> VAEState:
        key, key_encoder, key_decoder = jax.random.split(as_key(key), 3)
        variables = {
            "encoder": encoder.init(key_encoder, jnp.zeros(shape, jnp.float32)),
            "decoder": decoder.init(key_decoder, jnp.zeros(config.latent_size, jnp.float32)),
        }
        return VAEState(
            variables=variables,
            mean_variables=jax.tree.map(jnp.copy, variables),
            opt_state=optimizer.init(variables),
            env_params=start_params(env, given),
            key=key,
            num_updates=jnp.int32(0),
        )

    def negative_log_likelihood(outputs: Array, pictures: Array) -> Array:
        if config.likelihood == "bernoulli":
            return bernoulli_nll(outputs, pictures)
        return gaussian_nll(jax.nn.sigmoid(outputs), pictures, config.pixel_scale)

    def loss(variables: PyTree, pictures: Array, noise: Array) -> tuple[Array, dict[str, Array]]:
        """Of pictures [B, H, W, C] in 0..1 with normal noise [B, L]."""
        statistics = encoder.apply(variables["encoder"], pictures)
        mean, log_variance = jnp.split(statistics, 2, axis=-1)
        latents = mean + jnp.exp(0.5 * log_variance) * noise
        outputs = decoder.apply(variables["decoder"], latents)
        reconstruction = negative_log_likelihood(outputs, pictures).sum(axis=(1, 2, 3)).mean()
        kl = standard_normal_kl(mean, log_variance).sum(axis=-1).mean()
        value = reconstruction + config.beta * kl
        return value, {"loss": value, "reconstruction": reconstruction, "kl": kl}

    def step(state: VAEState, inputs: tuple[Key, Array]) -> tuple[VAEState, dict[str, Array]]:
        key, num_steps = inputs
        key_rows, key_noise = jax.random.split(key)
        pictures = sample_examples(key_rows, env.examples(state.env_params), config.batch_size)
        noise = jax.random.normal(key_noise, (config.batch_size, config.latent_size), jnp.float32)
        gradients, metrics = jax.grad(loss, has_aux=True)(state.variables, pictures, noise)
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.variables)
        variables = optax.apply_updates(state.variables, updates)
        mean = schedules.moved_mean(state.mean_variables, variables, config.ema_decay, num_steps)
        state = state.replace(variables=variables, mean_variables=mean, opt_state=opt_state)
        return state, metrics

    def draw(variables: PyTree, key: Key, num: int) -> Array:
        """float32[num, H, W, C] in 0..1."""
        latents = jax.random.normal(key, (num, config.latent_size), jnp.float32)
        return jax.nn.sigmoid(decoder.apply(variables["decoder"], latents))

    def update(state: VAEState) -> tuple[VAEState, dict[str, Array]]:
        key, key_steps, key_draw, key_rows = jax.random.split(state.key, 4)
        keys = jax.random.split(key_steps, config.num_steps)
        counts = state.num_updates * config.num_steps + jnp.arange(config.num_steps)
        state, metrics = jax.lax.scan(step, state, (keys, counts))
        made = draw(state.mean_variables, key_draw, config.num_probes)
        real = sample_examples(key_rows, env.examples(state.env_params), config.num_probes)
        metrics = {**jax.tree.map(jnp.mean, metrics), **probe_metrics(real, made)}
        return state.replace(key=key, num_updates=state.num_updates + 1), metrics

    def act(state: VAEState, key: Key, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        return draw(state.mean_variables, as_key(key), 1)[0], memory

    def generate(state: VAEState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], of episodes."""
        return compose(env, state.env_params, partial(act, state), tuple, key, num)

    num_shown = config.num_steps * config.batch_size
    return Learner(init, update, act, tuple, num_shown, generate)
