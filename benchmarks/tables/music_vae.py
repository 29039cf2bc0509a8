"""Melodies to a latent vector and back: reconstruction, attributes, interpolation, samples.

Run `python -m benchmarks.tables.music_vae [--quick] [--seeds N]`. The learner `music_vae` learns
two bars of sixteenths (32 events) from the default corpus; all of the below is of tunes that are
held out, from the mean of their latent vector. Rows:

- autoencoder: the divergence costs nothing;
- beta 0.2, 48 bits free: the settings of MusicVAE (Roberts et al. 2018, arXiv 1803.05428) for two
  bars;
- beta 1: the likelihood bound;
- likelihood: an LSTM without a latent vector, which knows the events before;
- most common event: a hold;
- tunes: those held out, as if they were samples.

Accuracy is the share of events that come back, teacher-forced (the likeliest event after the tune's
own) and free-running (after the likeliest before). For attributes, notes a step, their mean pitch
and mean interval, a vector leads from the lower to the upper quarter of training tunes; added
("with") or taken away ("without") it changes what is decoded by so many standard deviations.
Interpolation is spherical, in nine places between two tunes (`melody_codes.path_figures`). The last
rows are of 256 melodies that are decoded from the prior, event by event.

The source learned from another corpus, far larger, with far larger networks, and with its flat
decoder; so no figure of it stands beside these. Means over seeds with 95 percent intervals.
"""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import melody_codes
from benchmarks.tables.melody_codes import ATTRIBUTES, Codes
from benchmarks.tables.seeds import Measures, measured_rows, seeds_argument
from creative_rl import corpora
from creative_rl.configs import LikelihoodConfig, MusicVAEConfig
from creative_rl.envs.melody import TheoryMelody
from creative_rl.experiment import compilation_cache, sweep, train
from creative_rl.learners.likelihood import likelihood, sequence_model
from creative_rl.learners.music_vae import music_codec, music_vae
from creative_rl.networks import repeat_memory
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, Key, PyTree
from creative_rl.works import Melody

NUM_SEEDS, QUICK_SEEDS = 3, 2
NUM_UPDATES, QUICK_UPDATES = 12, 1
NUM_HELD_OUT, QUICK_HELD_OUT = 512, 32
NUM_KNOWN, QUICK_KNOWN = 2048, 64
NUM_MOVED, QUICK_MOVED = 128, 16
NUM_SAMPLES, QUICK_SAMPLES = 256, 16
CONFIG = MusicVAEConfig(
    batch_size=64,
    num_steps=50,
    recurrent="gru",
    memory_size=128,
    learning_rate=5e-3,
    decay_updates=NUM_UPDATES,
)
QUICK_CONFIG = MusicVAEConfig(batch_size=16, num_steps=4, encoder_size=8, memory_size=16)
PRIOR = LikelihoodConfig(batch_size=64, num_steps=50, memory_size=100)
QUICK_PRIOR = LikelihoodConfig(batch_size=16, num_steps=4, memory_size=8)
PLAIN, FREE, BOUND = "autoencoder", "beta 0.2, 48 bits free", "beta 1"
SETTINGS: Mapping[str, tuple[float, float]] = {
    PLAIN: (0.0, 0.0),
    FREE: (0.2, 48.0),
    BOUND: (1.0, 0.0),
}
"""Beta and free bits of a row."""
LIKELIHOOD, COMMON, TUNES = "likelihood", "most common event", "tunes"
FORCED, RUNNING = "accuracy, teacher-forced", "accuracy, free-running"
LEAST_CHANGE, LEAST_AWAY = 0.5, 0.8
ENVIRONMENT = TheoryMelody()


def sequences_of(num_held_out: int) -> Sequences:
    """The corpus, with so many of its held-out windows, drawn once for all rows."""
    found = corpora.load("default", length=ENVIRONMENT.horizon).sequences
    chosen = np.random.default_rng(0).choice(len(found.held_out), num_held_out, replace=False)
    return Sequences(found.train, found.held_out[np.sort(chosen)])


def coded(
    config: MusicVAEConfig, sequences: Sequences, num_seeds: int, num_updates: int, quick: bool
) -> dict[str, list[Measures]]:
    """Train all settings and seeds in one program, and measure what they decode."""
    beta, free_bits = zip(*SETTINGS.values(), strict=True)
    result = sweep(
        lambda config: music_vae(ENVIRONMENT, config, sequences),
        config,
        jax.random.key(0),
        num_updates,
        values={"beta": beta, "free_bits": free_bits},
        num_seeds=num_seeds,
        progress=False,
    )
    num_known, num_moved, num_samples = (
        (QUICK_KNOWN, QUICK_MOVED, QUICK_SAMPLES) if quick else (NUM_KNOWN, NUM_MOVED, NUM_SAMPLES)
    )
    codec, learner = music_codec(ENVIRONMENT, config), music_vae(ENVIRONMENT, config, sequences)
    chosen = np.random.default_rng(1).choice(len(sequences.train), num_known, replace=False)
    known = events_of(sequences.train[np.sort(chosen)])
    held_out = events_of(sequences.held_out)

    # The melodies are arguments: as constants they would be worked on while it compiles.
    def one(state: PyTree, key: Key, known: Array, held_out: Array) -> tuple[Codes, Melody]:
        key_codes, key_samples = jax.random.split(key)
        codes = melody_codes.measure_codes(codec, state, known, held_out, num_moved, key_codes)
        return codes, learner.generate(state, key_samples, num_samples)

    every = jax.vmap(jax.vmap(one, (0, 0, None, None)), (0, None, None, None))
    keys = jax.random.split(jax.random.key(1), num_seeds)
    codes, samples = jax.device_get(jax.jit(every)(result.states, keys, known, held_out))
    return {
        name: [
            figures(*jax.tree.map(lambda leaf, at=(point, seed): leaf[at], (codes, samples)))
            for seed in range(num_seeds)
        ]
        for point, name in enumerate(SETTINGS)
    }


def figures(codes: Codes, samples: Melody) -> dict[str, float]:
    """All figures of one model."""
    plain = {name: float(codes.figures[name]) for name in melody_codes.FIGURES}
    return plain | melody_codes.change_figures(codes.changes) | melody_codes.quality(samples)


def predicted(
    config: LikelihoodConfig, sequences: Sequences, num_seeds: int, num_updates: int
) -> list[Measures]:
    """What an LSTM tells from the events before alone, of all events but the first."""
    learner = likelihood(ENVIRONMENT, config, sequences)
    keys = jax.random.split(jax.random.key(2), num_seeds)
    result = train(learner, keys, num_updates, progress=False)
    model = sequence_model(ENVIRONMENT, config)
    events = events_of(sequences.held_out).T

    def accuracy(variables: PyTree, events: Array) -> Array:
        starts = jnp.zeros(events[1:].shape, jnp.bool_)
        memory = repeat_memory(model.init_memory(), events.shape[1])
        logits, _ = model.apply(variables, events[:-1], starts, memory, method="unroll")
        return (logits.argmax(axis=-1) == events[1:]).mean(dtype=jnp.float32)

    found = jax.jit(jax.vmap(accuracy, (0, None)))(result.state.best_variables, events)
    return [{FORCED: value} for value in found.tolist()]


def events_of(windows: Array) -> Array:
    """int32[N, T]: the events that `music_vae` learns of windows uint8[N, T + 1]."""
    return jnp.asarray(windows)[:, :-1].astype(jnp.int32)


def counted(sequences: Sequences, num_samples: int) -> dict[str, list[Measures]]:
    """What needs no model."""
    train_events, held_out = (
        np.asarray(events_of(part)) for part in (sequences.train, sequences.held_out)
    )
    common = np.bincount(train_events.ravel()).argmax()
    accuracy = float((held_out == common).mean())
    tunes = held_out[:num_samples]
    melodies = Melody(events=tunes, length=np.full(len(tunes), tunes.shape[1], np.int32))
    return {
        COMMON: [{FORCED: accuracy, RUNNING: accuracy}],
        TUNES: [melody_codes.quality(melodies)],
    }


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Codes tell what the events before do not; attributes and interpolations do what they say."""
    value = {(row.name, row.metric): row.value for row in rows}
    asked = [
        Goal(
            f"{name}: {FORCED}, minus that of {LIKELIHOOD}",
            0.0,
            value[name, FORCED] - value[LIKELIHOOD, FORCED],
        )
        for name in (PLAIN, FREE)
    ]
    asked.append(
        Goal(
            f"{FREE}: {RUNNING}, minus that of {COMMON}",
            0.0,
            value[FREE, RUNNING] - value[COMMON, RUNNING],
        )
    )
    for name in ATTRIBUTES:
        for way, sign in (("with", 1.0), ("without", -1.0)):
            metric = f"{name}: {way} its vector"
            what = f"{FREE}: {metric}, standard deviations {'up' if sign > 0 else 'down'}"
            asked.append(Goal(what, LEAST_CHANGE, sign * value[FREE, metric]))
    metric = "interpolation: steps away from the start"
    return [*asked, Goal(f"{FREE}: {metric}", LEAST_AWAY, value[FREE, metric])]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv, seeds_argument(NUM_SEEDS))
    compilation_cache.enable()
    quick = options.quick
    num_seeds = min(options.seeds, QUICK_SEEDS) if quick else options.seeds
    num_updates = QUICK_UPDATES if quick else NUM_UPDATES
    config, prior = (QUICK_CONFIG, QUICK_PRIOR) if quick else (CONFIG, PRIOR)
    sequences = sequences_of(QUICK_HELD_OUT if quick else NUM_HELD_OUT)
    found = coded(config, sequences, num_seeds, num_updates, quick)
    found[LIKELIHOOD] = predicted(prior, sequences, num_seeds, num_updates)
    found |= counted(sequences, QUICK_SAMPLES if quick else NUM_SAMPLES)
    changed = {LIKELIHOOD: str(record.changed_fields(prior))}
    for name in SETTINGS:
        changed[name] = str(record.changed_fields(config))
    rows = measured_rows(found, changed, {}, "")
    session.finish(rows, goals(rows), worker.device())


if __name__ == "__main__":
    main()
