"""One environment in one process: random rollouts of several widths, and the plain Python loop."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import creative_rl as crl
from benchmarks.speed import plain_loops, worker
from benchmarks.speed.settings import BARE_LOOP, PLAIN
from creative_rl.envs.dialogue import BookingDialogue
from creative_rl.envs.level_design import LevelDesign
from creative_rl.envs.melody import VarietyMelody
from creative_rl.typing import Array, Key

STRETCH = 128
"""Steps of a stretch, episode after episode, where lengths vary."""
DEAR_STARTS = (LevelDesign, BookingDialogue)
"""Whose start costs as much as a step, or more: a map to draw and to search, or a user to draw and
to hear."""


def random_rollout(env: Any, num_envs: int):
    """A compiled function of a key and a number of episodes, in `num_envs` environments at once.

    Episodes are aligned where the horizon is fixed, so every step is a true one; where lengths
    vary, each ends in its own time, and the next has a start of its own. Nothing can be dropped:
    each reward joins the sum and each observation is carried on, to the last one, which is
    returned. Actions differ by environment and step.

    Returns:
      `(seconds of trace and compile, function, steps in an episode of all)`; the function gives
      the mean reward a step and the last observations.
    """
    horizon = env.horizon
    if horizon is None:
        mode = "where_ended" if isinstance(env, DEAR_STARTS) else "same_step"
        env, horizon = crl.wrappers.AutoReset(env, mode=mode), STRETCH
    params = env.default_params

    def step(carry, key):
        state, total, _ = carry
        key_action, key_step = jax.random.split(key)
        action = env.action_space.sample(key_action, (num_envs,))
        keys = jax.random.split(key_step, num_envs)
        state, timestep = jax.vmap(env.transition, (0, 0, 0, None))(keys, state, action, params)
        return (state, total + timestep.reward, timestep.observation), None

    def episode(index: Array, carry):
        mean, _, key = carry
        key_reset, key_steps = jax.random.split(jax.random.fold_in(key, index))
        state, timestep = jax.vmap(env.reset, (0, None))(
            jax.random.split(key_reset, num_envs), params
        )
        start = (state, jnp.zeros(num_envs), timestep.observation)
        (_, total, last), _ = jax.lax.scan(step, start, jax.random.split(key_steps, horizon))
        return mean + total.mean() / horizon, last, key

    def rollout(key: Key, num_episodes: Array):
        start = (jnp.float32(0), env.observation_space.zeros((num_envs,)), key)
        mean, last, _ = jax.lax.fori_loop(0, num_episodes, episode, start)
        return mean / num_episodes, last

    compiled, seconds = worker.built(jax.jit(rollout), jax.random.key(0), jnp.int32(1))
    return seconds, compiled, num_envs * horizon


def compiled_unit(run: Any, steps_per_episode: int, seconds: float) -> worker.Unit:
    """A round of about `seconds`, its length fixed beforehand by a doubling trial."""

    def trial(count: int) -> None:
        jax.block_until_ready(run(jax.random.key(0), jnp.int32(count)))

    num_episodes = worker.calibrated(trial, seconds)

    def unit(number: int) -> Mapping[str, Any]:
        reward, _ = jax.block_until_ready(run(jax.random.key(number), jnp.int32(num_episodes)))
        return {"steps": num_episodes * steps_per_episode, "mean_reward": float(reward)}

    return unit


def plain_unit(play: Any, env: Any, horizon: int, seconds: float) -> worker.Unit:
    """As `compiled_unit`, for a loop of Python; it also reports the returns' mean and deviation."""
    begin = time.perf_counter()
    trial = play(env, 20, 0)
    rate = trial.steps / (time.perf_counter() - begin)
    num_episodes = max(20, round(rate * seconds / horizon))

    def unit(number: int) -> Mapping[str, Any]:
        played = play(env, num_episodes, number)
        rewards = np.asarray(played.returns) / horizon
        return {
            "steps": played.steps,
            "mean_reward": float(rewards.mean()),
            "standard_error": float(rewards.std() / num_episodes**0.5),
        }

    return unit


def main(id: str, seconds: str, *widths: str) -> None:
    worker.own_the_output()
    env = crl.make(id)
    units, builds = {}, {}
    for width in widths:
        builds[width], run, steps = random_rollout(env, int(width))
        units[width] = compiled_unit(run, steps, float(seconds))
    twin = plain_loops.plain(env)
    play, length = plain_loops.play, env.horizon
    if length is None:
        play, length = plain_loops.stretches(STRETCH), STRETCH
    units[PLAIN] = plain_unit(play, twin, length, float(seconds))
    if isinstance(env, VarietyMelody):
        units[BARE_LOOP] = plain_unit(
            plain_loops.play_bare_variety, env, env.horizon, float(seconds)
        )
    worker.serve({"builds": builds, "device": worker.device()}, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
