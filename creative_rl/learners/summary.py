"""What learners report of the episodes that they collected."""

import jax.numpy as jnp

from creative_rl.typing import Array, Timestep


def episode_metrics(timesteps: Timestep, played: Array | None = None) -> dict[str, Array]:
    """Scalars from timesteps of an `EpisodeLog`, leaves [T, B].

    `num_episodes` counts those that ended; `episode_return` and `episode_length` are means over
    them, and zero where none did. `term_*` are means of the reward terms over all steps.

    Args:
      timesteps: what each step led to.
      played: bool[T, B], False for steps past an episode's end, which do not count; None where
        all do.
    """
    if played is None:
        played = jnp.ones_like(timesteps.terminated)
    ended = timesteps.ended & played
    num_episodes = ended.sum(dtype=jnp.int32)
    metrics = {"num_episodes": num_episodes}
    for name, value in timesteps.info["episode"].items():
        total = jnp.where(ended, value, 0).sum()
        metrics[f"episode_{name}"] = total / jnp.maximum(num_episodes, 1)
    for name, value in timesteps.info["reward_terms"].items():
        metrics[f"term_{name}"] = jnp.where(played, value, 0.0).sum() / played.sum()
    return metrics
