"""A real run that is killed and goes on, again and again: one process that has imported everything
forks a child for every start, which costs a tenth of a fresh one.

A line in is `start DIR UPDATES SECONDS`, the answer the child's process id; the next line, once it
has been killed or is done, is `wait`, and the answer how it ended. Nothing here uses JAX before the
fork: its threads would not live on in the child.
"""

import json
import os
import sys
import time
from typing import Any

CHUNK_UPDATES = 3


def learner() -> Any:
    """PPO in the smallest melody."""
    import creative_rl as crl

    config = crl.PPOConfig(num_envs=4, num_steps=5, num_minibatches=2, hidden_sizes=(8,))
    return crl.learners.ppo(crl.make("melody-target-tutorial"), config)


class SlowLogger:
    """Waits whenever records are written, so that a run is long enough to be killed in."""

    def __init__(self, seconds: float):
        self._seconds = seconds

    def write(self, records: Any) -> None:
        time.sleep(self._seconds)

    def close(self) -> None:
        """Nothing is open."""


def run(out: str, num_updates: int, seconds: float) -> None:
    """Train there, or go on, saving whenever the last save is done."""
    import jax

    from creative_rl.experiment import log, training

    log.LOGGERS["slow"] = lambda folder, first_update: SlowLogger(seconds)
    training.train(
        learner(),
        jax.random.key(0),
        num_updates,
        out=out,
        resume=True,
        chunk_updates=CHUNK_UPDATES,
        checkpoint_seconds=0.0,
        checkpoint_share=1.0,
        loggers=["slow"],
        progress=False,
    )


def main() -> None:
    import creative_rl as crl
    from creative_rl.experiment import training

    assert crl.make and crl.learners.ppo and training.train  # imported for all children
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        _, out, num_updates, seconds = line.split()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run(out, int(num_updates), float(seconds))
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(json.dumps(child), flush=True)
        sys.stdin.readline()
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), flush=True)


if __name__ == "__main__":
    main()
