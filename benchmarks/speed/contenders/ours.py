"""creative_rl: PPO and DQN on CartPole, SAC on Pendulum, and recurrent learners on melodies."""

import dataclasses
import pathlib
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import jax

import creative_rl as crl
from benchmarks.speed import settings, worker
from benchmarks.speed.contenders.compiled import compiled_unit, last_returns
from benchmarks.tables.pcgrl_recipes import CENTRED
from creative_rl.envs.level import BinaryLevel
from creative_rl.typing import Learner


def ppo(task: settings.PPOTask) -> Learner:
    config = crl.PPOConfig(
        num_envs=task.num_envs,
        num_steps=task.num_steps,
        num_epochs=task.num_epochs,
        num_minibatches=task.num_minibatches,
        hidden_sizes=(task.hidden_size, task.hidden_size),
        learning_rate=task.learning_rate,
        decay_updates=task.num_updates,
        gamma=task.gamma,
        gae_lambda=task.gae_lambda,
        clip_eps=task.clip_eps,
        value_clip_eps=task.clip_eps,
        entropy_coef=task.entropy_coef,
        value_coef=task.value_coef,
        max_grad_norm=task.max_grad_norm,
    )
    return crl.learners.ppo(crl.interop.from_gymnax(settings.ENVIRONMENT), config)


def dqn(task: settings.DQNTask) -> Learner:
    config = crl.DQNConfig(
        num_envs=task.num_envs,
        batch_size=task.batch_size,
        replay_size=task.replay_size,
        hidden_sizes=task.hidden_sizes,
        double=False,
        learning_rate=task.learning_rate,
        gamma=task.gamma,
        learning_starts=task.learning_starts,
        target_interval=task.target_steps // task.num_envs,
        epsilon_start=task.epsilon_start,
        epsilon_end=task.epsilon_end,
        epsilon_steps=task.epsilon_steps,
        max_grad_norm=1e6,  # never clips: the peers do not
    )
    return crl.learners.dqn(crl.interop.from_gymnax(settings.ENVIRONMENT), config)


def sac(task: settings.SACTask) -> Learner:
    config = crl.SACConfig(
        num_envs=task.num_envs,
        num_epochs=1,
        batch_size=task.batch_size,
        replay_size=task.replay_size,
        hidden_sizes=task.hidden_sizes,
        learning_rate=task.learning_rate,
        gamma=task.gamma,
        learning_starts=task.learning_starts,
        target_tau=task.target_tau,
    )
    return crl.learners.sac(crl.interop.from_gymnax(settings.CONTINUOUS), config)


def learner_of(task: settings.Task) -> Learner:
    make = {settings.PPOTask: ppo, settings.DQNTask: dqn, settings.SACTask: sac}
    return make[type(task)](task)


def level_learner() -> tuple[Learner, int]:
    """PPO of PCGRL's table on the labyrinths that pcgrl-jax times, and updates for a round."""
    config = dataclasses.replace(CENTRED, num_envs=600)
    updates = 1 if jax.default_backend() == "cpu" else 20
    return crl.learners.ppo(BinaryLevel(height=16, width=16), config), updates


def melody_learner(name: str) -> tuple[Learner, int]:
    """A recurrent learner on the rules of music theory, and updates for a round of seconds."""
    env = crl.make("melody-theory")
    if name == settings.MELODY_PPO:
        config = crl.PPOConfig(num_envs=256, num_steps=32, recurrent="lstm")
        return crl.learners.ppo(env, config), 8
    # Whole melodies are replayed: they have 32 steps.
    config = crl.DQNConfig(
        num_envs=16,
        num_steps=32,
        batch_size=32,
        replay_size=64_000,
        recurrent="gru",
        sequence_length=32,
    )
    return crl.learners.dqn(env, config), 100


def whole_run(learner: Learner, num_updates: int):
    """Initialise and train in one program; everything is returned, so nothing can be dropped."""

    def train(key: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        return jax.lax.scan(
            lambda state, _: learner.update(state), learner.init(key), length=num_updates
        )

    return train


def report(result: tuple[Any, dict[str, jax.Array]]) -> dict[str, float]:
    _, metrics = result
    return last_returns(metrics["episode_return"], metrics["num_episodes"])


def kept_unit(learner: Learner, num_updates: int) -> worker.Unit:
    """Rounds of `experiment.train` with everything that a run keeps."""

    def unit(number: int) -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "run"
            result = crl.train(
                learner, jax.random.key(number), num_updates, out=out, progress=False
            )
            jax.block_until_ready(result.state)
        return {"steps": num_updates * learner.steps_per_update}

    unit(0)
    return unit


def main(name: str, quick: str) -> None:
    worker.own_the_output()
    tasks = settings.tasks(quick == "quick")
    updates = None
    if name in (settings.MELODY_PPO, settings.MELODY_DQN):
        learner, updates = melody_learner(name)
    elif name == settings.LEVEL_PPO:
        learner, updates = level_learner()
    elif name == settings.EXPERIMENT:
        task = tasks[settings.NARROW]
        updates = 5 * task.num_updates  # long enough for what a run costs once to be small
        learner = ppo(dataclasses.replace(task, num_updates=updates))
    else:
        task = tasks[name]
        learner = learner_of(task)
        updates = task.num_updates
    build, unit = compiled_unit(
        whole_run(learner, updates), updates * learner.steps_per_update, jax.random.key, report
    )
    units = {"train": unit}
    if name == settings.EXPERIMENT:
        units = {settings.BARE: unit, settings.KEPT: kept_unit(learner, updates)}
    about = {"build": build, "device": worker.device(), "versions": worker.versions("gymnax")}
    worker.serve(about, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
