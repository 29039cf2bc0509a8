"""creative_rl: all seeds in one program."""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

import jax

import creative_rl as crl
from benchmarks.speed import worker
from benchmarks.tables import learner_tasks
from creative_rl.typing import Learner

CONFIGS = {
    "ppo": crl.PPOConfig,
    "a2c": crl.A2CConfig,
    "reinforce": crl.ReinforceConfig,
    "dqn": crl.DQNConfig,
    "sac": crl.SACConfig,
}


def make_learner(
    environment: str, recipe: learner_tasks.Recipe, num_steps: int
) -> tuple[Learner, int]:
    """The learner, and how many updates take that many steps."""
    env = crl.interop.from_gymnax(environment)
    make, config = getattr(crl.learners, recipe.learner), CONFIGS[recipe.learner](**recipe.settings)
    num_updates = num_steps // make(env, config).steps_per_update
    if recipe.decays:
        config = dataclasses.replace(config, decay_updates=num_updates)
    return make(env, config), num_updates


def returns_of_seeds(learner: Learner, num_updates: int, keys: jax.Array) -> jax.Array:
    """float32[num_seeds]: mean returns at the end, of all seeds in one compiled program."""
    num_last = max(1, round(learner_tasks.LAST_SHARE * num_updates))

    def train(key: jax.Array) -> jax.Array:
        state, _ = jax.lax.scan(
            lambda state, _: (learner.update(state)[0], None),
            learner.init(key),
            length=num_updates - num_last,
        )
        _, last = jax.lax.scan(lambda state, _: learner.update(state), state, length=num_last)
        return (last["episode_return"] * last["num_episodes"]).sum() / last["num_episodes"].sum()

    return jax.jit(jax.vmap(train))(keys)


def main(environment: str, number: str, num_steps: str, num_seeds: str) -> None:
    worker.own_the_output()
    recipe = learner_tasks.chosen(environment, number)
    learner, num_updates = make_learner(environment, recipe, int(num_steps))

    def unit(number: int) -> Mapping[str, Any]:
        keys = jax.random.split(jax.random.key(number), int(num_seeds))
        returns = returns_of_seeds(learner, num_updates, keys)
        return {"steps": num_updates * learner.steps_per_update, "returns": returns.tolist()}

    worker.serve({"device": worker.device()}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
