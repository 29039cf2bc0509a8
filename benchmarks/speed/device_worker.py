"""Stepping and training on so many devices of the processor; worker of `devices`."""

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import worker

ENVIRONMENT = "melody-theory"
STEPS = 32
"""Of each environment in one update, of stepping and of PPO: an episode."""
UPDATES = {"stepping": 8, "ppo": 2}
"""In one round."""


def stepper(env: Any, num_envs: int) -> Any:
    """A learner that learns nothing: it steps with random actions, on the path of training."""
    import flax.struct
    import jax
    import jax.numpy as jnp

    from creative_rl.learners import stream
    from creative_rl.typing import Learner

    params = env.default_params

    class Stepping(flax.struct.PyTreeNode):
        current: stream.Stream
        key: jax.Array

    def init(key: jax.Array) -> Stepping:
        key, key_reset = jax.random.split(key)
        return Stepping(current=stream.init(env, key_reset, params, num_envs), key=key)

    def update(state: Stepping) -> tuple[Stepping, dict[str, jax.Array]]:
        key, key_action, key_step = jax.random.split(state.key, 3)
        shape = (STEPS, num_envs)
        actions = jax.random.randint(key_action, shape, 0, env.action_space.num)

        def step(current: stream.Stream, inputs: Any) -> tuple[stream.Stream, jax.Array]:
            keys, action = inputs
            following = stream.step(env, keys, current, action, params)
            return following, following.timestep.reward

        keys = stream.step_keys(key_step, *shape)
        current, rewards = jax.lax.scan(step, state.current, (keys, actions))
        return Stepping(current=current, key=key), {"reward": rewards.mean()}

    def act(*arguments: Any) -> Any:
        return jnp.int32(0), ()

    return Learner(init, update, act, tuple, STEPS * num_envs)


def main(num_devices: str, num_envs: str) -> None:
    """`num_devices` is 0 for the plain path, 1 for a mesh of one device."""
    worker.own_the_output()
    import jax
    import jax.numpy as jnp
    import numpy as np

    count, width = int(num_devices), int(num_envs)
    jax.config.update("jax_num_cpu_devices", max(count, 1))

    import creative_rl as crl
    from creative_rl.experiment import compilation_cache, devices
    from creative_rl.experiment.chunks import compiled_chunk

    compilation_cache.enable()
    env = crl.make(ENVIRONMENT)
    config = crl.PPOConfig(num_envs=width, num_steps=STEPS)
    learners = {"stepping": stepper(env, width), "ppo": crl.learners.ppo(env, config)}
    states: dict[str, Any] = {}

    def unit_of(name: str) -> worker.Unit:
        learner = learners[name]
        placement = devices.on_mesh(learner, None, count) if count else None
        places = None if placement is None else placement.state
        states[name] = jax.jit(learner.init, out_shardings=places)(jax.random.key(0))
        chunk = compiled_chunk(learner.update, False, placement)

        def unit(number: int) -> Mapping[str, Any]:
            states[name], metrics = chunk(states[name], jnp.int32(UPDATES[name]))
            jax.block_until_ready((states[name], metrics))
            rows = {key: np.asarray(m[: UPDATES[name]]).tolist() for key, m in metrics.items()}
            return {"steps": UPDATES[name] * learner.steps_per_update, "metrics": rows}

        return unit

    units = {name: unit_of(name) for name in learners}
    worker.serve({"device": worker.device()}, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
