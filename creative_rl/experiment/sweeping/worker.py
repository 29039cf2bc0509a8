"""A process that trains one group: `python -m creative_rl.experiment.sweeping.worker JOB.json`."""

import json
import os
import pathlib
import signal
import sys
import threading
import time

from creative_rl.experiment.sweeping import training
from creative_rl.experiment.sweeping.groups import Job


def main(path: str) -> int:
    """Train the job of a file; 0, or 128 plus the number of the signal that stopped it."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    stopped = training.run(Job.from_dict(json.loads(pathlib.Path(path).read_text())))
    return 0 if stopped is None else 128 + stopped


def _end_with_parent(parent: int) -> None:
    """Where the driver was killed, save and end: whoever goes on with the sweep starts another."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
