"""One store in one process: add a block and sample a batch, over and over."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed import worker
from benchmarks.speed.settings import UNIFORM
from creative_rl.stores import priorities, replay
from creative_rl.typing import Array, Key, PyTree

BATCH = 256
Step = Callable[[PyTree, PyTree, Key], tuple[PyTree, PyTree]]
"""From a state, new items and a key to a state and a batch."""


def items(index: Array, num: int) -> dict[str, Array]:
    """The items of one block: rewards spread evenly over 0 .. 1, the others follow from them."""
    number = (index * num + jnp.arange(num, dtype=jnp.int32)) % 1000
    reward = (number.astype(jnp.float32) + 0.5) / 1000
    return {
        "observation": jnp.broadcast_to(reward[:, None], (num, 64)),
        "action": number,
        "reward": reward,
        "done": number % 10 == 0,
    }


def one_item() -> dict[str, Array]:
    return jax.tree.map(lambda leaf: jnp.zeros_like(leaf[0]), items(jnp.int32(0), 1))


def ours(capacity: int, num: int) -> tuple[PyTree, Step]:
    state = replay.init(one_item(), capacity, num_envs=num, num_steps=1)

    def step(state: replay.Replay, new: PyTree, key: Key):
        new = jax.tree.map(lambda leaf: leaf[None], new)
        state = replay.add(state, new, new["done"])
        batch = replay.sample(state, key, BATCH).items
        return state, jax.tree.map(lambda leaf: leaf[0], batch)

    return state, step


def flashbax(capacity: int, num: int) -> tuple[PyTree, Step]:
    import flashbax

    buffer = flashbax.make_item_buffer(capacity, 1, BATCH, add_batches=True)

    def step(state: PyTree, new: PyTree, key: Key):
        state = buffer.add(state, new)
        return state, buffer.sample(state, key).experience

    return buffer.init(one_item()), step


def ours_prioritised(capacity: int, num: int) -> tuple[PyTree, Step]:
    state = (ours(capacity, num)[0], priorities.init(capacity))

    def step(state: PyTree, new: PyTree, key: Key):
        store, tree = state
        slots = store.position + jnp.arange(num, dtype=jnp.int32)
        new = jax.tree.map(lambda leaf: leaf[None], new)
        store = replay.add(store, new, new["done"])
        tree = priorities.assign(tree, slots, jnp.full(num, 1.0) * tree.largest)
        drawn = priorities.sample(tree, key, BATCH)
        shares = priorities.probability(tree, drawn)
        batch = jax.tree.map(lambda leaf: leaf[0], replay.take(store, drawn).items)
        drawn = jnp.where(shares >= 0, drawn, -1)  # assign after they were read
        tree = priorities.assign(tree, drawn, _new_priorities(batch))
        return (store, tree), batch | {"shares": shares}

    return state, step


def flashbax_prioritised(capacity: int, num: int) -> tuple[PyTree, Step]:
    import flashbax

    buffer = flashbax.make_prioritised_item_buffer(
        capacity, 1, BATCH, add_batches=True, priority_exponent=1.0, device=jax.default_backend()
    )

    def step(state: PyTree, new: PyTree, key: Key):
        state = buffer.add(state, new)
        drawn = buffer.sample(state, key)
        state = buffer.set_priorities(state, drawn.indices, _new_priorities(drawn.experience))
        return state, drawn.experience | {"shares": drawn.probabilities}

    return buffer.init(one_item()), step


def _new_priorities(batch: Mapping[str, Array]) -> Array:
    """Different ones, which say nothing of the reward, so that its mean stays one half; at most 1
    (flashbax truncates the largest to a whole number)."""
    return 0.5 + (batch["action"] % 5).astype(jnp.float32) / 8


STORES = {
    (True, "ours"): ours,
    (True, "flashbax"): flashbax,
    (False, "ours"): ours_prioritised,
    (False, "flashbax"): flashbax_prioritised,
}


def compiled(state: PyTree, step: Step, num: int):
    """A function of a state, the number of the first block and keys, one for every pair: the state,
    which is donated, and the sums over all batches."""

    def pair(carry, inputs):
        state, sums = carry
        index, key = inputs
        state, batch = step(state, items(index, num), key)
        sums = jax.tree.map(lambda total, leaf: total + leaf.sum(0, total.dtype), sums, batch)
        return (state, sums), None

    def run(state: PyTree, first: Array, keys: Key):
        shape = jax.eval_shape(step, state, items(first, num), keys[0])[1]
        sums = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape[1:], jnp.float32), shape)
        indices = first + jnp.arange(keys.shape[0], dtype=jnp.int32)
        (state, sums), _ = jax.lax.scan(pair, (state, sums), (indices, keys))
        return state, sums

    return jax.jit(run, donate_argnums=0)


def jax_unit(name: str, task: str, capacity: int, num: int, seconds: float) -> worker.Unit:
    """Rounds of about `seconds`; before them the store is filled, by running."""
    state, step = STORES[task == UNIFORM, name](capacity, num)
    run = compiled(state, step, num)
    done = 0

    def pairs(seed: int, count: int) -> PyTree:
        nonlocal state, done
        keys = jax.random.split(jax.random.key(seed), count)
        state, sums = jax.block_until_ready(run(state, jnp.int32(done % 1_000_000), keys))
        done += count
        return sums

    chunk = 10_000 if num == 1 else 2_000
    while done * num < capacity:
        pairs(0, chunk)
    begin = time.perf_counter()
    pairs(0, chunk)
    count = max(100, round(chunk * seconds / (time.perf_counter() - begin)))
    pairs(0, count)  # compiles for this number

    def unit(number: int) -> Mapping[str, Any]:
        return _report(float(pairs(number, count)["reward"]), count)

    return unit


def numpy_unit(capacity: int, num: int, seconds: float) -> worker.Unit:
    """A ring of preallocated arrays in a loop of Python."""
    rings = {
        name: np.zeros((capacity, *leaf.shape), leaf.dtype) for name, leaf in one_item().items()
    }
    blocks = [
        {name: np.asarray(leaf) for name, leaf in items(jnp.int32(index), num).items()}
        for index in range(1000)
    ]
    position = done = 0

    def pairs(seed: int, count: int) -> float:
        nonlocal position, done
        generator, total = np.random.default_rng(seed), 0.0
        for _ in range(count):
            slots = (position + np.arange(num)) % capacity
            chosen = generator.integers(0, min(capacity, (done + 1) * num), BATCH)
            for name, new in blocks[done % 1000].items():
                rings[name][slots] = new
            position, done = (position + num) % capacity, done + 1
            sums = {name: ring[chosen].sum(0) for name, ring in rings.items()}
            total += float(sums["reward"])
        return total

    pairs(0, -(-capacity // num))
    begin = time.perf_counter()
    pairs(0, 1000)
    count = max(100, round(1000 * seconds / (time.perf_counter() - begin)))
    return lambda number: _report(pairs(number, count), count)


def _report(total: float, count: int) -> dict[str, Any]:
    """Rewards are even over 0 .. 1; sums are of float32, hence the second term."""
    error = (1 / 12 / (count * BATCH)) ** 0.5 + 1e-3
    return {"steps": count, "mean": total / (count * BATCH), "standard_error": error}


def main(name: str, task: str, capacity: str, num: str, seconds: str) -> None:
    worker.own_the_output()
    if name == "numpy":
        unit = numpy_unit(int(capacity), int(num), float(seconds))
    else:
        unit = jax_unit(name, task, int(capacity), int(num), float(seconds))
    versions = worker.versions("flashbax") if name == "flashbax" else {}
    worker.serve({"device": worker.device(), "versions": versions}, {"pairs": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
