"""A learner whose state is large, in a process of its own: what saving it costs, and going on."""

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from benchmarks.speed import worker

NUM_LEAVES = 50


def heavy_learner(megabytes: int) -> Any:
    """A learner that does next to nothing with a state of so many megabytes, which do not
    compress: half of them in one leaf, the rest in many."""
    import jax
    import jax.numpy as jnp

    from creative_rl.typing import Learner

    size = megabytes * 250_000 // 2

    def init(key: Any) -> Any:
        large, small = jax.random.normal(key, (2, size))
        return {"large": large, "small": jnp.split(small, NUM_LEAVES), "key": key}

    def update(state: Any) -> tuple[Any, Any]:
        moved = jax.tree.map(lambda leaf: leaf * 0.999, (state["large"], state["small"]))
        return dict(zip(("large", "small"), moved, strict=True), key=state["key"]), {
            "loss": moved[0][0]
        }

    return Learner(init, update, lambda *_: None, tuple, 1)


def saves(megabytes: int) -> dict[str, worker.Unit]:
    """Units: a save and its end, with the state donated in between; and reading it back."""
    import jax

    from creative_rl.experiment import checkpoint

    learner = heavy_learner(megabytes)
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    writer = checkpoint.CheckpointWriter(folder, keep=1)
    update = jax.jit(learner.update, donate_argnums=0)
    state = jax.block_until_ready(jax.jit(learner.init)(jax.random.key(0)))

    def save(number: int) -> Mapping[str, Any]:
        nonlocal state
        begin = time.perf_counter()
        writer.save(state, number)
        waited = time.perf_counter() - begin
        state, _ = jax.block_until_ready(update(state))
        writer.wait()
        return {"steps": 1, "waited": waited, "written": time.perf_counter() - begin}

    def restore(number: int) -> Mapping[str, Any]:
        jax.block_until_ready(checkpoint.restore(folder, state)[0])
        return {"steps": 1}

    return {"save": save, "restore": restore}


def resume(megabytes: int, out: str, num_updates: int, begin: float) -> dict[str, float]:
    """Train there up to so many updates: until the first record of this call, the seconds from
    `begin` and those of the processor."""
    import jax

    from creative_rl.experiment import log
    from creative_rl.experiment.training import train

    class Clock:
        first: ClassVar[dict[str, float]] = {}

        def write(self, records: Any) -> None:
            if not self.first:
                self.first.update(wall=time.time() - begin, processor=time.process_time())

        def close(self) -> None:
            """Nothing is open."""

    clock = Clock()
    log.LOGGERS["clock"] = lambda folder, first_update: clock
    train(
        heavy_learner(megabytes),
        jax.random.key(0),
        num_updates,
        out=out,
        resume=True,
        loggers=["clock"],
        progress=False,
    )
    return clock.first


def main(task: str, megabytes: str, *arguments: str) -> None:
    worker.own_the_output()
    about: dict[str, Any] = {"device": worker.device()}
    if task == "save":
        worker.serve(about, saves(int(megabytes)))
    else:
        out, num_updates = arguments
        begin = float(os.environ["BEGIN"])
        worker.serve({**about, "first": resume(int(megabytes), out, int(num_updates), begin)}, {})


if __name__ == "__main__":
    main(*sys.argv[1:])
