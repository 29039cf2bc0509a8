"""What the latent vectors of melodies are good for: reconstruction, interpolation and attributes.

Letters: `N` melodies of `T` events, `L` width of a latent vector, `K` places of an interpolation.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import metrics
from creative_rl.learners.music_vae import MusicCodec
from creative_rl.ops import distributions, variational
from creative_rl.ops.events import LOWEST_CODE
from creative_rl.ops.latents import attribute_vector, interpolate
from creative_rl.typing import Array, Key, PyTree
from creative_rl.works import Melody

ATTRIBUTES = ("density", "pitch", "interval")
FIGURES = (
    "accuracy, teacher-forced",
    "accuracy, free-running",
    "nats an event, teacher-forced",
    "kl, nats a melody",
    "interpolation: steps away from the start",
    "interpolation: largest step",
)
NUM_PLACES = 9
"""Of an interpolation, both ends among them."""


class Codes(NamedTuple):
    """What was decoded of a model's latent vectors."""

    figures: dict[str, Array]
    """those of `FIGURES`, each a scalar"""
    changes: Array
    """float32[2, 3, 3]: with and without each vector (rows), what each attribute changed by, in
    standard deviations of the melodies' own"""


def attributes_of(events: Array) -> Array:
    """float32[3]: of events int[T] those of `ATTRIBUTES`.

    Notes over steps; the mean of the notes' pitches in semitones, and of the sizes of the intervals
    from each note to the next, 0 where there is none.
    """
    is_note = events >= LOWEST_CODE
    num_notes = is_note.sum(dtype=jnp.int32)
    last = jax.lax.cummax(jnp.where(is_note, jnp.arange(events.shape[0], dtype=jnp.int32), -1))
    before = jnp.concatenate([jnp.full(1, -1, jnp.int32), last[:-1]])
    sizes = jnp.abs(events - events[jnp.maximum(before, 0)])
    total_size = jnp.where(is_note & (before >= 0), sizes, 0).sum(dtype=jnp.int32)
    return jnp.stack(
        [
            num_notes / events.shape[0],
            jnp.where(is_note, events - LOWEST_CODE, 0).sum() / jnp.maximum(num_notes, 1),
            total_size / jnp.maximum(num_notes - 1, 1),
        ]
    ).astype(jnp.float32)


def attribute_vectors(latents: Array, attributes: Array) -> Array:
    """float32[3, L]: of latents [N, L] the upper quarter's mean less the lower's, by each of the
    attributes float32[N, 3]."""
    quarter = latents.shape[0] // 4
    has = jnp.arange(2 * quarter) >= quarter

    def vector(values: Array) -> Array:
        order = jnp.argsort(values)
        chosen = jnp.concatenate([order[:quarter], order[latents.shape[0] - quarter :]])
        return attribute_vector(latents[chosen], has)

    return jax.vmap(vector, in_axes=1)(attributes)


def path_figures(paths: Array) -> dict[str, Array]:
    """Of melodies int[N, K, T] along interpolations: how even the way is.

    `interpolation: steps away from the start`: the share of steps after which no more events are
    those of the start than before. `interpolation: largest step`: events that differ from one place
    to the next, at most, over those that differ between the ends; 1 over K - 1 on an even way.
    """
    away = (paths != paths[:, :1]).mean(axis=-1, dtype=jnp.float32)
    steps = (paths[:, 1:] != paths[:, :-1]).mean(axis=-1, dtype=jnp.float32)
    one_event = 1 / paths.shape[-1]
    return {
        "interpolation: steps away from the start": (away[:, 1:] >= away[:, :-1]).mean(
            dtype=jnp.float32
        ),
        "interpolation: largest step": (
            steps.max(axis=1) / jnp.maximum(away[:, -1], one_event)
        ).mean(),
    }


def measure_codes(
    codec: MusicCodec, state: PyTree, known: Array, events: Array, num: int, key: Key
) -> Codes:
    """Figures of one model.

    Args:
      codec: of the model.
      state: its learner's.
      known: int[M, T], what attribute vectors are found with.
      events: int[N, T], held out.
      num: how many of these are given attributes, and half as many pairs interpolated; at most N.
      key: of the episodes that decoding plays, which decide nothing.
    """
    mean, log_variance = codec.encode(state, events)
    logits = codec.predict(state, mean, events)
    nll = -distributions.categorical_log_prob(logits, events)
    kl = variational.standard_normal_kl(mean, log_variance).sum(axis=-1)
    vectors = attribute_vectors(codec.encode(state, known)[0], jax.vmap(attributes_of)(known))
    some, half = mean[:num], num // 2
    moved = jnp.stack([some + vectors[:, None], some - vectors[:, None]])  # [2, 3, num, L]
    paths = jax.vmap(interpolate, (0, 0, None))(some[:half], some[half : 2 * half], NUM_PLACES)
    parts = [mean, moved.reshape(-1, mean.shape[1]), paths.reshape(-1, mean.shape[1])]
    found = codec.decode(state, key, jnp.concatenate(parts), 0.0).events
    again, moved, paths = jnp.split(found, np.cumsum([len(part) for part in parts])[:-1])
    own = jax.vmap(attributes_of)(again)
    changed = jax.vmap(attributes_of)(moved).reshape(2, len(ATTRIBUTES), num, -1)
    spread = jax.vmap(attributes_of)(events).std(axis=0)
    changes = (changed - own[:num]).mean(axis=2) / jnp.maximum(spread, 1e-6)
    return Codes(
        {
            "accuracy, teacher-forced": (logits.argmax(axis=-1) == events).mean(dtype=jnp.float32),
            "accuracy, free-running": (again == events).mean(dtype=jnp.float32),
            "nats an event, teacher-forced": nll.mean(),
            "kl, nats a melody": kl.mean(),
            **path_figures(paths.reshape(half, NUM_PLACES, -1)),
        },
        changes,
    )


def change_figures(changes: np.ndarray) -> dict[str, float]:
    """Of `Codes.changes` what each vector does to its own attribute, and at most to another."""
    found = {}
    for number, name in enumerate(ATTRIBUTES):
        others = np.delete(changes[:, number], number, axis=1)
        found[f"{name}: with its vector"] = float(changes[0, number, number])
        found[f"{name}: without its vector"] = float(changes[1, number, number])
        found[f"{name}: its vector on others, at most"] = float(np.abs(others).max())
    return found


def quality(melodies: Melody) -> dict[str, float]:
    """What tells samples from tunes: how different they are, and whether they keep to the key."""
    return {
        "distinct works": metrics.distinct_works(melodies),
        "self-BLEU": metrics.self_bleu(melodies),
        "notes not in key": metrics.rl_tuner_metrics(melodies)["notes_not_in_key"],
    }
