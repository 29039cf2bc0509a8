import dataclasses
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import MusicVAEConfig
from creative_rl.learners.music_vae import music_codec, music_vae
from creative_rl.ops.latents import interpolate
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=MusicVAEConfig(
        batch_size=4, num_steps=2, encoder_size=4, memory_size=4, latent_size=3, event_dropout=0.2
    ),
    recurrences=("lstm", "gru"),
    task=("melody-theory", {}),
)

LENGTH = 12
ENV = crl.make("melody-theory", length=LENGTH)
TUNES = np.random.default_rng(0).integers(14, 22, (4, LENGTH + 1)).astype(np.uint8)
SEQUENCES = Sequences(jnp.asarray(TUNES), jnp.asarray(TUNES[:2]))
CONFIG = MusicVAEConfig(
    batch_size=4,
    num_steps=300,
    recurrent="gru",
    segment_length=5,  # two segments and a part of one
    encoder_size=16,
    memory_size=32,
    latent_size=6,
    beta=0.0,
    learning_rate=1e-2,
)
TINY = dataclasses.replace(
    CONFIG, num_steps=1, encoder_size=4, memory_size=4, latent_size=3, learning_rate=1e-9
)


@pytest.fixture(scope="module")
def trained():
    """A plain autoencoder of four tunes: its state, metrics, codec and their codes."""
    learner, codec = music_vae(ENV, CONFIG, SEQUENCES), music_codec(ENV, CONFIG)
    state, metrics = jax.jit(lambda key: learner.update(learner.init(key)))(jax.random.key(0))
    mean, _ = jax.jit(codec.encode)(state, jnp.asarray(TUNES[:, :-1]))
    return state, metrics, codec, mean


@pytest.fixture(scope="module")
def decode(trained):
    return jax.jit(trained[2].decode)


def test_four_tunes_come_back_from_their_codes_alone(trained, decode):
    state, metrics, _, mean = trained
    works = decode(state, jax.random.key(1), mean, 0.0)
    np.testing.assert_array_equal(works.events, TUNES[:, :-1])
    np.testing.assert_array_equal(works.length, [LENGTH] * 4)
    assert float(metrics["held_out_accuracy"]) == 1.0
    assert float(metrics["held_out_reconstruction"]) < 0.1


def test_the_ends_of_an_interpolation_are_its_tunes(trained, decode):
    state, _, _, mean = trained
    steps = interpolate(mean[0], mean[1], 4)
    found = decode(state, jax.random.key(1), steps, 0.0).events
    np.testing.assert_array_equal(found[jnp.array([0, 3])], TUNES[:2, :-1])
    assert (np.asarray(found[1:3]) != TUNES[0, :-1]).any()


def test_heat_brings_others(trained, decode):
    state, _, _, mean = trained
    hot = decode(state, jax.random.key(1), mean, 8.0).events
    assert (np.asarray(hot) != TUNES[:, :-1]).mean() > 0.3


@pytest.mark.parametrize("hierarchical", [True, False])
def test_what_is_decoded_step_by_step_is_predicted_from_known_events(hierarchical):
    config = dataclasses.replace(TINY, hierarchical=hierarchical, recurrent="lstm")
    state = music_vae(ENV, config, SEQUENCES).init(jax.random.key(0))
    codec = music_codec(ENV, config)
    latents = 2 * jax.random.normal(jax.random.key(1), (16, 3), jnp.float32)

    @jax.jit
    def both(state):
        events = codec.decode(state, jax.random.key(2), latents, 0.0).events
        return events, codec.predict(state, latents, events)

    events, logits = both(state)
    assert logits.shape == (16, LENGTH, 38) and len(np.unique(events, axis=0)) > 8
    np.testing.assert_array_equal(logits.argmax(axis=-1), events)


def test_the_loss_is_the_bound_with_beta_beyond_what_is_free():
    same = jnp.asarray(TUNES[[0, 0, 0, 0]])
    sequences = Sequences(same, same)

    @jax.jit
    def metrics_of(config, num_updates):
        learner = music_vae(ENV, config, sequences)
        state = learner.init(jax.random.key(0)).replace(num_updates=num_updates)
        return learner.update(state)[1]

    def found(num_updates=0, **fields):
        metrics = metrics_of(dataclasses.replace(TINY, **fields), jnp.int32(num_updates))
        return {name: float(value) for name, value in metrics.items()}

    plain = found(beta=3.0, free_bits=0.0)
    paid = (plain["loss"] - plain["reconstruction"]) * LENGTH
    assert plain["kl"] > 0.01
    np.testing.assert_allclose(paid, 3 * plain["kl"], rtol=1e-3)
    half = found(beta=3.0, free_bits=plain["kl"] / 2 / np.log(2))
    np.testing.assert_allclose(
        (half["loss"] - half["reconstruction"]) * LENGTH, paid / 2, rtol=1e-2
    )
    for free in (found(beta=3.0, free_bits=99.0), found(beta=3.0, free_bits=0.0, warmup_updates=4)):
        assert free["loss"] == pytest.approx(free["reconstruction"])
    warm = found(num_updates=1, beta=3.0, free_bits=0.0, warmup_updates=4)
    np.testing.assert_allclose(
        (warm["loss"] - warm["reconstruction"]) * LENGTH, paid / 4, rtol=1e-2
    )
    # Hidden events tell the decoder nothing; what is held out it sees.
    hidden = found(event_dropout=1.0)
    assert hidden["reconstruction"] != plain["reconstruction"]
    assert hidden["held_out_reconstruction"] == pytest.approx(plain["held_out_reconstruction"])


def test_an_episode_has_one_latent_vector_of_its_own(trained):
    state = trained[0]
    learner = music_vae(ENV, CONFIG, SEQUENCES)
    _, timestep = ENV.reset(jax.random.key(0), ENV.default_params)
    act = jax.jit(learner.act)
    only = timestep.replace(action_mask=jnp.arange(38) == 30)
    action, first = act(state, jax.random.key(1), only, learner.init_memory())
    assert int(action) == int(first.decoder.event) == 30
    _, second = act(state, jax.random.key(2), only, first)
    np.testing.assert_array_equal(first.decoder.latent, second.decoder.latent)
    _, other = act(state, jax.random.key(2), only, learner.init_memory())
    assert (np.asarray(other.decoder.latent) != np.asarray(first.decoder.latent)).all()
    works = jax.jit(learner.generate, static_argnums=2)(state, jax.random.key(3), 40)
    assert len(np.unique(works.events, axis=0)) > 20


def test_of_demonstrations_the_actions_are_learned():
    events = jnp.asarray(TUNES[:, :-1], jnp.int32)
    examples = Examples(jnp.zeros(events.shape, jnp.int32), events)
    learner = music_vae(ENV, TINY, Demonstrations(examples, examples))
    state, metrics = jax.eval_shape(learner.update, learner.init(jax.random.key(0)))
    assert state.sequences.train.actions.shape == (4, LENGTH) and "held_out_accuracy" in metrics
    outside = examples.replace(actions=events.at[0, 0].set(40))
    with pytest.raises(ValueError, match=r"actions of the environment, 0\.\.37, got 40"):
        music_vae(ENV, TINY, Demonstrations(examples, outside))


def test_what_it_cannot_learn_from_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at most sequences = 4, got 64"):
        music_vae(ENV, dataclasses.replace(TINY, batch_size=64), SEQUENCES)
    with pytest.raises(ValueError, match="music_vae: what it reconstructs is held out, got no"):
        music_vae(ENV, TINY, SEQUENCES.replace(held_out=SEQUENCES.held_out[:0]))
    with pytest.raises(ValueError, match=r"actions of the environment, 0\.\.11, got 2[01]; take"):
        music_vae(crl.make("melody-variety"), TINY, SEQUENCES)
    with pytest.raises(ValueError, match=r"environment, 0\.\.37, got -1; take"):
        music_vae(
            ENV, TINY, SEQUENCES.replace(held_out=SEQUENCES.held_out.astype(int).at[0, 0].set(-1))
        )
    with pytest.raises(ValueError, match=r"with T of at least 2, got uint8\[4, 1\]"):
        music_vae(ENV, TINY, SEQUENCES.replace(train=SEQUENCES.train[:, :1]))
    with pytest.raises(ValueError, match="music_vae takes Discrete actions"):
        music_codec(crl.make("drawing-pixels"), TINY)
    with pytest.raises(ValueError, match="music_vae resets its environments"):
        music_vae(AutoReset(ENV), TINY, SEQUENCES)
    with pytest.raises(ValueError, match="music_vae plays whole episodes to a horizon, and"):
        music_codec(crl.make("grid-path"), TINY)


EVENTS, LATENTS = jnp.asarray(TUNES[:, :-1]), jnp.zeros((4, 3))
HEAT = "temperature must be a finite number of at least 0, got"


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("encode", (EVENTS.tolist(),), r"an array of whole numbers \[N, T\] .* got list"),
        ("encode", (EVENTS.astype(float),), r"whole numbers .* got float32\[4, 12\]"),
        ("encode", (EVENTS.at[0, 0].set(99),), r"of the environment, 0\.\.37, got 99"),
        ("encode", (EVENTS[:0],), "of at least one sequence, got none"),
        ("predict", (LATENTS, EVENTS[:2]), r"latents must be an array \[2, 3\], .* got \[4, 3\]"),
        ("predict", (LATENTS, EVENTS[0]), r"whole numbers \[N, T\] .* got uint8\[12\]"),
        ("decode", (LATENTS[0],), r"latents must be an array \[N, 3\], .* got \[3\]"),
        ("decode", (LATENTS[:, :2],), r"latents must be an array \[N, 3\], .* got \[4, 2\]"),
        ("decode", (LATENTS, -1.0), f"{HEAT} -1"),
        ("decode", (LATENTS, float("nan")), f"{HEAT} nan"),
        ("decode", (LATENTS, "hot"), f"{HEAT} 'hot'"),
    ],
)
def test_what_can_not_be_encoded_or_decoded_is_refused(name, arguments, message):
    function = inspect.unwrap(getattr(music_codec(ENV, TINY), name))
    key = (jax.random.key(0),) if name == "decode" else ()
    with pytest.raises(ValueError, match=f"music_codec: .*{message}"):
        function(None, *key, *arguments)
