"""What generated clips are measured by, and what they are measured beside.

The drifts are those of `creative_rl.ops.clips`, after MoCoGAN's average content distance.
Discriminability is the accuracy of a classifier that begins anew for every set of clips and sees
whole clips, in space and time: 0.5 where it cannot tell them from real ones, 1 where it always can.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from creative_rl.networks.clips import ClipEncoder
from creative_rl.ops import clips as measures
from creative_rl.typing import Array, Key, PyTree

DISCRIMINABILITY = "discriminability"
_BLOCK = 8  # clips that are measured at once
_RATE = 1e-3
_BATCH = 16  # real clips in a step of the classifier, and as many others
_NUM_COMPONENTS = 64
_SHIFT, _DIMMED = 1 / 16, 0.5  # of frames with noise: most, in sides, and least of a channel


def drifts(clips: np.ndarray) -> dict[str, float]:
    """Means of what drifts in clips uint8[N, T, H, W, 3]."""
    found = np.asarray(_drifts(jnp.asarray(clips))).mean(axis=0)
    return dict(zip(("colour drift", "motion", "jolt"), found.tolist(), strict=True))


@jax.jit
def _drifts(clips: Array) -> Array:
    """float32[N, 3]"""

    def one(clip: Array) -> Array:
        shown = measures.content(clip.astype(jnp.float32) / 255)
        return jnp.stack(
            [measures.colour_drift(shown), measures.motion(shown), measures.jolt(shown)]
        )

    return jax.lax.map(one, clips, batch_size=_BLOCK)


def discriminability(
    real: np.ndarray, made: np.ndarray, seed: int, channels: tuple[int, ...], num_steps: int
) -> float:
    """Accuracy, 0..1, of a classifier on the second halves, after learning from the first.

    Args:
      real: uint8[N, T, H, W, 3], in no order.
      made: likewise, of the same shape.
      seed: of the classifier.
      channels: of its layers.
      num_steps: that it learns for.
    """
    if real.shape != made.shape or len(real) < 4:
        raise ValueError(
            f"discriminability: both sets must be of one shape, of four clips or more, got "
            f"{real.shape} and {made.shape}"
        )
    half = len(real) // 2
    both = [jnp.asarray(np.concatenate([part, other])) for part, other in (
        (real[:half], made[:half]), (real[half : 2 * half], made[half : 2 * half]),
    )]  # fmt: skip
    return float(_accuracy(jax.random.key(seed), *both, channels, num_steps))


@functools.partial(jax.jit, static_argnums=(3, 4))
def _accuracy(
    key: Key, known: Array, unknown: Array, channels: tuple[int, ...], num_steps: int
) -> Array:
    """Of clips [2 M, ...], of which the first M are real."""
    network: Any = ClipEncoder(1, channels)
    optimizer = optax.adam(_RATE)
    half = known.shape[0] // 2
    key_init, key_steps = jax.random.split(key)

    def scores(variables: PyTree, clips: Array) -> Array:
        return network.apply(variables, clips.astype(jnp.float32) / 255)[:, 0]

    def step(carry: tuple[PyTree, PyTree], key: Key) -> tuple[tuple[PyTree, PyTree], None]:
        variables, opt_state = carry
        rows = jax.random.randint(key, (2, _BATCH), 0, half) + jnp.array([[0], [half]])

        def loss(variables: PyTree) -> Array:
            real, made = jnp.split(scores(variables, known[rows.ravel()]), 2)
            return (jax.nn.softplus(-real) + jax.nn.softplus(made)).mean()

        gradients = jax.grad(loss)(variables)
        updates, opt_state = optimizer.update(gradients, opt_state)
        return (optax.apply_updates(variables, updates), opt_state), None

    variables = network.init(key_init, jnp.zeros(known.shape[1:], jnp.float32))
    keys = jax.random.split(key_steps, num_steps)
    (variables, _), _ = jax.lax.scan(step, (variables, optimizer.init(variables)), keys)
    found = jax.lax.map(lambda clip: scores(variables, clip[None])[0], unknown, batch_size=_BLOCK)
    real, made = jnp.split(found, 2)
    return 0.5 * ((real > 0).mean(dtype=jnp.float32) + (made <= 0).mean(dtype=jnp.float32))


# Baselines: from clips to learn from, uint8[M, T, H, W, 3], a number N up to M and a seed to N
# clips.


def shuffled(clips: np.ndarray, num: int, seed: int) -> np.ndarray:
    """Frames of a real clip in disorder."""
    rng, length = np.random.default_rng(seed), clips.shape[1]
    order = rng.permuted(np.tile(np.arange(length), (num, 1)), axis=1)
    return np.take_along_axis(clips[:num], order[:, :, None, None, None], axis=1)


def static(clips: np.ndarray, num: int, seed: int) -> np.ndarray:
    """One frame of a real clip, again and again."""
    chosen = np.random.default_rng(seed).integers(clips.shape[1], size=num)
    return np.repeat(clips[np.arange(num), chosen][:, None], clips.shape[1], axis=1)


def noisy(clips: np.ndarray, num: int, seed: int) -> np.ndarray:
    """Frames of a real clip, each moved and tinted by noise of its own."""
    rng, (_, length, height, width, channels) = np.random.default_rng(seed), clips.shape
    tints = rng.uniform(_DIMMED, 1.0, (num, length, 1, 1, channels))
    moved = np.empty_like(clips[:num])
    down, across = (
        rng.integers(-most, most + 1, (num, length))
        for most in (max(1, round(_SHIFT * height)), max(1, round(_SHIFT * width)))
    )
    for row in range(num):
        for frame in range(length):
            moved[row, frame] = np.roll(
                clips[row, frame], (down[row, frame], across[row, frame]), axis=(0, 1)
            )
    return np.rint(moved * tints).astype(np.uint8)


def gaussian(clips: np.ndarray, num: int, seed: int) -> np.ndarray:
    """A Gaussian in the space of the first 64 principal components of whole clips."""
    flat = clips.reshape(len(clips), -1).astype(np.float32)
    mean = flat.mean(axis=0)
    flat -= mean
    values, vectors = np.linalg.eigh(flat @ flat.T)
    count = min(_NUM_COMPONENTS, len(clips) - 1)
    values, vectors = values[-count:], vectors[:, -count:]
    # Component k is flat.T v_k / sqrt(value_k), and its deviation sqrt(value_k / M).
    noise = np.random.default_rng(seed).normal(size=(num, count)) / np.sqrt(len(clips))
    drawn = mean + (noise @ vectors.T).astype(np.float32) @ flat
    return np.rint(np.clip(drawn, 0, 255)).astype(np.uint8).reshape(num, *clips.shape[1:])


BASELINES: Mapping[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "shuffled frames": shuffled,
    "static frames": static,
    "noise in every frame": noisy,
    "Gaussian, PCA 64": gaussian,
}
"""By name in the table."""
