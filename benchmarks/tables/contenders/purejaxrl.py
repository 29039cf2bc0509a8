"""purejaxrl: its `ppo.py` on a checkout, seed after seed with one compilation.

It could train its seeds in one program, too; but on two processors the orthogonal draws of its
first weights, as many as there are seeds at once, wait for each other and never end.
"""

import sys
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.speed import worker
from benchmarks.speed.contenders.purejaxrl import load
from benchmarks.tables import learner_tasks


def main(environment: str, number: str, num_steps: str, num_seeds: str, checkout: str) -> None:
    worker.own_the_output()
    settings = learner_tasks.chosen(environment, number).settings
    asked = {"ENV_NAME": environment, "TOTAL_TIMESTEPS": int(num_steps), "DEBUG": False}
    config = {**settings, **asked}
    train = load(checkout, "ppo").make_train(config)  # which also counts the updates
    num_last = max(1, round(learner_tasks.LAST_SHARE * config["NUM_UPDATES"]))

    @jax.jit
    def last_return(key: jax.Array) -> jax.Array:
        metrics = train(key)["metrics"]
        ended = metrics["returned_episode"][-num_last:]
        returns = metrics["returned_episode_returns"][-num_last:]
        return jnp.where(ended, returns, 0).sum() / ended.sum()

    def unit(number: int) -> Mapping[str, Any]:
        keys = jax.random.split(jax.random.PRNGKey(number), int(num_seeds))
        steps = config["NUM_UPDATES"] * config["NUM_ENVS"] * config["NUM_STEPS"]
        return {"steps": steps, "returns": [float(last_return(key)) for key in keys]}

    worker.serve({"versions": worker.versions("gymnax", "distrax")}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
