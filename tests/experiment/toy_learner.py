"""A linear regressor that draws its own data: the smallest thing that can be trained."""

import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key, Learner, PyTree


def toy_learner(
    nan_at: int | None = None, finish_at: int | None = None, traces: list | None = None
) -> Learner:
    """A learner of 16 examples an update.

    Args:
      nan_at: update whose gradient is NaN, so that the metrics of the next are.
      finish_at: update after which it has finished.
      traces: gets an item for every trace of `update`.
    """

    def init(key: Key) -> PyTree:
        key, key_weights = jax.random.split(key)
        weights = jax.random.normal(key_weights, (8,))
        return {"weights": weights, "slow": weights, "key": key, "count": jnp.int32(0)}

    def learn(state: PyTree) -> tuple[PyTree, dict[str, Array]]:
        key, key_data = jax.random.split(state["key"])
        inputs = jax.random.normal(key_data, (16, 8))

        def loss_fn(weights: Array) -> Array:
            return jnp.square(inputs @ weights - inputs.sum(1)).mean()

        loss, gradient = jax.value_and_grad(loss_fn)(state["weights"])
        count = state["count"] + 1
        if nan_at is not None:
            gradient = jnp.where(count == nan_at, jnp.nan, gradient)
        weights = state["weights"] - 0.05 * gradient
        slow = 0.9 * state["slow"] + 0.1 * state["weights"]
        episodes = (count % 3 == 0).astype(jnp.int32)
        metrics = {
            "loss": loss,
            "num_episodes": episodes,
            "episode_return": jnp.where(episodes > 0, loss, 0),
        }
        return {"weights": weights, "slow": slow, "key": key, "count": count}, metrics

    def update(state: PyTree) -> tuple[PyTree, dict[str, Array]]:
        if traces is not None:
            traces.append(None)
        new_state, metrics = learn(state)
        if finish_at is None:
            return new_state, metrics
        is_over = state["count"] >= finish_at
        state = jax.tree.map(lambda old, new: jnp.where(is_over, old, new), state, new_state)
        return state, metrics | {"finished": state["count"] >= finish_at}

    def act(state: PyTree, key: Key, timestep: PyTree, memory: PyTree) -> tuple[Array, PyTree]:
        return jnp.int32(0), memory

    return Learner(init, update, act, tuple, 16)
