"""Stable-Baselines3: seed after seed. May run in an interpreter of its own, without JAX."""

import itertools
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import worker
from benchmarks.tables import learner_tasks


def last_return(returns: list[float], lengths: list[int], num_steps: int) -> float:
    """The mean return of episodes that ended in the last share of the steps of one environment."""
    ends = itertools.accumulate(lengths)
    after = (1 - learner_tasks.LAST_SHARE) * num_steps
    last = [value for value, end in zip(returns, ends, strict=True) if end > after]
    return sum(last) / len(last)


def main(environment: str, number: str, num_steps: str, num_seeds: str) -> None:
    worker.own_the_output()
    warnings.simplefilter("ignore")
    import stable_baselines3
    import torch
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(1)
    recipe, steps = learner_tasks.chosen(environment, number), int(num_steps)
    make = getattr(stable_baselines3, recipe.learner.upper())

    def train(seed: int) -> float:
        envs = make_vec_env(environment, n_envs=1, seed=seed)
        make("MlpPolicy", envs, seed=seed, device="cpu", **recipe.settings).learn(steps)
        (returns,), (lengths,) = (
            envs.env_method(name) for name in ("get_episode_rewards", "get_episode_lengths")
        )
        return last_return(returns, lengths, steps)

    def unit(number: int) -> Mapping[str, Any]:
        seeds = range(number, number + int(num_seeds))
        return {"steps": steps, "returns": [train(seed) for seed in seeds]}

    versions = worker.versions("stable-baselines3", "torch", "gymnasium")
    worker.serve({"versions": versions}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
