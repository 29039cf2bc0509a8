"""One of two processes that train together.

`python hosts_worker.py OUT HOST:PORT INDEX start|resume`; from the checkpoint of update 10 on it
starts slowly, so that there is time to kill it.
"""

import sys
import time

import creative_rl as crl
from creative_rl.experiment import RunSpec, hosts, session
from creative_rl.experiment.recorder import Recorder

SPEC = RunSpec(
    "melody-target-tutorial",
    "ppo",
    crl.PPOConfig(num_envs=8, num_steps=4, num_minibatches=2, num_epochs=1, hidden_sizes=(4,)),
    num_updates=10,
)


def main(out, address, index, mode):
    hosts.join(address, 2, int(index), heartbeat_seconds=10)
    options = dict(chunk_updates=1, loggers=[], progress=False)
    if mode == "start":
        session.start(SPEC, out, **options)
        add = Recorder.add
        Recorder.add = lambda *arguments: time.sleep(0.5) or add(*arguments)
    session.resume(out, total_steps=30 * 32, **options)


if __name__ == "__main__":
    main(*sys.argv[1:])
