"""What the learners from example pictures and clips share: their demands, and how their works are
probed."""

from typing import Any

import jax
import jax.numpy as jnp

from creative_rl.axes import spread
from creative_rl.learners import requirements
from creative_rl.networks.pictures import check_size
from creative_rl.ops import clips as measures
from creative_rl.ops import variety
from creative_rl.spaces import Box
from creative_rl.typing import Array, Key, PyTree

NUM_NEIGHBOURS = 5
"""Of the balls that recall is measured with."""


def picture_shape(learner: str, env: Any) -> tuple[int, int, int]:
    """(H, W, C) of the pictures that are the environment's actions.

    Raises:
      ValueError: its actions are something else, it has no horizon, or it resets itself.
    """
    return _shape_of(learner, env, "a picture, Box(0, 1, (H, W, C))", 3, "drawing-pixels")


def clip_shape(learner: str, env: Any) -> tuple[int, int, int, int]:
    """(T, H, W, C) of the clips that are the environment's actions.

    Raises:
      ValueError: its actions are something else, it has no horizon, or it resets itself.
    """
    return _shape_of(learner, env, "a clip, Box(0, 1, (T, H, W, C))", 4, "animation-pixels")


def _shape_of(learner: str, env: Any, what: str, num_axes: int, example: str) -> tuple:
    space: Any = getattr(env, "action_space", None)
    is_such = isinstance(space, Box) and len(space.shape) == num_axes
    if not is_such or (space.low, space.high) != (0.0, 1.0):
        raise ValueError(
            f"{learner} takes environments whose action is {what}, such as {example}; got "
            f"{env if space is None else space}"
        )
    requirements.never_resets(learner, env)
    requirements.fixed_horizon(learner, env)
    return space.shape


def check_examples(learner: str, env: Any, params: PyTree) -> None:
    """Refuse an environment without pictures to learn from, or with others than its actions are."""
    shape = env.action_space.shape
    examples = jax.eval_shape(env.examples, params)
    if examples.dtype != jnp.uint8 or examples.shape[1:] != shape or not examples.shape[0]:
        raise ValueError(
            f"{learner}: examples must be uint8[M, {', '.join(map(str, shape))}] with M at "
            f"least 1, got {examples.dtype}{list(examples.shape)}"
        )


def check_sizes(learner: str, shape: tuple[int, int, int], config: Any) -> None:
    """Refuse sizes that do not fit the pictures, or are too small to measure."""
    check_num_probes(learner, "num_probes", config.num_probes)
    if config.network == "conv":
        check_size(shape[:2], config.channels)


def check_num_probes(learner: str, name: str, num: int) -> None:
    """Refuse fewer pictures than recall looks at."""
    if num <= NUM_NEIGHBOURS:
        raise ValueError(
            f"{learner}: {name} must be above {NUM_NEIGHBOURS}, the neighbours that recall looks "
            f"at, got {num}"
        )


def sample_examples(key: Key, examples: Array, num: int) -> Array:
    """float32[num, ...] in 0..1: of the examples uint8[M, ...], with replacement."""
    rows = jax.random.randint(key, (num,), 0, examples.shape[0])
    return spread(examples[rows], axis=0).astype(jnp.float32) / 255.0


def probe_metrics(real: Array, made: Array) -> dict[str, Array]:
    """How varied pictures are, by their pixels; both float32[N, ...] in 0..1.

    `recall`: share of the real pictures among the made ones, 0..1. `vendi`: the effective number of
    different made pictures, 1..N, where two count as different once they are as far apart as
    real ones are in the mean. Either falls when modes collapse.
    """
    real, made = real.reshape(real.shape[0], -1), made.reshape(made.shape[0], -1)
    typical = variety.squared_distances(real, real).mean()
    similarities = variety.gaussian_similarities(made, typical)
    return {
        "recall": variety.neighbour_recall(real, made, NUM_NEIGHBOURS),
        "vendi": variety.vendi_score(similarities),
    }


def clip_metrics(clips: Array) -> dict[str, Array]:
    """Whether the frames of clips float32[N, T, H, W, C] in 0..1 belong together: their means of
    `colour_drift`, `motion` and `jolt` (see `ops.clips`)."""
    shown = jax.vmap(measures.content)(clips)
    return {
        "colour_drift": jax.vmap(measures.colour_drift)(shown).mean(),
        "motion": jax.vmap(measures.motion)(shown).mean(),
        "jolt": jax.vmap(measures.jolt)(shown).mean(),
    }
