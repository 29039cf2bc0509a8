"""rejax: its PPO, DQN and SAC, without evaluation, on gymnax environments of five values.

Its Q-network has 64-64 units whatever one asks for, so it is replaced by one of the task's sizes;
its gradients are clipped at a bound that they do not reach. Its SAC takes
three gradient steps where ours takes one of all three, and clips the deviation's logarithm at other
bounds; layers, batches and the number of gradients are the same.
"""

import sys
from typing import Any

import jax
import rejax

from benchmarks.speed import settings, worker
from benchmarks.speed.contenders import five_values
from benchmarks.speed.contenders.compiled import compiled_unit


def ppo(task: settings.PPOTask) -> Any:
    env, params = five_values.make(settings.ENVIRONMENT)
    steps = task.num_updates * task.steps_per_update
    return rejax.PPO.create(
        env=env,
        env_params=params,
        num_envs=task.num_envs,
        num_steps=task.num_steps,
        num_epochs=task.num_epochs,
        num_minibatches=task.num_minibatches,
        learning_rate=task.learning_rate,
        max_grad_norm=task.max_grad_norm,
        gamma=task.gamma,
        gae_lambda=task.gae_lambda,
        clip_eps=task.clip_eps,
        ent_coef=task.entropy_coef,
        vf_coef=task.value_coef,
        total_timesteps=steps,
        eval_freq=steps,
        skip_initial_evaluation=True,
        agent_kwargs={"activation": "tanh", "hidden_layer_sizes": (task.hidden_size,) * 2},
    )


def dqn(task: settings.DQNTask) -> Any:
    env, params = five_values.make(settings.ENVIRONMENT)
    steps = task.num_updates * task.num_envs
    algorithm = rejax.DQN.create(
        env=env,
        env_params=params,
        num_envs=task.num_envs,
        buffer_size=task.replay_size,
        fill_buffer=task.learning_starts,
        batch_size=task.batch_size,
        num_epochs=1,
        learning_rate=task.learning_rate,
        max_grad_norm=1e6,
        gamma=task.gamma,
        ddqn=False,
        eps_start=task.epsilon_start,
        eps_end=task.epsilon_end,
        exploration_fraction=min(1.0, task.epsilon_steps / steps),
        target_update_freq=task.target_steps,
        polyak=0.0,
        total_timesteps=steps,
        eval_freq=steps,
        skip_initial_evaluation=True,
        agent_kwargs={"activation": "relu"},
    )
    return algorithm.replace(agent=algorithm.agent.clone(hidden_layer_sizes=task.hidden_sizes))


def sac(task: settings.SACTask) -> Any:
    env, params = five_values.make(settings.CONTINUOUS)
    return rejax.SAC.create(
        env=env,
        env_params=params,
        num_envs=task.num_envs,
        buffer_size=task.replay_size,
        fill_buffer=task.learning_starts,
        batch_size=task.batch_size,
        num_epochs=1,
        hidden_layer_sizes=task.hidden_sizes,
        learning_rate=task.learning_rate,
        gamma=task.gamma,
        polyak=1 - task.target_tau,
        total_timesteps=task.num_updates * task.num_envs,
        eval_freq=task.num_updates * task.num_envs,
        skip_initial_evaluation=True,
    )


def main(name: str, quick: str) -> None:
    worker.own_the_output()
    task = settings.tasks(quick == "quick")[name]
    if isinstance(task, settings.PPOTask):
        algorithm, steps = ppo(task), task.num_updates * task.steps_per_update
    else:
        algorithm = dqn(task) if isinstance(task, settings.DQNTask) else sac(task)
        steps = task.num_updates * task.num_envs
    algorithm = algorithm.replace(eval_callback=lambda algorithm, state, key: ())
    build, unit = compiled_unit(algorithm.train, steps, jax.random.PRNGKey)
    worker.serve({"build": build, "versions": worker.versions("rejax", "gymnax")}, {"train": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
