"""Environments of many widths, canvases, or a learner's updates in one process; for `scaling`.

Beside them every process measures the machine: copies and products of matrices.
"""

import sys
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

import creative_rl as crl
from benchmarks.speed import ceiling_worker, environment_worker, worker
from benchmarks.speed import scaling_tasks as tasks
from benchmarks.speed.scaling_tasks import Update
from benchmarks.speed.stroke_worker import copy_unit
from creative_rl.experiment.chunks import compiled_chunk
from creative_rl.typing import Learner

TRIAD_NUMBERS = 1 << 25
PRODUCT = (1024, 1024, 1024)


def triad_unit() -> worker.Unit:
    """`x + 1` in place of a large array of float32; its steps are bytes read and written."""
    run = jax.jit(lambda x: x + 1, donate_argnums=0)
    numbers = jnp.ones(TRIAD_NUMBERS, jnp.float32)

    def unit(number: int) -> Mapping[str, Any]:
        nonlocal numbers
        numbers = jax.block_until_ready(run(numbers))
        return {"steps": 2 * numbers.nbytes}

    unit(0)
    return unit


def machine_units() -> dict[str, worker.Unit]:
    """Bytes a second of a copy and of `x + 1`, operations a second of products."""
    return {
        tasks.COPY: copy_unit(),
        tasks.TRIAD: triad_unit(),
        tasks.PRODUCT: ceiling_worker.unit(PRODUCT, 1.0, 0.25),
    }


def environment_units(id: str, widths: tuple[int, ...], seconds: float) -> dict[str, worker.Unit]:
    """Random episodes, by width."""
    env, units = crl.make(id), {}
    for width in widths:
        _, run, steps = environment_worker.random_rollout(env, width)
        units[str(width)] = environment_worker.compiled_unit(run, steps, seconds)
    return units


def canvas_units(sides: tuple[int, ...], seconds: float) -> dict[str, worker.Unit]:
    """Random episodes of drawing, by the pixels of a side."""
    units = {}
    for side in sides:
        env = crl.make(tasks.CANVAS_ENVIRONMENT, height=side, width=side)
        _, run, steps = environment_worker.random_rollout(env, tasks.CANVAS_WIDTH)
        units[str(side)] = environment_worker.compiled_unit(run, steps, seconds)
    return units


def learner_of(task: Update) -> Learner:
    """The learner that a task's sizes describe, with all else at its defaults."""
    sizes = {
        "num_envs": task.num_envs,
        "num_steps": task.num_steps,
        "hidden_sizes": (task.hidden_size, task.hidden_size),
    }
    if task.learner == tasks.DQN:
        config = crl.DQNConfig(**sizes, batch_size=task.batch_size, learning_starts=0)
        return crl.learners.dqn(crl.make(tasks.UPDATE_ENVIRONMENT), config)
    env = crl.make(tasks.UPDATE_ENVIRONMENT)
    if task.learner == tasks.PAINT:
        env = crl.make(tasks.CANVAS_ENVIRONMENT, height=task.canvas, width=task.canvas)
    return crl.learners.ppo(env, crl.PPOConfig(**sizes))


def num_parameters(learner: Learner) -> int:
    """Numbers that gradients change; of DQN not those of the target network."""
    variables = jax.eval_shape(learner.init, jax.random.key(0)).variables
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def update_unit(learner: Learner, seconds: float) -> worker.Unit:
    """Updates in the program that training runs, each round from where the last one ended."""
    chunk = compiled_chunk(learner.update, False)
    state = jax.jit(learner.init)(jax.random.key(0))

    def train(count: int) -> None:
        nonlocal state
        state, metrics = chunk(state, jnp.int32(count))
        jax.block_until_ready((state, metrics))

    train(1)
    count = worker.calibrated(train, seconds)

    def unit(number: int) -> Mapping[str, Any]:
        train(count)
        return {"steps": count}

    return unit


def main(kind: str, quick: str, seconds: str) -> None:
    worker.own_the_output()
    is_quick, each, about = quick == "quick", float(seconds), {}
    if kind in tasks.ENVIRONMENTS:
        widths = tasks.WIDTHS[:3] if is_quick else tasks.WIDTHS
        units = environment_units(kind, widths, each)
    elif kind == tasks.CANVAS_ENVIRONMENT:
        units = canvas_units(tasks.CANVASES[:2] if is_quick else tasks.CANVASES, each)
    else:
        chosen = {task.key: learner_of(task) for task in tasks.updates(kind, is_quick)}
        about["parameters"] = {key: num_parameters(learner) for key, learner in chosen.items()}
        units = {key: update_unit(learner, each) for key, learner in chosen.items()}
    units |= machine_units()
    worker.serve({**about, "device": worker.device()}, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
