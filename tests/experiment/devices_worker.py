"""Trains on eight virtual devices of the processor, and writes down what came out.

`python devices_worker.py FOLDER`, in a process of its own: devices are there from JAX's first call
on. Results are `NAME.npz`, with metrics and the leaves of the state; `said.json` has the rest.
"""

import json
import pathlib
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np

import creative_rl as crl
from creative_rl.experiment import devices, memory
from creative_rl.experiment.chunks import compiled_chunk

IS_WORKER = __name__ == "__main__"  # and not imported by whoever looks for tests
if IS_WORKER:
    jax.config.update("jax_num_cpu_devices", 8)

OUT = pathlib.Path(sys.argv[-1])
ENV = crl.make("melody-target-tutorial")
KEY = jax.random.key(0)
NUM_UPDATES = 4


def numbers(state):
    is_key = lambda leaf: jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)  # noqa: E731
    leaves = [
        jax.random.key_data(leaf) if is_key(leaf) else leaf for leaf in jax.tree.leaves(state)
    ]
    return {f"state {index}": np.asarray(leaf) for index, leaf in enumerate(leaves)}


def train(name, learner, num_updates=NUM_UPDATES, **options):
    result = crl.train(learner, KEY, num_updates, progress=False, loggers=[], **options)
    np.savez(OUT / f"{name}.npz", **result.metrics, **numbers(result.state))
    return result.state


def refused(learner, **options):
    try:
        crl.train(learner, KEY, 1, progress=False, **options)
    except ValueError as error:
        return str(error)


def compiled_facts(learner, num_seeds, num_devices):
    """What devices say to each other in the compiled program, its memory as told and as found."""
    placement = devices.on_mesh(learner, num_seeds, num_devices)
    state = jax.eval_shape(devices.make_init(learner, num_seeds), devices.key_shapes(num_seeds))
    chunk = compiled_chunk(learner.update, num_seeds is not None, placement)
    compiled = chunk.lower(state, jax.ShapeDtypeStruct((), jnp.int32)).compile()
    found = re.findall(r"= (.*?) (all-gather|all-reduce|all-to-all)\(", compiled.as_text())
    size = compiled.memory_analysis()
    used = size.argument_size_in_bytes + size.output_size_in_bytes + size.temp_size_in_bytes
    used -= size.alias_size_in_bytes
    return (
        [kind for _, kind in found],
        memory.estimate(learner, num_seeds, placement=placement),
        used,
    )


def main():
    sizes = dict(num_envs=16, num_steps=4, hidden_sizes=(8,))
    ppo = crl.learners.ppo(ENV, crl.PPOConfig(num_minibatches=2, num_epochs=1, **sizes))
    a2c = crl.learners.a2c(ENV, crl.A2CConfig(recurrent="gru", memory_size=4, **sizes))
    replay = dict(replay_size=128, batch_size=16, learning_starts=16, prioritized=True)
    dqn = crl.learners.dqn(ENV, crl.DQNConfig(**sizes, **replay))
    for count in (1, 2, 4, 8):
        state = train(f"ppo-{count}", ppo, devices=count)
    placed = {
        "stream": state.stream.starts.sharding.shard_shape((16,)),
        "parameters": all(x.sharding.is_fully_replicated for x in jax.tree.leaves(state.variables)),
    }
    for count in (1, 8):
        train(f"a2c-{count}", a2c, devices=count)
        state = train(f"dqn-{count}", dqn, devices=count)
    placed["replay"] = state.replay.ended.sharding.shard_shape((128,))
    for count in (1, 2, 4, 8):
        train(f"seeds-{count}", ppo, devices=count, num_seeds=4)
    for first, second in ((8, 1), (1, 8)):
        out = OUT / f"run-{first}"
        train("half", ppo, 2, out=out, devices=first)
        train(f"resumed-{second}", ppo, out=out, devices=second, resume=True)
    said = {
        "placed": placed,
        "seeds": compiled_facts(ppo, 4, 4),
        "environments": compiled_facts(ppo, None, 4),
        "refused": [
            refused(ppo, devices=3),
            refused(ppo, devices=9),
            refused(ppo, devices=6, num_seeds=2),
        ],
        "mesh of 6 seeds on 4": devices.on_mesh(ppo, 6, 4).mesh.devices.shape,
    }
    (OUT / "said.json").write_text(json.dumps(said))


if IS_WORKER:
    main()
