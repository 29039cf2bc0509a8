"""A recurrent variational autoencoder of music: bars to a latent vector, and back.

Source: MusicVAE with the flat decoder (Roberts et al. 2018, arXiv 1803.05428). Its loss is the
bound of Kingma and Welling 2014 with the divergence weighed by beta (Higgins et al. 2017), some of
which is free (Kingma et al. 2016, arXiv 1606.04934); hiding last events from the decoder, so that
it needs the latent vector, is Bowman et al. 2016, arXiv 1511.06349. Mathematics of latent vectors,
such as interpolation, is in `ops.latents`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from creative_rl.axes import spread
from creative_rl.configs import MusicVAEConfig, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.networks.music import NO_EVENT, DecoderMemory, MusicDecoder, MusicEncoder
from creative_rl.ops import distributions, schedules, variational
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(MusicVAEConfig)

_NATS_PER_BIT = float(np.log(2.0))


class MusicVAEState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is."""

    variables: PyTree  # of "encoder" and "decoder"
    opt_state: PyTree
    sequences: Sequences | Demonstrations
    key: Key
    num_updates: Array  # int32


class MusicMemory(flax.struct.PyTreeNode):
    """What decoding goes on from; an episode starts without a latent vector, and draws one."""

    decoder: DecoderMemory
    has_latent: Array  # bool


class MusicCodec(NamedTuple):
    """What a researcher does with a learner's state: pure functions, of N sequences at once.

    `encode(state, events) -> (mean, log_variance)`: float32[N, L] each, of the normal distribution
    that the events int[N, T] are encoded as, such as `melodies.events`.
    `predict(state, latents, events) -> logits`: float32[N, T, A] of every event given the latent
    float32[N, L] and the events int[N, T] before it, the source's teacher forcing.
    `decode(state, key, latents, temperature=1.0) -> works`: leaves [N, ...], events of an episode
    drawn one by one; at temperature 0 the most likely one each.
    What has another shape, a temperature below 0 and events that are no actions raise ValueError.
    """

    encode: Callable[[PyTree, Array], tuple[Array, Array]]
    predict: Callable[[PyTree, Array, Array], Array]
    decode: Callable[..., PyTree]


def music_vae(env: Any, config: MusicVAEConfig, sequences: Sequences | Demonstrations) -> Learner:
    """Build the learner; `music_codec` has what it can do beside creating.

    An episode's events, whatever it shows, are decoded from one latent vector that is drawn from
    the prior at its first step.

    Metrics: `loss` and `reconstruction` in nats an event, `kl` in nats a sequence, and `accuracy`,
    the share of events that are the most likely one given those before them, with a latent that is
    drawn and with the events that `event_dropout` leaves. `held_out_` ones are of the latent's
    mean, with all events.

    Args:
      env: environment with `Discrete` actions and a fixed horizon, not wrapped in `AutoReset`, in
        which works are created.
      config: static fields shape the program, the others may be tracers.
      sequences: windows of events uint8[N, T + 1], of which the first T are learned, whole bars
        where a window starts on a downbeat; or demonstrations, of which the actions are.

    Raises:
      ValueError: a field is out of range, events are no actions of the environment, or there are
        fewer sequences than `batch_size` to train on or none held out.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-theory", length=12)
      >>> tunes = jnp.full((8, 13), 14, jnp.uint8)
      >>> config = MusicVAEConfig(batch_size=4, num_steps=1, memory_size=8, encoder_size=8)
      >>> learner = music_vae(env, config, Sequences(train=tunes, held_out=tunes[:2]))
      >>> state = learner.init(jax.random.key(0))
      >>> learner.generate(state, jax.random.key(1), 5).events.shape
      (5, 12)
    """
    validate(config, MusicVAEConfig)
    codec = _Codec(env, config)
    num_train = _check_sequences(env, config, sequences)
    optimizer = optax.chain(
        optax.clip_by_global_norm(config.max_grad_norm),
        optax.adam(
            schedules.linear_decay(config.learning_rate, config.decay_updates, config.num_steps)
        ),
    )

    def init(key: Key) -> MusicVAEState:
        key, key_model = jax.random.split(as_key(key))
        variables = codec.init(key_model)
        return MusicVAEState(
            variables=variables,
            opt_state=optimizer.init(variables),
            sequences=jax.tree.map(jnp.array, sequences),
            key=key,
            num_updates=jnp.int32(0),
        )

    def measures(variables: PyTree, events: Array, noise: Array, is_hidden: Array) -> PyTree:
        """Of events int32[B, T], with normal noise [B, L] and bool[B, T], True for those that the
        decoder does not see; and the divergence of each in nats."""
        mean, log_variance = codec.encode(variables, events)
        latents = mean + jnp.exp(0.5 * log_variance) * noise
        logits = codec.predict(variables, latents, events, is_hidden)
        nll = -distributions.categorical_log_prob(logits, events).mean()
        accuracy = (distributions.most_likely(logits) == events).mean(dtype=jnp.float32)
        kl = variational.standard_normal_kl(mean, log_variance).sum(axis=-1)
        return {"reconstruction": nll, "kl": kl.mean(), "accuracy": accuracy}, kl

    def loss(
        variables: PyTree, events: Array, noise: Array, is_hidden: Array, beta: Array
    ) -> tuple[Array, dict[str, Array]]:
        metrics, kl = measures(variables, events, noise, is_hidden)
        paid = variational.beyond_free(kl, config.free_bits * _NATS_PER_BIT).mean()
        value = metrics["reconstruction"] + beta * paid / events.shape[1]
        return value, {"loss": value, **metrics}

    def gradient_step(carry, inputs):
        variables, opt_state, part, beta = carry
        key_rows, key_noise, key_hidden = jax.random.split(inputs, 3)
        rows = jax.random.randint(key_rows, (config.batch_size,), 0, num_train)
        events = spread(part[rows], axis=0).astype(jnp.int32)
        noise = jax.random.normal(key_noise, (config.batch_size, config.latent_size), jnp.float32)
        is_hidden = jax.random.bernoulli(key_hidden, config.event_dropout, events.shape)
        gradients, metrics = jax.grad(loss, has_aux=True)(variables, events, noise, is_hidden, beta)
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        return (optax.apply_updates(variables, updates), opt_state, part, beta), metrics

    def update(state: MusicVAEState) -> tuple[MusicVAEState, dict[str, Array]]:
        key, key_steps = jax.random.split(state.key)
        beta = schedules.linear(
            jnp.where(config.warmup_updates > 0, 0.0, config.beta),
            config.beta,
            config.warmup_updates,
            state.num_updates,
        )
        carry = (state.variables, state.opt_state, _events(state.sequences.train), beta)
        keys = jax.random.split(key_steps, config.num_steps)
        (variables, opt_state, _, _), metrics = jax.lax.scan(gradient_step, carry, keys)
        held_out = _events(state.sequences.held_out).astype(jnp.int32)
        no_noise = jnp.zeros((held_out.shape[0], config.latent_size), jnp.float32)
        judged, _ = measures(variables, held_out, no_noise, jnp.zeros(held_out.shape, jnp.bool_))
        state = state.replace(
            variables=variables, opt_state=opt_state, key=key, num_updates=state.num_updates + 1
        )
        return state, {
            **jax.tree.map(jnp.mean, metrics),
            **{f"held_out_{name}": value for name, value in judged.items()},
        }

    def act(
        state: MusicVAEState, key: Key, timestep: Timestep, memory: MusicMemory
    ) -> tuple[Array, MusicMemory]:
        return codec.play(state.variables, 1.0, key, timestep, memory)

    def generate(state: MusicVAEState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], of latent vectors drawn from the prior."""
        return compose(env, env.default_params, partial(act, state), codec.init_memory, key, num)

    examples = config.num_steps * config.batch_size
    return Learner(init, update, act, codec.init_memory, examples, generate)


def music_codec(env: Any, config: MusicVAEConfig) -> MusicCodec:
    """Encode and decode with the states of `music_vae(env, config, ...)`.

    Raises:
      ValueError: actions are not `Discrete`, there is no horizon, or a field is out of range.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-theory", length=12)
      >>> config = MusicVAEConfig(batch_size=2, memory_size=8, encoder_size=8, latent_size=4)
      >>> tunes = jnp.full((2, 13), 14, jnp.uint8)
      >>> state = music_vae(env, config, Sequences(tunes, tunes)).init(jax.random.key(0))
      >>> encode, _, decode = music_codec(env, config)
      >>> mean, log_variance = encode(state, tunes[:, :12])
      >>> mean.shape, decode(state, jax.random.key(1), mean, temperature=0.0).events.shape
      ((2, 4), (2, 12))
    """
    validate(config, MusicVAEConfig)
    codec = _Codec(env, config)
    num_events = env.action_space.num

    def encode(state: MusicVAEState, events: Array) -> tuple[Array, Array]:
        _check_events(events, num_events)
        return codec.encode(state.variables, events)

    def predict(state: MusicVAEState, latents: Array, events: Array) -> Array:
        _check_events(events, num_events)
        _check_latents(latents, config.latent_size, events.shape[0])
        return codec.predict(state.variables, latents, events)

    def decode(
        state: MusicVAEState, key: Key, latents: Array, temperature: float | Array = 1.0
    ) -> PyTree:
        _check_latents(latents, config.latent_size)
        _check_temperature(temperature)
        play = partial(codec.play, state.variables, temperature)

        def decoded(key: Key, latent: Array) -> PyTree:
            memory = codec.begin(state.variables, latent)
            work = compose(env, env.default_params, play, lambda: memory, key, 1)
            return jax.tree.map(lambda leaf: leaf[0], work)

        return jax.vmap(decoded)(jax.random.split(as_key(key), latents.shape[0]), latents)

    return MusicCodec(encode, predict, decode)


class _Codec:
    """Encoder and decoder over their variables, which learner and codec share."""

    def __init__(self, env: Any, config: MusicVAEConfig):
        num_events = requirements.num_actions("music_vae", env)
        requirements.never_resets("music_vae", env)
        requirements.fixed_horizon("music_vae", env)
        self._latent_size = config.latent_size
        segment = config.segment_length
        self._encoder: Any = MusicEncoder(
            num_events, config.latent_size, segment, config.recurrent, config.encoder_size
        )
        self._decoder: Any = MusicDecoder(
            num_events,
            config.latent_size,
            segment if config.hierarchical else None,
            config.recurrent,
            config.memory_size,
        )

    def init(self, key: Key) -> PyTree:
        key_encoder, key_decoder = jax.random.split(key)
        latent, events = jnp.zeros(self._latent_size, jnp.float32), jnp.zeros(1, jnp.int32)
        return {
            "encoder": self._encoder.init(key_encoder, events),
            "decoder": self._decoder.init(key_decoder, latent, events, method="unroll"),
        }

    def encode(self, variables: PyTree, events: Array) -> tuple[Array, Array]:
        """Mean and log-variance, float32[B, L], of events int[B, T]."""
        return self._encoder.apply(variables["encoder"], events.T)

    def predict(
        self, variables: PyTree, latents: Array, events: Array, is_hidden: Array | None = None
    ) -> Array:
        """Logits [B, T, A] after those before each of the events int[B, T] that are not hidden."""
        seen = events if is_hidden is None else jnp.where(is_hidden, NO_EVENT, events)
        before = jnp.pad(seen.astype(jnp.int32)[:, :-1], ((0, 0), (1, 0)), constant_values=NO_EVENT)
        logits = self._decoder.apply(variables["decoder"], latents, before.T, method="unroll")
        return jnp.swapaxes(logits, 0, 1)

    def init_memory(self) -> MusicMemory:
        """Without a latent vector: `play` draws it."""
        return MusicMemory(self._decoder.init_memory(), jnp.bool_(False))

    def begin(self, variables: PyTree, latent: Array) -> MusicMemory:
        """What decodes a latent vector float32[L] from its first event on."""
        decoder = self._decoder.apply(variables["decoder"], latent, method="begin")
        return MusicMemory(decoder, jnp.bool_(True))

    def play(
        self,
        variables: PyTree,
        temperature: float | Array,
        key: Key,
        timestep: Timestep,
        memory: MusicMemory,
    ) -> tuple[Array, MusicMemory]:
        """The next event, and the memory with it."""
        key_latent, key_event = jax.random.split(as_key(key))
        drawn = jax.random.normal(key_latent, (self._latent_size,), jnp.float32)
        memory = jax.tree.map(
            lambda kept, new: jnp.where(memory.has_latent, kept, new),
            memory,
            self.begin(variables, drawn),
        )
        logits, decoder = self._decoder.apply(variables["decoder"], memory.decoder)
        logits = distributions.mask_logits(logits, timestep.action_mask)
        # With Gumbel noise the most likely is a draw; the less of it, the colder.
        noise = temperature * jax.random.gumbel(key_event, logits.shape, jnp.float32)
        event = distributions.most_likely(logits + noise)
        return event, memory.replace(decoder=decoder.replace(event=event))


def _events(part: Array | Examples) -> Array:
    """What is learned, integer[N, T]: the actions, or of windows all but the last event."""
    return part.actions if isinstance(part, Examples) else part[:, :-1]


def _check_sequences(env: Any, config: MusicVAEConfig, sequences: Any) -> int:
    """How many there are to train on; refuse what cannot be learned."""
    num_train, num_held_out = requirements.sequences_in(
        "music_vae", sequences, env.action_space.num, config.batch_size
    )
    if num_held_out < 1:
        raise ValueError("music_vae: what it reconstructs is held out, got no such sequences")
    return num_train


def _check_events(events: Any, num_events: int) -> None:
    requirements.events_in("music_codec", events, num_events, least=1)
    if events.shape[0] < 1:
        raise ValueError("music_codec: events must be of at least one sequence, got none")


def _check_latents(latents: Any, latent_size: int, num: int | None = None) -> None:
    """Refuse what is not [N, latent_size], with N = num where it is given."""
    shape: tuple[int, ...] = getattr(latents, "shape", ())
    if len(shape) != 2 or shape[1] != latent_size or shape[0] < 1 or num not in (None, shape[0]):
        found = list(shape) if shape else type(latents).__name__
        raise ValueError(
            "music_codec: latents must be an array "
            f"[{'N' if num is None else num}, {latent_size}], one row a sequence, got {found}"
        )


def _check_temperature(temperature: Any) -> None:
    is_number = isinstance(temperature, int | float)
    if not ((is_number and 0 <= temperature < math.inf) or hasattr(temperature, "shape")):
        raise ValueError(
            f"music_codec: temperature must be a finite number of at least 0, got {temperature!r}"
        )
