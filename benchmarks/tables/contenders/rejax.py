"""rejax: its SAC, all seeds in one program; its environments also count what episodes return."""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import rejax

from benchmarks.speed import worker
from benchmarks.speed.contenders import five_values
from benchmarks.tables import learner_tasks


class Counted(NamedTuple):
    """The environment's state, the return so far, and of all ended episodes sum and number."""

    env: Any
    running: jax.Array
    total: jax.Array
    num: jax.Array


class CountsReturns:
    """An environment of five values whose state knows the returns of its episodes."""

    def __init__(self, env: Any):
        self._env = env

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_env":  # copying asks before `_env` is there
            raise AttributeError(name)
        return getattr(self._env, name)

    def reset(self, key: jax.Array, params: Any) -> tuple[Any, Counted]:
        observation, state = self._env.reset(key, params)
        return observation, Counted(state, jnp.float32(0), jnp.float32(0), jnp.float32(0))

    def step(self, key: jax.Array, state: Counted, action: Any, params: Any) -> tuple[Any, ...]:
        observation, env_state, reward, done, info = self._env.step(key, state.env, action, params)
        running = state.running + reward
        counted = Counted(
            env_state,
            running=jnp.where(done, 0.0, running),
            total=state.total + jnp.where(done, running, 0.0),
            num=state.num + done,
        )
        return observation, counted, reward, done, info


def main(environment: str, number: str, num_steps: str, num_seeds: str) -> None:
    worker.own_the_output()
    env, params = five_values.make(environment)
    steps = int(num_steps)
    recipe = learner_tasks.chosen(environment, number)
    algorithm = getattr(rejax, recipe.learner.upper()).create(
        env=CountsReturns(env),
        env_params=params,
        total_timesteps=steps,
        eval_freq=round(learner_tasks.LAST_SHARE * steps),
        skip_initial_evaluation=True,
        **recipe.settings,
    )
    # In place of evaluations: what the training environments have counted so far.
    algorithm = algorithm.replace(
        eval_callback=lambda algorithm, state, key: (
            state.env_state.total.sum(),
            state.env_state.num.sum(),
        )
    )

    def last_return(key: jax.Array) -> jax.Array:
        _, (total, num) = algorithm.train(key)
        return (total[-1] - total[-2]) / (num[-1] - num[-2])

    def unit(number: int) -> Mapping[str, Any]:
        keys = jax.random.split(jax.random.PRNGKey(number), int(num_seeds))
        return {"steps": steps, "returns": jax.jit(jax.vmap(last_return))(keys).tolist()}

    worker.serve({"versions": worker.versions("rejax", "gymnax")}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
