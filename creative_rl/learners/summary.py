"""What learners report of the episodes that they collected."""

import jax.numpy as jnp

from creative_rl.typing import Array, Timestep


def episode_metrics(timesteps: Timestep) -> dict[str, Array]:
    """Scalars from timesteps of an `AutoReset(EpisodeLog(env))`, leaves [T, B].

    `num_episodes` counts those that ended; `episode_return` and `episode_length` are means over
    them, and zero where none did. `term_*` are means of the reward terms over all steps.
    """
    num_episodes = timesteps.ended.sum(dtype=jnp.int32)
    metrics = {"num_episodes": num_episodes}
    for name, value in timesteps.info["episode"].items():
        total = jnp.where(timesteps.ended, value, 0).sum()
        metrics[f"episode_{name}"] = total / jnp.maximum(num_episodes, 1)
    for name, value in timesteps.info["reward_terms"].items():
        metrics[f"term_{name}"] = value.mean()
    return metrics
