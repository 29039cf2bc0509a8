"""Flags that say where a command computes: on how many devices, in how many processes.

Imports no JAX before `join`.
"""

import argparse
import dataclasses
import os
from typing import Any

from creative_rl.experiment.flags import whole
from creative_rl.experiment.parser import UsageError, at_least

_JOB = ("coordinator", "processes", "process")


@dataclasses.dataclass(frozen=True)
class Where:
    """What was asked for.

    Attributes:
      devices: number of devices; None for one, or all of a job.
      is_job: whether this process is one of several that train together.
      job: `coordinator`, `processes` and `process`, None where they were left out.
    """

    devices: int | None = None
    is_job: bool = False
    job: tuple[str | None, int | None, int | None] = (None, None, None)

    def join(self) -> None:
        """Make JAX see the devices, and join the job; before JAX's first call."""
        import jax

        if self.is_job:
            from creative_rl.experiment import hosts

            hosts.join(*self.job)
        elif self.devices and "device_count" not in os.environ.get("XLA_FLAGS", ""):
            jax.config.update("jax_num_cpu_devices", self.devices)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and speaks, once it has joined."""
        if not self.is_job:
            return True
        from creative_rl.experiment import hosts

        return hosts.is_first()


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the flags as a group of the parser."""
    add = parser.add_argument_group("devices").add_argument
    add(
        "--devices", type=whole, metavar="N",
        help="divide the work among N devices: the seeds, or the environments (default 1; on a "
        "processor they are threads of it)",
    )  # fmt: skip
    add(
        "--distributed", action="store_true",
        help="this is one of several processes that train together on all their devices; SLURM, "
        "Open MPI and TPUs tell JAX the rest, elsewhere give the next three",
    )  # fmt: skip
    add("--coordinator", metavar="HOST:PORT", help="where process 0 is, at a free port")
    add("--processes", type=whole, metavar="N", help="how many there are")
    add(
        "--process", type=whole, metavar="I",
        help="which of them this is, from 0 on (default JOB_COMPLETION_INDEX, where Kubernetes "
        "sets it)",
    )  # fmt: skip


def read(arguments: dict[str, Any]) -> Where:
    """What the flags say.

    Raises:
      UsageError: they contradict each other, or are out of range.
    """
    devices, is_job = arguments["devices"], arguments["distributed"]
    job = tuple(arguments[name] for name in _JOB)
    at_least("--devices", devices)
    at_least("--processes", arguments["processes"])
    at_least("--process", arguments["process"], 0)
    if not is_job and any(value is not None for value in job):
        raise UsageError(
            "--coordinator, --processes and --process are of a job of several processes; add "
            "--distributed, or leave them out"
        )
    if is_job and devices is not None:
        raise UsageError(
            "--devices: a job of several processes computes on all their devices; leave it out"
        )
    return Where(devices, is_job, job)
