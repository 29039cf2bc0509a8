"""purejaxrl (Lu et al., NeurIPS 2022): its `ppo.py` and `dqn.py`, unchanged, on today's packages.

It needs a checkout of luchris429/purejaxrl. What no longer fits is put in its way at run time:
gymnax environments step with five values again, `jax.tree_map` exists again, and brax, navix and
wandb, which are imported but not used here, are empty modules. Its per-update print is off.
"""

import importlib
import pathlib
import sys
import types
from collections.abc import Mapping
from typing import Any

import gymnax
import jax

from benchmarks.speed import settings, worker
from benchmarks.speed.contenders import five_values
from benchmarks.speed.contenders.compiled import compiled_unit, last_returns

UNUSED = {
    "brax": ("envs",),
    "brax.envs": (),
    "brax.envs.wrappers": (),
    "brax.envs.wrappers.training": ("EpisodeWrapper", "AutoResetWrapper"),
    "navix": (),
    "wandb": (),
}


def load(checkout: str, module: str) -> Any:
    """Import `ppo` or `dqn` from the checkout.

    Raises:
      FileNotFoundError: it is not there.
    """
    folder = pathlib.Path(checkout).resolve()
    if (folder / "purejaxrl").is_dir():
        folder /= "purejaxrl"
    if not (folder / f"{module}.py").is_file():
        raise FileNotFoundError(f"no {module}.py in the given checkout of purejaxrl")
    sys.path.insert(0, str(folder))
    for name, attributes in UNUSED.items():
        empty = types.ModuleType(name)
        for attribute in attributes:
            setattr(empty, attribute, object)
        sys.modules[name] = empty
    gymnax.make = five_values.make
    jax.tree_map = jax.tree.map
    theirs = importlib.import_module("wrappers")
    fitting = sys.modules["gymnax.wrappers.purerl"] = types.ModuleType("gymnax.wrappers.purerl")
    fitting.FlattenObservationWrapper = theirs.FlattenObservationWrapper
    fitting.LogWrapper = theirs.LogWrapper
    return importlib.import_module(module)


def ppo_config(task: settings.PPOTask) -> dict[str, Any]:
    return {
        "LR": task.learning_rate,
        "NUM_ENVS": task.num_envs,
        "NUM_STEPS": task.num_steps,
        "TOTAL_TIMESTEPS": task.num_updates * task.steps_per_update,
        "UPDATE_EPOCHS": task.num_epochs,
        "NUM_MINIBATCHES": task.num_minibatches,
        "GAMMA": task.gamma,
        "GAE_LAMBDA": task.gae_lambda,
        "CLIP_EPS": task.clip_eps,
        "ENT_COEF": task.entropy_coef,
        "VF_COEF": task.value_coef,
        "MAX_GRAD_NORM": task.max_grad_norm,
        "ACTIVATION": "tanh",
        "ENV_NAME": settings.ENVIRONMENT,
        "ANNEAL_LR": True,
        "DEBUG": False,
    }


def dqn_config(task: settings.DQNTask) -> dict[str, Any]:
    return {
        "NUM_ENVS": task.num_envs,
        "BUFFER_SIZE": task.replay_size,
        "BUFFER_BATCH_SIZE": task.batch_size,
        "TOTAL_TIMESTEPS": task.num_updates * task.num_envs,
        "EPSILON_START": task.epsilon_start,
        "EPSILON_FINISH": task.epsilon_end,
        "EPSILON_ANNEAL_TIME": task.epsilon_steps,
        "TARGET_UPDATE_INTERVAL": task.target_steps,
        "LR": task.learning_rate,
        "LEARNING_STARTS": task.learning_starts,
        "TRAINING_INTERVAL": task.num_envs,
        "LR_LINEAR_DECAY": False,
        "GAMMA": task.gamma,
        "TAU": 1.0,
        "ENV_NAME": settings.ENVIRONMENT,
        "WANDB_MODE": "disabled",
    }


def report(result: Mapping[str, Any]) -> dict[str, float]:
    metrics = result["metrics"]
    return last_returns(metrics["returned_episode_returns"], metrics["returned_episode"])


def main(name: str, quick: str, checkout: str) -> None:
    worker.own_the_output()
    task = settings.tasks(quick == "quick")[name]
    if isinstance(task, settings.PPOTask):
        train = load(checkout, "ppo").make_train(ppo_config(task))
        steps, read = task.num_updates * task.steps_per_update, report
    else:
        train = load(checkout, "dqn").make_train(dqn_config(task))
        steps, read = task.num_updates * task.num_envs, lambda result: {}
    build, unit = compiled_unit(train, steps, jax.random.PRNGKey, read)
    found = worker.versions("gymnax", "distrax", "flashbax")
    worker.serve({"build": build, "versions": found}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
