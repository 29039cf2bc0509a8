"""Stable-Baselines3: PyTorch with one thread. May run in an interpreter of its own, without JAX."""

import sys
import warnings
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import settings, worker


def ppo(task: settings.PPOTask) -> Any:
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    return PPO(
        "MlpPolicy",
        make_vec_env(settings.ENVIRONMENT, n_envs=task.num_envs),
        n_steps=task.num_steps,
        batch_size=task.steps_per_update // task.num_minibatches,
        n_epochs=task.num_epochs,
        learning_rate=task.learning_rate,
        gamma=task.gamma,
        gae_lambda=task.gae_lambda,
        clip_range=task.clip_eps,
        clip_range_vf=task.clip_eps,
        ent_coef=task.entropy_coef,
        vf_coef=task.value_coef,
        max_grad_norm=task.max_grad_norm,
        policy_kwargs={"net_arch": [task.hidden_size] * 2, "activation_fn": torch.nn.Tanh},
        device="cpu",
    )


def dqn(task: settings.DQNTask) -> Any:
    from stable_baselines3 import DQN
    from stable_baselines3.common.env_util import make_vec_env

    return DQN(
        "MlpPolicy",
        make_vec_env(settings.ENVIRONMENT, n_envs=task.num_envs),
        learning_rate=task.learning_rate,
        buffer_size=task.replay_size,
        learning_starts=task.num_envs * task.torch_updates // 2,  # inside the warm-up
        batch_size=task.batch_size,
        gamma=task.gamma,
        train_freq=1,
        gradient_steps=1,
        target_update_interval=task.target_steps,
        exploration_fraction=1.0,
        exploration_initial_eps=task.epsilon_start,
        exploration_final_eps=task.epsilon_end,
        max_grad_norm=1e6,
        policy_kwargs={"net_arch": list(task.hidden_sizes)},
        device="cpu",
    )


def sac(task: settings.SACTask) -> Any:
    """Three gradient steps, of policy, critics and temperature, where ours takes one of all."""
    from stable_baselines3 import SAC
    from stable_baselines3.common.env_util import make_vec_env

    return SAC(
        "MlpPolicy",
        make_vec_env(settings.CONTINUOUS, n_envs=task.num_envs),
        learning_rate=task.learning_rate,
        buffer_size=task.replay_size,
        learning_starts=task.learning_starts,
        batch_size=task.batch_size,
        tau=task.target_tau,
        gamma=task.gamma,
        train_freq=1,
        gradient_steps=1,
        ent_coef="auto",
        policy_kwargs={"net_arch": list(task.hidden_sizes)},
        device="cpu",
    )


def main(name: str, quick: str) -> None:
    worker.own_the_output()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    task = settings.tasks(quick == "quick")[name]
    if isinstance(task, settings.PPOTask):
        model, steps = ppo(task), task.torch_updates * task.steps_per_update
    else:
        model = dqn(task) if isinstance(task, settings.DQNTask) else sac(task)
        steps = task.torch_updates * task.num_envs
    model.learn(steps)  # warm-up

    def unit(number: int) -> Mapping[str, Any]:
        before = model.num_timesteps
        model.learn(steps, reset_num_timesteps=False)
        return {"steps": model.num_timesteps - before}

    versions = worker.versions("stable-baselines3", "torch", "gymnasium")
    worker.serve({"versions": versions}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
