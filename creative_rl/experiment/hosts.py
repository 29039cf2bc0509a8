"""Several processes, often on as many hosts, that train as one.

All run the same program on the same mesh of devices, so all must take the same decisions: what
depends on the clock, on signals or on the disk is decided by one process, or by all together, and
told to the others. The first process alone writes a run's files, but for checkpoints, of which each
writes and reads its own part: the run's folder must be one that all hosts share.

With one process everything here costs nothing.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np

T = TypeVar("T")

_HEARTBEAT_SECONDS = 100
_SHUTDOWN_SECONDS = 60
_MESSAGE_BYTES = 2048


def join(
    coordinator: str | None = None,
    num_processes: int | None = None,
    process: int | None = None,
    heartbeat_seconds: int = _HEARTBEAT_SECONDS,
) -> None:
    """Join a job of `jax.distributed`, before JAX's first other call.

    What is None is what the environment says: SLURM's, Open MPI's, a TPU's, a Kubernetes cluster's
    where its Python client is installed (all found by JAX), and of an indexed Kubernetes job
    `JOB_COMPLETION_INDEX`.

    A process that dies ends all others after `heartbeat_seconds`, without a Python exception; the
    job is then started again, and goes on from the last checkpoint.

    Args:
      coordinator: `host:port` of the first process.
      num_processes: in the whole job.
      process: which of them this is, from 0 on.
      heartbeat_seconds: of silence, after which a process is given up.

    Raises:
      ValueError: something is neither given nor found, or out of range.
      RuntimeError: JAX has computed already, or the coordinator does not answer.
    """
    if process is None and "JOB_COMPLETION_INDEX" in os.environ:
        process = int(os.environ["JOB_COMPLETION_INDEX"])
    known = (coordinator, num_processes, process)
    try:
        jax.distributed.initialize(
            *known,
            # All that JAX would ask a cluster for is known; on a host with several processes the
            # devices of each are then chosen by CUDA_VISIBLE_DEVICES, as without a job.
            cluster_detection_method="deactivate" if None not in known else None,
            heartbeat_timeout_seconds=heartbeat_seconds,
            shutdown_timeout_seconds=min(heartbeat_seconds, _SHUTDOWN_SECONDS),
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"distributed: {error} Give coordinator, number of processes and which this is "
            "(--coordinator HOST:PORT --processes N --process I), or start under SLURM"
        ) from error


def is_first() -> bool:
    """Whether this process writes and speaks for all."""
    return jax.process_index() == 0


def decide(count: int, is_due: bool, signal: int | None) -> tuple[int, bool, int | None]:
    """What all do next: the first process's count, whether the first finds that something is due,
    and a signal that any of them got. All must call it together, with no other call under way."""
    if jax.process_count() == 1:
        return count, is_due, signal
    from jax.experimental import multihost_utils

    mine = np.array([count, is_due, signal or 0], np.int32)
    asked = np.asarray(multihost_utils.process_allgather(mine)).reshape(-1, 3)
    return int(asked[0, 0]), bool(asked[0, 1]), int(asked[:, 2].max()) or None


def by_first(function: Callable[[], T]) -> T | None:
    """Let the first process call something, while the others wait until it is done.

    Returns:
      What the function did; None on the others.

    Raises:
      RuntimeError: on the others, where it raised on the first.
    """
    if jax.process_count() == 1:
        return function()
    result, error = None, None
    if is_first():
        try:
            result = function()
        except Exception as raised:
            error = raised
    words = tell("" if error is None else str(error) or type(error).__name__)
    if error is not None:
        raise error
    if words:
        raise RuntimeError(f"process 0: {words}")
    return result


def tell(words: str) -> str:
    """What the first process says, on all; cut after some 2000 bytes."""
    if jax.process_count() == 1:
        return words
    from jax.experimental import multihost_utils

    data = np.zeros(_MESSAGE_BYTES, np.uint8)
    said = np.frombuffer(words.encode()[:_MESSAGE_BYTES], np.uint8)
    data[: len(said)] = said
    heard: Any = multihost_utils.broadcast_one_to_all(data)
    return bytes(np.asarray(heard)).rstrip(b"\0").decode(errors="ignore")
